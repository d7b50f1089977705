/** Escapes label names that Prometheus before 3.0 does not allow, such as `service.name`. */

import { isPlainLabelName, renamedLabels } from '../shared/labels.js';
import type { Escaping } from './format.js';

/** Prefix of names that are escaped by `values`, as in client_golang. */
const VALUES_PREFIX = 'U__';

/**
 * Renames labels for a scraper. If two names become the same, both are kept: one of them gets the prefix
 * `exported_`.
 */
export function escapedLabels(
  labels: Readonly<Record<string, string>>,
  escaping: Escaping,
): Readonly<Record<string, string>> {
  if (escaping === 'allow-utf-8') return labels;
  return renamedLabels(labels, isPlainLabelName, (name) => escapedName(name, escaping)).labels;
}

/** Escapes a name like `EscapeName` of prometheus/common. */
export function escapedName(name: string, escaping: Exclude<Escaping, 'allow-utf-8'>): string {
  switch (escaping) {
    case 'underscores':
      // Labels that begin with two underscores are reserved by Prometheus.
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

/** Replaces each character that is not allowed at its position in a plain name. */
function escapeEach(name: string, replacement: (char: string) => string): string {
  return name.replace(/^\d|[^a-zA-Z0-9_]/gu, replacement);
}
