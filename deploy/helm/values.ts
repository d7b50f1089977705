/** The values of the chart, as values.yaml documents them. */

import { load } from 'js-yaml';

export interface Value {
  /** `image.tag`. */
  readonly path: string;
  readonly default: unknown;
  readonly doc: string;
}

/** Reads the values whose comment begins with `# --`. */
export function documentedValues(text: string): readonly Value[] {
  const defaults = load(text);
  const lines = text.split('\n');
  let section = '';
  return lines.flatMap((line, i) => {
    section = /^(\w+):$/.exec(line)?.[1] ?? section;
    const [, doc] = /^ *# -- (.*)$/.exec(line) ?? [];
    if (doc === undefined) return [];
    const [, indent = '', key = ''] = /^( *)(\w+):/.exec(lines[i + 1] ?? '') ?? [];
    const path = indent === '' ? key : `${section}.${key}`;
    return [{ path, default: valueAt(defaults, path), doc }];
  });
}

/** @returns undefined if there is none. */
export function valueAt(values: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, key);
    return isObject ? Reflect.get(value, key) : undefined;
  }, values);
}

/** A table of them in Markdown. */
export function valuesTable(values: readonly Value[]): string {
  const rows = values.map(
    ({ path, default: value, doc }) => `| \`${path}\` | ${show(value)} | ${doc} |`,
  );
  return ['| value | default | meaning |', '| --- | --- | --- |', ...rows, ''].join('\n');
}

function show(value: unknown): string {
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return ['', '{}', '[]'].includes(text) ? '' : `\`${text}\``;
}
