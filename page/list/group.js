/** Groups of destinations: by a label, owner, dispatcher set or module. */

import { countStates, severity } from '../states.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../states.js').ShownState} ShownState
 * @typedef {object} Group
 * @property {string} key the common value; empty for those without one
 * @property {readonly Row[]} rows
 * @property {Record<ShownState, number>} counts
 * @property {number} severity of its worst destination
 */

/** Number of label names to choose from. */
const MAX_LABELS = 50;
/** How `by` is written for any label. */
const LABEL = 'label.';
/** The label with the sets of a destination of Kamailio's dispatcher, separated by commas. */
const SETID = 'setid';

/**
 * What the rows can be grouped by, as `[value of the URL's parameter, title]`.
 *
 * @param {readonly Row[]} rows
 * @returns {readonly (readonly [string, string])[]}
 */
export function groupings(rows) {
  const names = new Set();
  for (const { labels } of rows) {
    for (const name of Object.keys(labels)) names.add(name);
    if (names.size >= MAX_LABELS) break;
  }
  const labels = [...names].sort().map((name) => /** @type {const} */ ([LABEL + name, name]));
  return [['none', 'nothing'], ...labels, ['owner', 'owner'], ['module', 'module']];
}

/**
 * The grouping that a URL chooses: one of {@link groupings}, or `none`.
 *
 * @param {URLSearchParams} query
 * @param {readonly Row[]} rows
 */
export function chosenGrouping(query, rows) {
  const given = query.get('group') ?? 'none';
  const by = given === SETID ? LABEL + SETID : given;
  const isKnown = groupings(rows).some(([key]) => key === by);
  // Before the rows are known, their labels are not.
  return isKnown || (rows.length === 0 && by.startsWith(LABEL)) ? by : 'none';
}

/**
 * A destination with several owners or sets is in each of their groups. The worst group comes first.
 *
 * @param {readonly Row[]} rows in the order that they keep within their groups
 * @param {string} by one of {@link groupings}
 * @returns {readonly Group[]} none if the rows are not grouped
 */
export function groupRows(rows, by) {
  const keysOf = keyReader(by);
  if (keysOf === undefined) return [];
  /** @type {Map<string, Row[]>} */ const byKey = new Map();
  for (const row of rows) {
    for (const key of keysOf(row)) {
      const members = byKey.get(key);
      if (members === undefined) byKey.set(key, [row]);
      else members.push(row);
    }
  }
  return [...byKey]
    .map(([key, members]) => ({
      ...{ key, rows: members, counts: countStates(members) },
      severity: Math.min(...worst(members)),
    }))
    .sort((a, b) => a.severity - b.severity || (a.key < b.key ? -1 : 1));
}

/** @param {readonly Row[]} rows @returns {Iterable<number>} */
function worst(rows) {
  return new Set(rows.map(severity));
}

/**
 * @param {string} by
 * @returns {((row: Row) => readonly string[]) | undefined}
 */
function keyReader(by) {
  if (by === 'owner') return ({ owners }) => (owners.length === 0 ? [''] : owners);
  if (by === 'module') return ({ module }) => [module];
  if (!by.startsWith(LABEL)) return undefined;
  const label = by.slice(LABEL.length);
  if (label === SETID) return ({ labels }) => (labels[SETID] ?? '').split(',');
  return ({ labels }) => [labels[label] ?? ''];
}

/**
 * The verdict on a group: `3 of 4 up`.
 *
 * @param {Group} group
 */
export function groupVerdict({ rows, counts }) {
  return `${counts.up + counts.degraded} of ${rows.length} up`;
}

/**
 * The items of the list: the rows, or the groups with the rows of those that are not folded.
 *
 * @param {readonly Row[]} rows
 * @param {readonly Group[]} groups
 * @param {ReadonlySet<string>} folded
 * @returns {readonly ({ readonly group: Group } | { readonly row: Row })[]}
 */
export function listItems(rows, groups, folded) {
  if (groups.length === 0) return rows.map((row) => ({ row }));
  return groups.flatMap((group) => [
    { group },
    ...(folded.has(group.key) ? [] : group.rows.map((row) => ({ row }))),
  ]);
}
