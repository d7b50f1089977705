/** Reads target groups of Prometheus, the format of `file_sd` and `http_sd`. */

import { isMapping, isOwner, OWNER_FORMAT, show } from '../platform/values.js';
import { labelsProblem } from '../shared/labels.js';
import { nearestOf } from '../shared/nearest.js';
import type { Findings, FoundDestination, Remark } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { type Report, reporter } from './remark.js';
import { SourceError } from './source-error.js';

/** Labels that are settings of the destination. */
const SETTING_LABELS: ReadonlyMap<string, string> = new Map([
  ['__name', 'name'],
  ['__module', 'module'],
  ['__ping_interval', 'ping_interval'],
]);
const OWNER = '__owner';
const FIELDS = ['targets', 'labels'] as const;

/**
 * Reads every target of a list of `{"targets": ["192.0.2.1:5060"], "labels": {...}}`. As in Prometheus,
 * `null` for the list, `targets`, `labels` or a label is the same as omitting it, and labels that begin
 * with `__` and are not settings are dropped.
 *
 * @param place of the list, for error texts.
 * @throws SourceError when Prometheus would reject the whole list, or when it is too long.
 */
export function readTargetGroups(given: unknown, place: string): Findings {
  const groups = given ?? [];
  if (!Array.isArray(groups))
    throw new SourceError(`${place}: expected a list, got ${show(given)}`);
  const found: FoundDestination[] = [];
  const remarks: Remark[] = [];
  for (const [index, group] of groups.entries()) {
    readGroup(group, `${place}: [${index}]`, found, remarks);
  }
  return { found, remarks };
}

function readGroup(
  group: unknown,
  place: string,
  found: FoundDestination[],
  remarks: Remark[],
): void {
  if (!isMapping(group)) throw new SourceError(`${place}: expected a mapping, got ${show(group)}`);
  const report = reporter(remarks, place);
  const { targets, labels } = fieldsOf(group, report);
  if (!Array.isArray(targets)) {
    throw new SourceError(`${place}.targets: expected a list of strings, got ${show(targets)}`);
  }
  if (!isMapping(labels)) {
    throw new SourceError(`${place}.labels: expected a mapping, got ${show(labels)}`);
  }
  if (found.length + remarks.length + targets.length > MAX_ENTRIES) throw tooManyEntries(place);
  const skip = (reason: string) => report('skipped', `${reason} (${targets.length} targets)`);
  const problem = problemOf(labels);
  if (problem !== undefined) {
    skip(problem);
    return;
  }
  const { owner, settings, shown } = readLabels(labels);
  if (owner !== undefined && !isOwner(owner)) {
    skip(`labels.${OWNER}: expected ${OWNER_FORMAT}, got ${show(owner)}`);
    return;
  }
  // null is an empty string, as in Go.
  for (const [index, target] of targets.entries()) {
    const at = `${place}.targets[${index}]`;
    if (typeof target === 'object' && target !== null) {
      throw new SourceError(`${at}: expected a string, got ${show(target)}`);
    }
    found.push({
      place: at,
      owner,
      entry: { uri: String(target ?? ''), ...settings, labels: shown },
    });
  }
}

/** Why these cannot be labels of destinations. Nested values are not examined, because they may be deep. */
function problemOf(labels: Readonly<Record<string, unknown>>): string | undefined {
  const problem = labelsProblem(labels);
  if (problem !== undefined) return `labels: ${problem}`;
  const nested = Object.entries(labels).find(
    ([, value]) => isMapping(value) || Array.isArray(value),
  );
  return nested && `labels.${nested[0]}: expected a string, got ${show(nested[1])}`;
}

/** The fields of a group. As in Go's JSON, their names are case-insensitive. */
function fieldsOf(group: Readonly<Record<string, unknown>>, report: Report) {
  const fields: { targets: unknown; labels: unknown } = { targets: [], labels: {} };
  for (const [key, value] of Object.entries(group)) {
    const field = FIELDS.find((known) => known === key.toLowerCase());
    if (field !== undefined) fields[field] = value ?? fields[field];
    else {
      const known = `expected targets or labels, got ${show(key)}${nearestOf(key, FIELDS)}`;
      report('adjusted', `${known}: ignored here; Prometheus rejects the list`);
    }
  }
  return fields;
}

/** Separates owner, settings and labels. As in Prometheus, an empty label is the same as a missing one. */
function readLabels(labels: Readonly<Record<string, unknown>>) {
  const all = Object.entries(labels).filter(([, value]) => (value ?? '') !== '');
  const settings = all.flatMap(([label, value]) => {
    const key = SETTING_LABELS.get(label);
    return key === undefined ? [] : [[key, value] as const];
  });
  return {
    owner: all.find(([name]) => name === OWNER)?.[1],
    settings: Object.fromEntries(settings),
    shown: Object.fromEntries(all.filter(([name]) => !name.startsWith('__'))),
  };
}
