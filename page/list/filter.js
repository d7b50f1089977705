/** Which destinations are listed, and in which order. */

import { SHOWN_STATES, shownState } from '../states.js';
import { labelText, outcome } from '../words.js';
import { columnOf } from './columns.js';

/**
 * @typedef {import('../states.js').ShownState} ShownState
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 */

/** The text of a row that a search looks at. @type {WeakMap<Row, { readonly key: string, readonly text: string }>} */
const texts = new WeakMap();

/** @param {Row} row */
function searchText(row) {
  const key = `${row.since} ${row.sip_code} ${row.degraded}`;
  const known = texts.get(row);
  if (known?.key === key) return known.text;
  const parts = [row.destination, row.uri, shownState(row), outcome(row), row.module];
  const text = [...parts, ...row.owners, labelText(row.labels)].join('\n').toLowerCase();
  texts.set(row, { key, text });
  return text;
}

/**
 * The rows with all words of the search and one of the states.
 *
 * @param {readonly Row[]} rows
 * @param {{ readonly search: string, readonly states: ReadonlySet<string> }} filter no states stand for all
 */
export function filterRows(rows, { search, states }) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0 && states.size === 0) return [...rows];
  return rows.filter((row) => {
    if (states.size > 0 && !states.has(shownState(row))) return false;
    if (words.length === 0) return true;
    const text = searchText(row);
    return words.every((word) => text.includes(word));
  });
}

/**
 * @param {readonly Row[]} rows
 * @param {string} sort the key of a column; descending with a `-` before it
 */
export function sortRows(rows, sort) {
  const sign = sort.startsWith('-') ? -1 : 1;
  const { of } = columnOf(sort.replace(/^-/, ''));
  const keyed = rows.map((row) => /** @type {const} */ ([of(row), row]));
  keyed.sort(([a, first], [b, second]) => {
    if (a === b) return first.destination < second.destination ? -1 : 1;
    if (a === null || b === null) return a === null ? 1 : -1;
    return a < b ? -sign : sign;
  });
  return keyed.map(([, row]) => row);
}

/** The states that a URL chooses; others than those that are shown are ignored. @param {URLSearchParams} query */
export function chosenStates(query) {
  const chosen = new Set(query.getAll('state'));
  return new Set(SHOWN_STATES.filter((state) => chosen.has(state)));
}
