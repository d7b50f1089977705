/** The dashboards as Grafana reads them from their files, and every query in them. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseYaml } from '../../src/platform/yaml.js';

const FOLDER = 'grafana/dashboards';

export interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly instant?: boolean;
  readonly datasource?: { readonly uid: string };
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>;
  readonly datasource?: { readonly uid: string };
  readonly targets?: readonly Target[];
  readonly fieldConfig?: {
    readonly defaults: { readonly unit?: string; readonly noValue?: string };
  };
}

export interface Board {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: {
    readonly list: readonly {
      readonly name: string;
      readonly type: string;
      readonly query?: string;
      readonly regex?: string;
    }[];
  };
  readonly annotations: {
    readonly list: readonly { readonly name: string; readonly expr: string }[];
  };
}

export function readBoards(): Board[] {
  return readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')));
}

export interface Rule {
  readonly group: string;
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
}

/** The rules of all files. */
export function readRules(): Rule[] {
  return readdirSync('rules')
    .filter((name) => name.endsWith('.yml'))
    .flatMap((name) => {
      const { groups } = parseYaml(readFileSync(join('rules', name), 'utf8')) as {
        groups: readonly { name: string; rules: readonly Omit<Rule, 'group'>[] }[];
      };
      return groups.flatMap(({ name: group, rules }) => rules.map((rule) => ({ group, ...rule })));
    });
}

/** How Grafana sends a query to Prometheus. */
export type Kind = 'range' | 'instant' | 'label_values' | 'label_names' | 'query_result';

export interface Query {
  readonly board: string;
  /** `uid / title of the panel / A`. */
  readonly where: string;
  readonly kind: Kind;
  readonly text: string;
}

/** Every query of a board: of panels, of annotations, of variables. */
export function queriesOf(board: Board): Query[] {
  const query = (where: string, kind: Kind, text: string): Query => ({
    ...{ board: board.uid, where: `${board.uid} / ${where}`, kind, text },
  });
  const panels = board.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr, instant }) =>
      query(`${title} / ${refId}`, instant === true ? 'instant' : 'range', expr),
    ),
  );
  const annotations = board.annotations.list.map(({ name, expr }) => query(name, 'range', expr));
  const variables = board.templating.list.flatMap((variable) => {
    if (variable.type !== 'query') return [];
    const { name, query: text = '' } = variable;
    const kind = (['label_names', 'query_result'] as const).find((one) => text.startsWith(one));
    return [query(`$${name}`, kind ?? 'label_values', text)];
  });
  return [...panels, ...annotations, ...variables];
}
