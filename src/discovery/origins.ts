/** The parts of a found destination that its name and its module may come from. */

import type { Origin } from '../config/source-settings.js';
import type { AttributesFound } from './found.js';

export interface Parts {
  /** Canonical. */
  readonly uri: string;
  readonly attributes: AttributesFound | undefined;
  /** By their names in the source. */
  readonly labels: Readonly<Record<string, unknown>>;
}

/** The different values of a part, without blanks around them; none if there is no such part. */
export function valuesOf({ kind, name }: Origin, parts: Parts): readonly string[] {
  const values = kind === 'attribute' ? parts.attributes?.get(name) : [textOf(kind, name, parts)];
  const texts: string[] = [];
  for (const value of values ?? []) {
    const text = value.trim();
    if (text !== '') texts.push(text);
  }
  return texts.length > 1 ? [...new Set(texts)].sort() : texts;
}

function textOf(kind: 'label' | 'uri', name: string, { uri, labels }: Parts): string {
  if (kind === 'uri') return uri;
  return Object.hasOwn(labels, name) ? String(labels[name] ?? '') : '';
}
