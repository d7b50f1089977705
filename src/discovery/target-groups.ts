/** Prometheus's target groups, as its `file_sd` and `http_sd` have them. */

import { isMapping, isOwner, OWNER_WANTED, show } from '../platform/values.js';
import { labelsFault } from '../shared/labels.js';
import { nearestOf } from '../shared/nearest.js';
import type { Findings, FoundDestination, Skipped } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { SourceError } from './source-error.js';

/** Labels that are no labels but say how a destination is watched. */
const STEERING: ReadonlyMap<string, string> = new Map([
  ['__name', 'name'],
  ['__module', 'module'],
  ['__ping_interval', 'ping_interval'],
]);
const OWNER = '__owner';
const FIELDS = ['targets', 'labels'] as const;

/**
 * Every target of a list of `{"targets": ["192.0.2.1:5060"], "labels": {...}}`. What Prometheus
 * takes is taken: nothing (`null`) in the place of the list, of `targets`, of `labels` or of a
 * label is as good as leaving it out. Labels that begin with `__` are dropped when they do not
 * steer, as Prometheus drops them.
 *
 * @param place of the list, for people.
 * @throws SourceError when Prometheus would refuse the whole list, or when it is too long.
 */
export function readTargetGroups(given: unknown, place: string): Findings {
  const groups = given ?? [];
  if (!Array.isArray(groups))
    throw new SourceError(`${place}: expected a list, got ${show(given)}`);
  const found: FoundDestination[] = [];
  const skipped: Skipped[] = [];
  for (const [index, group] of groups.entries()) {
    readGroup(group, `${place}: [${index}]`, found, skipped);
  }
  return { found, skipped };
}

function readGroup(
  group: unknown,
  place: string,
  found: FoundDestination[],
  skipped: Skipped[],
): void {
  if (!isMapping(group)) throw new SourceError(`${place}: expected a mapping, got ${show(group)}`);
  const { targets, labels } = fieldsOf(group, place, skipped);
  if (!Array.isArray(targets)) {
    throw new SourceError(`${place}.targets: expected a list of texts, got ${show(targets)}`);
  }
  if (!isMapping(labels)) {
    throw new SourceError(`${place}.labels: expected a mapping, got ${show(labels)}`);
  }
  if (found.length + skipped.length + targets.length > MAX_ENTRIES) throw tooManyEntries(place);
  const fault = faultOf(labels);
  if (fault !== undefined) {
    skipped.push({ place, reason: `${fault}: its ${targets.length} targets are not watched` });
    return;
  }
  const { owner, steering, shown } = readLabels(labels);
  if (owner !== undefined && !isOwner(owner)) {
    const reason = `labels.${OWNER}: expected ${OWNER_WANTED}, got ${show(owner)}`;
    skipped.push({ place, reason: `${reason}: its ${targets.length} targets are not watched` });
    return;
  }
  // Nothing in the place of a text is an empty one, as in Go.
  for (const [index, target] of targets.entries()) {
    const at = `${place}.targets[${index}]`;
    if (typeof target === 'object' && target !== null) {
      throw new SourceError(`${at}: expected a text, got ${show(target)}`);
    }
    found.push({
      place: at,
      owner,
      entry: { uri: String(target ?? ''), ...steering, labels: shown },
    });
  }
}

/** Why its labels cannot be those of destinations. What is nested in them goes no further: it may be deep. */
function faultOf(labels: Readonly<Record<string, unknown>>): string | undefined {
  const fault = labelsFault(labels);
  if (fault !== undefined) return `labels: ${fault}`;
  const nested = Object.entries(labels).find(
    ([, value]) => isMapping(value) || Array.isArray(value),
  );
  return nested && `labels.${nested[0]}: expected a text, got ${show(nested[1])}`;
}

/** The fields of a group; their names are those of Go's JSON, for which case does not matter. */
function fieldsOf(group: Readonly<Record<string, unknown>>, place: string, skipped: Skipped[]) {
  const fields: { targets: unknown; labels: unknown } = { targets: [], labels: {} };
  for (const [key, value] of Object.entries(group)) {
    const field = FIELDS.find((known) => known === key.toLowerCase());
    if (field !== undefined) fields[field] = value ?? fields[field];
    else {
      const wanted = `expected targets and labels${nearestOf(key, FIELDS)}, got ${show(key)}`;
      skipped.push({ place, reason: `${wanted}: not used, and Prometheus refuses such a list` });
    }
  }
  return fields;
}

/** In Prometheus an empty label is one that is not there. */
function readLabels(labels: Readonly<Record<string, unknown>>) {
  const all = Object.entries(labels).filter(([, value]) => (value ?? '') !== '');
  const steering = all.flatMap(([label, value]) => {
    const key = STEERING.get(label);
    return key === undefined ? [] : [[key, value] as const];
  });
  return {
    owner: all.find(([name]) => name === OWNER)?.[1],
    steering: Object.fromEntries(steering),
    shown: Object.fromEntries(all.filter(([name]) => !name.startsWith('__'))),
  };
}
