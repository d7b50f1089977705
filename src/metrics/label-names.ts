/** Names of labels that Prometheus before 3.0 does not allow, such as `service.name`. */

import { isPlainLabelName, renamedLabels } from '../shared/labels.js';
import type { Escaping } from './format.js';

/** A prefix of names that `values` has escaped, as in client_golang. */
const VALUES_PREFIX = 'U__';

/**
 * Labels under the names that a scraper has for them. Two names that become the same one are both kept:
 * one of them gets `exported_` in front.
 */
export function escapedLabels(
  labels: Readonly<Record<string, string>>,
  escaping: Escaping,
): Readonly<Record<string, string>> {
  if (escaping === 'allow-utf-8') return labels;
  return renamedLabels(labels, isPlainLabelName, (name) => escapedName(name, escaping)).labels;
}

/** A name that is not plain, as `EscapeName` of prometheus/common writes it. */
export function escapedName(name: string, escaping: Exclude<Escaping, 'allow-utf-8'>): string {
  switch (escaping) {
    case 'underscores':
      // Two underscores in front would make the label Prometheus's own.
      return escapeEach(name, () => '_').replace(/^_+/, '_');
    case 'dots':
      return escapeEach(name.replaceAll('_', '__'), (char) => (char === '.' ? '_dot_' : '__'));
    case 'values':
      return (
        VALUES_PREFIX +
        escapeEach(name.replaceAll('_', '__'), (char) => `_${char.codePointAt(0)?.toString(16)}_`)
      );
    default:
      return escaping satisfies never;
  }
}

/** Replaces each character that a plain name cannot have where it stands. */
function escapeEach(name: string, replacement: (char: string) => string): string {
  return name.replace(/^\d|[^a-zA-Z0-9_]/gu, replacement);
}
