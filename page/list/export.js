/** The list as a file. */

import { shownState } from '../states.js';
import { currentRtt, labelText, outcome } from '../words.js';

/** @typedef {import('../../src/status/views.js').DestinationBrief} Row */

/** @type {readonly (readonly [string, (row: Row) => string | number | null])[]} */
const FIELDS = [
  ['destination', (row) => row.destination],
  ['uri', (row) => row.uri],
  ['state', shownState],
  ['since', (row) => row.since],
  ['outcome', outcome],
  ['sip_code', (row) => row.sip_code],
  ['rtt_seconds', currentRtt],
  ['targets_up', (row) => row.targets_up],
  ['targets_total', (row) => row.targets_total],
  ['certificate_not_after', (row) => row.certificate_not_after],
  ['module', (row) => row.module],
  ['owners', (row) => row.owners.join(' ')],
  ['labels', (row) => labelText(row.labels)],
];

/**
 * As RFC 4180.
 *
 * @param {readonly Row[]} rows
 */
export function csv(rows) {
  const lines = [
    FIELDS.map(([name]) => name),
    ...rows.map((row) => FIELDS.map(([, of]) => field(of(row)))),
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

/** A spreadsheet takes a text that begins like this for a formula. */
const FORMULA = /^[=+\-@\t\r]/;

/** @param {string | number | null} value */
function field(value) {
  if (typeof value !== 'string') return value ?? '';
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Offers a text as a file.
 *
 * @param {string} text
 * @param {string} name
 * @param {string} type
 */
export function download(text, name, type) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
