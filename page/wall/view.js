/** The wall mode, `?wall`: large type, no controls; the groups take turns. `?wall=15` gives each 15 seconds. */

import { el, reconcile } from '../dom.js';
import { barsPicture } from '../list/bars.js';
import { chosenStates, filterRows, sortRows } from '../list/filter.js';
import { chosenGrouping, groupRows, groupVerdict } from '../list/group.js';
import { countStates, SHOWN_STATES, shownState } from '../states.js';
import { lasting, outcome } from '../words.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 10_000;
const DEFAULT_SECONDS = 10;
/** Limits of the number of destinations at a time; between them, as many as fit. */
const MIN_ROWS = 4;
const MAX_ROWS = 20;

export class WallView {
  #context;
  #query = new URLSearchParams();
  #startedMs = Date.now();
  #counts = el('p', { class: 'wall-counts' });
  #title = el('h2');
  #list = el('ul', { class: 'wall-list' });
  #empty = el('p', { class: 'faint' });
  element = el('div', { class: 'wall' }, this.#counts, this.#title, this.#list, this.#empty);
  /** Number of destinations that fit. */
  #rows = MAX_ROWS;
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
    // Those of the next turn too: it may begin before the next refresh.
    const shown = [this.#page(0), this.#page(1)].flatMap(({ rows }) => rows);
    const names = [...new Set(shown.map(({ destination }) => destination))];
    await store.loadHistories(names, () => this.tick());
    this.tick();
    return REFRESH_MS;
  }

  tick() {
    const { rows, isLoaded } = this.#context.store;
    const counts = countStates(rows);
    const badges = SHOWN_STATES.filter((state) => counts[state] > 0).map((state) =>
      el('span', { class: `badge ${state}` }, `${counts[state]} ${state}`),
    );
    this.#counts.replaceChildren(...badges);
    const { title, rows: shown } = this.#page(0);
    this.#title.textContent = title;
    this.#title.hidden = title === '';
    reconcile(
      this.#list,
      shown.map((row) => this.#item(row)),
    );
    const none = rows.length === 0 ? 'No destinations.' : 'No matching destinations.';
    this.#empty.textContent = shown.length > 0 ? '' : isLoaded ? none : 'Loading…';
    this.#rows = this.#fitting();
  }

  /** Number of rows that fit between the title and the foot of the page. */
  #fitting() {
    const height = this.#list.firstElementChild?.getBoundingClientRect().height ?? 0;
    const foot = document.querySelector('footer')?.offsetHeight ?? 0;
    const room = innerHeight - (this.#list.getBoundingClientRect().top + scrollY) - 2 * foot;
    if (height === 0) return MAX_ROWS;
    return Math.max(MIN_ROWS, Math.min(Math.floor(room / height), MAX_ROWS));
  }

  /** The part of the list whose turn it is, or will be. @param {number} turnsLater */
  #page(turnsLater) {
    const search = this.#query.get('q') ?? '';
    const { rows: all } = this.#context.store;
    const states = chosenStates(this.#query);
    const sorted = sortRows(filterRows(all, { search, states }), 'state');
    const groups = groupRows(sorted, chosenGrouping(this.#query, all));
    const parts =
      groups.length === 0
        ? [{ title: '', rows: sorted }]
        : groups.map((group) => ({
            title: `${group.key || 'others'}: ${groupVerdict(group)}`,
            rows: group.rows,
          }));
    const pages = parts.flatMap((part) => pagesOf(part, this.#rows));
    const turn = Math.floor((Date.now() - this.#startedMs) / (1000 * this.#seconds));
    return pages[(turn + turnsLater) % pages.length] ?? { title: '', rows: [] };
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
      el('span', { class: 'long' }, lasting(row, this.#context.now())),
      history === undefined ? null : barsPicture(history.pings),
    );
  }
}

/**
 * A part with more rows than fit takes several turns, and says which one it is.
 *
 * @param {{ readonly title: string, readonly rows: readonly Row[] }} part
 * @param {number} max rows at a time
 */
function pagesOf({ title, rows }, max) {
  const count = Math.ceil(rows.length / max) || 1;
  return Array.from({ length: count }, (_, i) => {
    const number = count === 1 ? '' : `${i + 1} of ${count}`;
    return {
      title: [title, number].filter(Boolean).join(', '),
      rows: rows.slice(i * max, (i + 1) * max),
    };
  });
}
