/** The columns of the list, and the values that they sort by. */

import { severity } from '../states.js';
import { currentRtt, labelText, outcome } from '../words.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {object} Column
 * @property {string} key also the class of its cells
 * @property {string} title
 * @property {(row: Row) => string | number | null} of null comes last in either direction
 */

/** @type {Column} */
const STATE = { key: 'state', title: 'State', of: severity };

/** @type {readonly Column[]} */
export const COLUMNS = [
  { key: 'destination', title: 'Destination', of: (row) => row.destination },
  STATE,
  {
    key: 'since',
    title: 'Since',
    of: (row) => (row.since === null ? null : -Date.parse(row.since)),
  },
  { key: 'outcome', title: 'Last outcome', of: outcome },
  { key: 'pings', title: 'Last 40 pings', of: severity },
  { key: 'rtt', title: 'RTT', of: currentRtt },
  { key: 'hour', title: 'Last hour', of: currentRtt },
  { key: 'targets', title: 'Up', of: (row) => row.targets_up - row.targets_total },
  { key: 'certificate', title: 'Cert.', of: (row) => row.certificate_not_after },
  { key: 'owners', title: 'Owner', of: (row) => row.owners.join(', ') },
  { key: 'labels', title: 'Labels', of: (row) => labelText(row.labels) },
];

/** @param {string} key of a column; for any other, the state */
export function columnOf(key) {
  return COLUMNS.find((column) => column.key === key) ?? STATE;
}
