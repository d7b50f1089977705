/** Reads the labels of destinations. */

import { isMapping, show } from '../platform/values.js';
import { isLabelName, labelsProblem, RESERVED_LABELS } from '../shared/labels.js';
import type { Report } from './problems.js';

/** Reads the member `labels` of the entry at `path`. */
export function readLabels(given: unknown, path: string, report: Report): Record<string, string> {
  if (!isMapping(given)) {
    report(`${path}.labels`, `expected a mapping of label names to values, got ${show(given)}`);
    return {};
  }
  const problem = labelsProblem(given);
  if (problem !== undefined) {
    report(`${path}.labels`, problem);
    return {};
  }
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    // As in Prometheus, a label without a value is ignored.
    if (value === null) continue;
    const at = `${path}.labels.${name}`;
    if (!isLabelName(name)) {
      report(at, `expected a label name (not empty, no __ in front), got ${show(name)}`);
    }
    if (RESERVED_LABELS.some((reserved) => reserved === name)) {
      report(at, `label name ${show(name)} is reserved`);
    }
    const isScalar = ['string', 'number', 'boolean'].includes(typeof value);
    if (!isScalar) report(at, `expected a string, got ${show(value)}`);
    else labels[name] = String(value);
  }
  return labels;
}
