/** The view of all destinations. */

import { el } from '../dom.js';
import { silencesOf } from '../silences/cover.js';
import { openSilenceForm } from '../silences/form.js';
import { COLUMNS } from './columns.js';
import { csv, download } from './export.js';
import { chosenStates, filterRows, sortRows } from './filter.js';
import { chosenGrouping, groupings, groupRows, listItems } from './group.js';
import { maximum, niceCeiling } from './sparkline.js';
import { Summary } from './summary.js';
import { Table } from './table.js';
import { Tools } from './tools.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../context.js').PageContext} PageContext
 * @typedef {import('./group.js').Group} Group
 */

/** How often the list is fetched; events come in between. */
const LIST_MS = 10_000;
/** For more destinations than LONG_LIST. */
const LONG_LIST_MS = 60_000;
const LONG_LIST = 2_000;
/** Changes within this time are shown together: an outage can bring thousands per second. */
const BATCH_MS = 200;
/** After this pause of scrolling, the histories of new rows are fetched. */
const HISTORY_PAUSE_MS = 250;

export class ListView {
  #context;
  #summary = new Summary(
    (state) => this.#toggle('state', state),
    (states) => this.#chooseStates(states),
  );
  #tools = new Tools({
    onChoice: (choice, value) => this.#choose(choice, value),
    onExport: (format) => this.#export(format),
  });
  #table = new Table({
    onSort: (column) => this.#sortBy(column),
    onFold: (key) => this.#toggle('fold', key),
    contextOf: (row) => this.#rowContext(row),
    groupContextOf: (group) => this.#groupContext(group),
  });
  element = el('div', {}, this.#summary.element, this.#tools.element, this.#table.element);
  #query = new URLSearchParams();
  /** What the shown rows are grouped by. */
  #by = 'none';
  /** Sorted and filtered. @type {readonly Row[]} */ #shown = [];
  /** Seconds; null for each its own. @type {number | null} */ #scale = null;
  /** @type {number | undefined} */ #batchTimer;
  /** @type {number | undefined} */ #historyTimer;
  #frame = 0;
  #onScroll = () => this.#renderSoon();

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
    addEventListener('scroll', this.#onScroll, { passive: true });
    addEventListener('resize', this.#onScroll);
  }

  get title() {
    return '';
  }

  close() {
    removeEventListener('scroll', this.#onScroll);
    removeEventListener('resize', this.#onScroll);
    clearTimeout(this.#batchTimer);
    clearTimeout(this.#historyTimer);
  }

  /** @param {import('../route.js').Route} route */
  show({ query }) {
    this.#query = query;
    this.render();
  }

  /** Returns the time until the next refresh, milliseconds. */
  async refresh() {
    const { store } = this.#context;
    await store.loadRows();
    store.keepHistories(new Set(this.#table.rendered));
    this.render();
    await store.loadHistories(this.#table.rendered, () => this.#renderHistories());
    return store.rows.length > LONG_LIST ? LONG_LIST_MS : LIST_MS;
  }

  /**
   * @param {import('../context.js').ChangeView} _change
   * @param {boolean} isKnown
   */
  changed(_change, isKnown) {
    this.#batchTimer ??= setTimeout(() => this.render(), BATCH_MS);
    return !isKnown;
  }

  tick() {
    this.#showSummary();
    this.#table.render();
  }

  #showSummary() {
    const { store } = this.#context;
    this.#summary.show(store.rows, {
      ...{ now: this.#context.now(), isLoaded: store.isLoaded, states: chosenStates(this.#query) },
      silencesOf: (row) => silencesOf(store.silences ?? [], row),
    });
  }

  render() {
    clearTimeout(this.#batchTimer);
    this.#batchTimer = undefined;
    const { store } = this.#context;
    const { rows } = store;
    const states = chosenStates(this.#query);
    const sort = this.#sort;
    const by = chosenGrouping(this.#query, rows);
    this.#by = by;
    const search = this.#query.get('q') ?? '';
    this.#shown = sortRows(filterRows(rows, { search, states }), sort);
    const groups = groupRows(this.#shown, by);
    this.#showSummary();
    this.#tools.setGroupings(groupings(rows));
    this.#tools.show({ q: search, group: by, sort, scale: this.#hasOwnScale ? 'own' : '' });
    this.#tools.count(this.#shown.length, rows.length);
    const items = listItems(this.#shown, groups, new Set(this.#query.getAll('fold')));
    this.#table.set(items, sort, this.#emptyText());
    this.#fetchHistoriesSoon();
  }

  #emptyText() {
    const { store } = this.#context;
    if (!store.isLoaded) return 'Loading…';
    return store.rows.length === 0
      ? 'No destinations. Start with --destination=192.0.2.1, or see --help.'
      : 'No matching destinations.';
  }

  /** @param {Row} row */
  #rowContext(row) {
    const { store } = this.#context;
    return {
      now: this.#context.now(),
      history: store.history(row.destination),
      scale: this.#scale,
      silences: silencesOf(store.silences ?? [], row),
    };
  }

  /** @param {Group} group */
  #groupContext(group) {
    const by = this.#by;
    const name = by.replace(/^label\./, '');
    const title = group.key === '' ? `no ${name}` : `${name}: ${group.key}`;
    const isFolded = this.#query.getAll('fold').includes(group.key);
    const { canSilence } = this.#context;
    const label =
      by.startsWith('label.') && group.key !== '' ? { name, value: group.key } : undefined;
    const onSilence = (/** @type {Group} */ { rows }) =>
      openSilenceForm(this.#context, {
        title,
        ...(label === undefined
          ? { destinations: rows.map(({ destination }) => destination) }
          : { label }),
      });
    return { title, isFolded, onSilence: canSilence() ? onSilence : undefined };
  }

  #renderHistories() {
    this.#setScale();
    this.#table.render();
  }

  #setScale() {
    this.#scale = this.#commonScale();
    this.#tools.showScale(this.#scale);
  }

  #commonScale() {
    if (this.#hasOwnScale) return null;
    const { store } = this.#context;
    const max = maximum(
      this.#table.rendered.map((name) => maximum(store.history(name)?.rtt ?? [])),
    );
    return max === null ? null : niceCeiling(max);
  }

  #renderSoon() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#table.render();
      this.#fetchHistoriesSoon();
    });
  }

  /** Fetches the histories of rows that have come into view. */
  #fetchHistoriesSoon() {
    clearTimeout(this.#historyTimer);
    const { store } = this.#context;
    this.#setScale();
    this.#historyTimer = setTimeout(() => {
      const missing = this.#table.rendered.filter((name) => store.history(name) === undefined);
      store.loadHistories(missing, () => this.#renderHistories()).catch(() => {});
    }, HISTORY_PAUSE_MS);
  }

  /**
   * @param {string} parameter of the URL
   * @param {string} value empty for none
   */
  #choose(parameter, value) {
    if (value === '' || (parameter === 'group' && value === 'none')) this.#query.delete(parameter);
    else this.#query.set(parameter, value);
    if (parameter === 'group') this.#query.delete('fold');
    this.#context.choose(this.#query);
    this.render();
  }

  /**
   * @param {string} parameter of the URL, which may occur several times
   * @param {string} value
   */
  #toggle(parameter, value) {
    if (this.#query.has(parameter, value)) this.#query.delete(parameter, value);
    else this.#query.append(parameter, value);
    this.#context.choose(this.#query);
    this.render();
  }

  /** @param {readonly string[]} states */
  #chooseStates(states) {
    this.#query.delete('state');
    for (const state of states) this.#query.append('state', state);
    this.#context.choose(this.#query);
    this.render();
  }

  /** The column that the URL chooses, with `-` before it for descending; `state` for none that there is. */
  get #sort() {
    const sort = this.#query.get('sort') ?? 'state';
    return COLUMNS.some(({ key }) => key === sort.replace(/^-/, '')) ? sort : 'state';
  }

  get #hasOwnScale() {
    return this.#query.get('scale') === 'own';
  }

  /** @param {string} column */
  #sortBy(column) {
    this.#choose('sort', this.#sort === column ? `-${column}` : column);
  }

  /** @param {'csv' | 'json'} format */
  #export(format) {
    if (format === 'csv') download(csv(this.#shown), 'destinations.csv', 'text/csv');
    else {
      const text = `${JSON.stringify({ destinations: this.#shown }, null, 2)}\n`;
      download(text, 'destinations.json', 'application/json');
    }
  }
}
