/** The states as they are shown: those of a verdict, and `degraded` and `draining` beside them. */

/**
 * @typedef {import('../src/status/views.js').DestinationBrief} Row
 * @typedef {'down' | 'draining' | 'degraded' | 'unknown' | 'up'} ShownState
 * @typedef {{ readonly state: string, readonly reason: string | null, readonly degraded?: string | null }} StateView
 */

/** The worst first. @type {readonly ShownState[]} */
export const SHOWN_STATES = ['down', 'degraded', 'unknown', 'draining', 'up'];

/**
 * A destination is draining if it is down only because it asks not to be used for now, and degraded if it is
 * up but loses pings or addresses.
 *
 * @param {StateView} view
 * @returns {ShownState}
 */
export function shownState({ state, reason, degraded = null }) {
  if (state === 'down') return reason === 'draining' ? 'draining' : 'down';
  if (state === 'up') return degraded === null ? 'up' : 'degraded';
  return 'unknown';
}

/** @param {StateView} view */
export function severity(view) {
  return SHOWN_STATES.indexOf(shownState(view));
}

/**
 * The number of rows in each state.
 *
 * @param {Iterable<StateView>} rows
 * @returns {Record<ShownState, number>}
 */
export function countStates(rows) {
  const counts = { down: 0, degraded: 0, unknown: 0, draining: 0, up: 0 };
  for (const row of rows) counts[shownState(row)]++;
  return counts;
}
