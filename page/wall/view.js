/** The wall mode, `?wall`: large type, no controls; the groups take turns. `?wall=15` gives each 15 seconds. */

import { el, reconcile } from '../dom.js';
import { barsPicture } from '../list/bars.js';
import { filterRows, sortRows } from '../list/filter.js';
import { groupRows, groupVerdict } from '../list/group.js';
import { countStates, SHOWN_STATES, shownState } from '../states.js';
import { ago, outcome } from '../words.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 10_000;
const DEFAULT_SECONDS = 10;
/** Number of destinations that fit on a wall. */
const MAX_ROWS = 12;

export class WallView {
  #context;
  #query = new URLSearchParams();
  #startedMs = Date.now();
  #counts = el('p', { class: 'wall-counts' });
  #title = el('h2');
  #list = el('ul', { class: 'wall-list' });
  element = el('div', { class: 'wall' }, this.#counts, this.#title, this.#list);
  title = '';
  #seconds;

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
    const given = Number(new URLSearchParams(location.search).get('wall'));
    this.#seconds = given > 0 ? given : DEFAULT_SECONDS;
    document.body.classList.add('on-wall');
  }

  /** @param {import('../route.js').Route} route */
  show({ query }) {
    this.#query = query;
    this.tick();
  }

  close() {
    document.body.classList.remove('on-wall');
  }

  changed() {}

  async refresh() {
    const { store } = this.#context;
    await store.loadRows();
    const names = this.#page().rows.map(({ destination }) => destination);
    await store.loadHistories(names, () => this.tick());
    this.tick();
    return REFRESH_MS;
  }

  tick() {
    const { rows } = this.#context.store;
    const counts = countStates(rows);
    const badges = SHOWN_STATES.filter((state) => counts[state] > 0).map((state) =>
      el('span', { class: `badge ${state}` }, `${counts[state]} ${state}`),
    );
    this.#counts.replaceChildren(...badges);
    const { title, rows: shown } = this.#page();
    this.#title.textContent = title;
    this.#title.hidden = title === '';
    reconcile(
      this.#list,
      shown.map((row) => this.#item(row)),
    );
  }

  /** The part of the list whose turn it is. */
  #page() {
    const search = this.#query.get('q') ?? '';
    const states = new Set(this.#query.getAll('state'));
    const sorted = sortRows(filterRows(this.#context.store.rows, { search, states }), 'state');
    const groups = groupRows(sorted, this.#query.get('group') ?? 'none');
    const parts =
      groups.length === 0
        ? [{ title: '', rows: sorted }]
        : groups.map((group) => ({
            title: `${group.key || 'others'}: ${groupVerdict(group)}`,
            rows: group.rows,
          }));
    const pages = parts.flatMap(({ title, rows }) =>
      Array.from({ length: Math.ceil(rows.length / MAX_ROWS) || 1 }, (_, i) => ({
        title,
        rows: rows.slice(i * MAX_ROWS, (i + 1) * MAX_ROWS),
      })),
    );
    const turn = Math.floor((Date.now() - this.#startedMs) / (1000 * this.#seconds));
    return pages[turn % pages.length] ?? { title: '', rows: [] };
  }

  /** @param {Row} row */
  #item(row) {
    const state = shownState(row);
    const history = this.#context.store.history(row.destination);
    return el(
      'li',
      { class: `wall-row ${state}` },
      el('span', { class: `badge ${state}` }, row.destination),
      el('span', { class: 'why' }, state === 'up' ? '' : outcome(row)),
      el('span', { class: 'long' }, ago(row.since, Date.now())),
      history === undefined ? null : barsPicture(history.pings),
    );
  }
}
