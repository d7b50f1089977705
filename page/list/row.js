/** One destination in the list. Its elements are kept, and only what has changed is replaced. */

import { el, linkTo } from '../dom.js';
import { silenceMark } from '../silences/mark.js';
import { shownState } from '../states.js';
import { currentRtt, daysLeft, duration, labelText, lasting, outcome } from '../words.js';
import { COLUMNS } from './columns.js';
import { PingsCell } from './pings-cell.js';
import { sparkline } from './sparkline.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../../src/status/views.js').HistoryView} History
 * @typedef {import('../../src/status/page-views.js').SilenceView} Silence
 * @typedef {object} RowContext
 * @property {number} now milliseconds
 * @property {History | undefined} history
 * @property {number | null} scale seconds; null for each its own
 * @property {readonly Silence[]} silences that cover the destination
 */

export class RowView {
  element = el('tr');
  #pings = new PingsCell();
  /** @type {Map<string, HTMLElement>} */ #cells = new Map();
  /** What each cell shows. @type {Map<string, string>} */ #shown = new Map();
  /** @type {History | undefined} */ #history;

  constructor() {
    for (const { key } of COLUMNS) {
      const inner = el('div');
      this.#cells.set(key, inner);
      this.element.append(el('td', { class: key }, inner));
    }
    this.#cells.get('pings')?.append(this.#pings.element);
  }

  /**
   * @param {Row} row
   * @param {RowContext} context
   */
  show(row, { now, history, scale, silences }) {
    const state = shownState(row);
    const expiry = daysLeft(row.certificate_not_after, now);
    const silenced = silences.map(({ id, ends_at }) => `${id} ${ends_at}`).join();
    this.#set('destination', `${row.destination} ${silenced}`, () => [
      linkTo(row.destination),
      silenceMark(silences),
    ]);
    this.#set('state', state, () => [el('span', { class: `badge ${state}` }, state)]);
    this.#setText('since', lasting(row, now));
    this.#setText('outcome', outcome(row));
    this.#setText('rtt', duration(currentRtt(row)));
    this.#setText('targets', `${row.targets_up}/${row.targets_total}`);
    this.#set('certificate', expiry, () => [
      expiry === 'expired' ? el('span', { class: 'badge down' }, expiry) : expiry,
    ]);
    this.#setText('owners', row.owners.join(', '));
    this.#setText('labels', labelText(row.labels));
    this.#showHistory(row, history, scale);
  }

  /**
   * @param {Row} row
   * @param {History | undefined} history
   * @param {number | null} scale
   */
  #showHistory(row, history, scale) {
    if (history === undefined) return;
    this.#pings.show(history.pings, row.destination);
    if (history !== this.#history) this.#shown.delete('hour');
    this.#history = history;
    this.#set('hour', String(scale), () => [sparkline(history, row.destination, scale)]);
  }

  /**
   * @param {string} column
   * @param {string} text
   */
  #setText(column, text) {
    this.#set(column, text, (cell) => {
      cell.title = text;
      return [text];
    });
  }

  /**
   * @param {string} column
   * @param {string} shown stands for the content
   * @param {(cell: HTMLElement) => readonly (Node | string | null)[]} content
   */
  #set(column, shown, content) {
    const cell = this.#cells.get(column);
    if (cell === undefined || this.#shown.get(column) === shown) return;
    this.#shown.set(column, shown);
    cell.replaceChildren(...content(cell).filter((child) => child !== null));
  }
}
