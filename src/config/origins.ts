/** Reads where the names and modules of discovered destinations come from. */

import { isMapping, show } from '../platform/values.js';
import { isLabelName } from '../shared/labels.js';
import { nearestOf } from '../shared/nearest.js';
import { Expected, type Format } from './expected.js';
import { FORMATS } from './formats.js';
import type { Modules } from './modules.js';
import { type Report, unknownModule } from './problems.js';
import type { ModulesByLabel, Origin } from './source-settings.js';

const DUID: Origin = { text: 'duid', kind: 'attribute', name: 'duid' };
const URI: Origin = { text: 'uri', kind: 'uri', name: '' };
const DESCRIPTION: Origin = { text: 'description', kind: 'attribute', name: 'description' };

/** The default of sources of Kamailio, where a `duid` is there to name a destination. */
export const NAME_FROM_DUID: readonly Origin[] = [DUID];

/** Characters that end the name of an attribute. */
const ATTRIBUTE = /^[^;=,"'\s]{1,128}$/;

/** Names of destinations of Kamailio. */
export const nameFrom = nameFormat(
  'duid, attribute:NAME, label:NAME, description or uri',
  [DUID, DESCRIPTION, URI],
  ['attribute', 'label'],
);
/** Names of targets in target groups, which have no attributes. */
export const nameFromLabels = nameFormat('label:NAME or uri', [URI], ['label']);

/** The module of destinations of Kamailio. */
export const moduleFrom: Format<Origin> = (given) =>
  readOrigin(given, 'attribute:NAME or label:NAME', [], ['attribute', 'label']);
export const moduleFromLabels: Format<Origin> = (given) =>
  readOrigin(given, 'label:NAME', [], ['label']);

type NamedKind = 'attribute' | 'label';

function nameFormat(
  expected: string,
  words: readonly Origin[],
  kinds: readonly NamedKind[],
): Format<readonly Origin[]> {
  return (given) =>
    FORMATS.stringList(given).map((item) => readOrigin(item, expected, words, kinds));
}

/** @throws Expected */
function readOrigin(
  given: unknown,
  expected: string,
  words: readonly Origin[],
  kinds: readonly NamedKind[],
): Origin {
  const text = typeof given === 'string' ? given : '';
  const word = words.find((known) => known.text === text);
  if (word !== undefined) return word;
  const [, prefix = '', name = ''] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const kind = kinds.find((known) => known === prefix);
  if (kind === 'label' && isLabelName(name)) return { text, kind, name };
  // Kamailio ignores the case of the names of attributes.
  if (kind === 'attribute' && ATTRIBUTE.test(name)) {
    const lower = name.toLowerCase();
    return { text: `attribute:${lower}`, kind, name: lower };
  }
  const known = [...words.map((one) => one.text), ...kinds.map((one) => `${one}:${name}`)];
  throw new Expected(`${expected}${nearestOf(text, known)}`, given);
}

/** Reads `{ setid: { "2": teams } }`. */
export function readModulesByLabel(
  given: unknown,
  path: string,
  { modules, report }: { readonly modules: Modules; readonly report: Report },
): ModulesByLabel {
  const labels = entriesOf(given, 'labels to mappings of values', path, report);
  return Object.fromEntries(
    labels.map(([label, byValue]) => {
      const at = `${path}.${label}`;
      if (!isLabelName(label)) {
        report(at, `expected a label name (not empty, no __ in front), got ${show(label)}`);
      }
      const values = entriesOf(byValue, 'values', at, report).map(([value, module]) => {
        const name = typeof module === 'number' ? String(module) : module;
        if (typeof name === 'string' && modules.has(name)) return [value, name] as const;
        const isName = typeof name === 'string';
        report(
          `${at}.${value}`,
          isName ? unknownModule(name, modules.keys()) : `expected a module, got ${show(name)}`,
        );
        return [value, ''] as const;
      });
      return [label, Object.fromEntries(values)];
    }),
  );
}

function entriesOf(
  given: unknown,
  keys: string,
  path: string,
  report: Report,
): readonly (readonly [string, unknown])[] {
  if (isMapping(given)) return Object.entries(given).filter(([, value]) => value !== null);
  report(path, `expected a mapping of ${keys} to modules, got ${show(given)}`);
  return [];
}
