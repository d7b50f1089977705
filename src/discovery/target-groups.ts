/** Prometheus's target groups, as its `file_sd` and `http_sd` have them. */

import type { Findings, Found } from '../shared/found.js';
import { isMapping, isOwner, OWNER_WANTED, show } from '../shared/values.js';
import { SourceError } from './source-error.js';

/** Labels that are no labels but say how a destination is watched. */
const STEERING: ReadonlyMap<string, string> = new Map([
  ['__name', 'name'],
  ['__module', 'module'],
  ['__ping_interval', 'ping_interval'],
]);
const OWNER = '__owner';

/**
 * Every target of a list of `{"targets": ["192.0.2.1:5060"], "labels": {...}}`. Labels that begin
 * with `__` are dropped when they do not steer, as Prometheus drops them.
 *
 * @param place of the list, for people.
 * @throws SourceError when it is none.
 */
export function readTargetGroups(given: unknown, place: string): Findings {
  if (!Array.isArray(given)) throw new SourceError(`${place}: expected a list, got ${show(given)}`);
  const found = given.flatMap((group: unknown, index) => readGroup(group, `${place}: [${index}]`));
  return { found, skipped: [] };
}

function readGroup(group: unknown, place: string): readonly Found[] {
  if (!isMapping(group)) throw new SourceError(`${place}: expected a mapping, got ${show(group)}`);
  const { targets, labels = {} } = group;
  if (!Array.isArray(targets)) {
    throw new SourceError(`${place}.targets: expected a list of texts, got ${show(targets)}`);
  }
  if (!isMapping(labels)) {
    throw new SourceError(`${place}.labels: expected a mapping, got ${show(labels)}`);
  }
  // In Prometheus an empty label is one that is not there.
  const all = Object.entries(labels).filter(([, value]) => value !== '');
  const shown = Object.fromEntries(all.filter(([name]) => !name.startsWith('__')));
  const steering = all.flatMap(([label, value]) => {
    const key = STEERING.get(label);
    return key === undefined ? [] : [[key, value] as const];
  });
  const owner = new Map(all).get(OWNER);
  if (owner !== undefined && !isOwner(owner)) {
    throw new SourceError(`${place}.labels.${OWNER}: expected ${OWNER_WANTED}, got ${show(owner)}`);
  }
  return targets.map((target: unknown, index) => {
    const at = `${place}.targets[${index}]`;
    if (typeof target !== 'string') {
      throw new SourceError(`${at}: expected a text, got ${show(target)}`);
    }
    return {
      place: at,
      owner,
      entry: { uri: target, ...Object.fromEntries(steering), labels: shown },
    };
  });
}
