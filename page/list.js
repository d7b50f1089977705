/** The list of destinations: sorted and filtered, with only the visible rows in the document. */

import { sparkline } from './chart.js';
import { el, isDraining, linkTo, stateBadge } from './dom.js';
import { ago, daysLeft, duration, labelText, outcome } from './words.js';

/**
 * @typedef {import('../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../src/status/views.js').ChangeView} Change
 * @typedef {import('../src/status/views.js').HistoryView} History
 * @typedef {{ key: string, title: string, of: (row: Row) => string | number }} Column
 */

/** @type {readonly Row['state'][]} */
const ORDER = ['down', 'unknown', 'up'];
/** Changes within this time are shown together: an outage can bring thousands per second. */
const BATCH_MS = 200;
/** Rows above and below the visible ones, so that scrolling shows no gap. */
const MARGIN = 10;

/** @type {History} */
const NO_HISTORY = { rtt: [], failed: [], pings: [], step: 60 };

/** @type {readonly Column[]} */
const COLUMNS = [
  { key: 'destination', title: 'Destination', of: (row) => row.destination },
  {
    key: 'state',
    title: 'State',
    of: (row) => ORDER.indexOf(row.state) + (isDraining(row) ? 0.5 : 0),
  },
  { key: 'since', title: 'Since', of: (row) => -Date.parse(row.since ?? '1970') },
  { key: 'outcome', title: 'Last outcome', of: outcome },
  { key: 'rtt', title: 'RTT', of: (row) => row.rtt ?? Number.POSITIVE_INFINITY },
  { key: 'hour', title: 'Last hour', of: (row) => row.rtt ?? 0 },
  { key: 'targets', title: 'Up', of: (row) => row.targets_up - row.targets_total },
  {
    ...{ key: 'certificate', title: 'Cert.' },
    of: (row) => row.certificate_not_after ?? '9999',
  },
  { key: 'owners', title: 'Owner', of: (row) => row.owners.join(', ') },
  { key: 'labels', title: 'Labels', of: (row) => labelText(row.labels) },
];

export class List {
  /** @type {Row[]} */ #rows = [];
  /** @type {Map<string, Row>} */ #byName = new Map();
  /** Sorted and filtered. @type {Row[]} */ #shown = [];
  /** By name, of the visible rows. @type {Map<string, History>} */
  #histories = new Map();
  #sort = { key: 'state', isDescending: false };
  #search = /** @type {HTMLInputElement} */ (
    el('input', { type: 'search', id: 'search', placeholder: 'name, URI, owner, label, outcome' })
  );
  #state = /** @type {HTMLSelectElement} */ (el('select', { id: 'state' }));
  #counts = el('p', { class: 'counts', role: 'status' });
  #body = el('tbody');
  #head = el('tr');
  #table = el('table', { class: 'list' }, el('thead', {}, this.#head), this.#body);
  #scroll = el(
    'div',
    { class: 'scroll tall', tabindex: '0', role: 'region', 'aria-label': 'Destinations' },
    this.#table,
  );
  #sorter = /** @type {HTMLSelectElement} */ (el('select', { id: 'sorter' }));
  #first = -1;
  #onRender;
  #frame = 0;
  /** @type {number | undefined} */ #timer;
  /** For each list that is being fetched: the changes since the request. @type {Set<Change[]>} */
  #pending = new Set();

  /** @param {() => void} onRender called when other rows may be visible */
  constructor(onRender) {
    this.#onRender = onRender;
    for (const state of ['all', ...ORDER])
      this.#state.append(el('option', { value: state }, state));
    this.#search.addEventListener('input', () => this.#filter());
    this.#state.addEventListener('change', () => this.#filter());
    this.#scroll.addEventListener('scroll', () => this.#onScroll(), { passive: true });
    this.#sorter.addEventListener('change', () => this.#sortBy(this.#sorter.value));
    for (const column of COLUMNS) {
      this.#sorter.append(el('option', { value: column.key }, column.title));
      const button = el('button', { type: 'button' }, column.title);
      button.addEventListener('click', () => this.#sortBy(column.key));
      this.#head.append(el('th', { scope: 'col', class: column.key }, button));
    }
  }

  /** The elements of the list. */
  get parts() {
    return [
      this.#counts,
      el(
        'div',
        { class: 'tools' },
        el('label', { for: 'search' }, 'Find', this.#search),
        el('label', { for: 'state' }, 'State', this.#state),
        el('label', { for: 'sorter', class: 'sorter' }, 'Sort by', this.#sorter),
      ),
      this.#scroll,
    ];
  }

  /** The names of the rows in the document. */
  get rendered() {
    return [...this.#body.querySelectorAll('a')].map((link) => link.textContent ?? '');
  }

  /**
   * Shows new rows. Changes that arrive while they are fetched are applied to them.
   *
   * @param {Promise<Row[]>} fetching
   */
  async load(fetching) {
    /** @type {Change[]} */ const changes = [];
    this.#pending.add(changes);
    try {
      const rows = await fetching;
      this.#rows = rows;
      this.#byName = new Map(rows.map((row) => [row.destination, row]));
      for (const change of changes) this.#apply(change);
      // The histories of rows out of view are not refreshed.
      const rendered = new Set(this.rendered);
      for (const name of this.#histories.keys())
        if (!rendered.has(name)) this.#histories.delete(name);
      this.#filter();
      return rows.length;
    } finally {
      this.#pending.delete(changes);
    }
  }

  /** The names of the rows in the document without a history. */
  get withoutHistory() {
    return this.rendered.filter((name) => !this.#histories.has(name));
  }

  /**
   * @param {readonly string[]} names for which histories were requested
   * @param {Readonly<Record<string, History>>} histories of those that have one
   */
  showHistories(names, histories) {
    const known = new Map(Object.entries(histories));
    for (const name of names) this.#histories.set(name, known.get(name) ?? NO_HISTORY);
    this.render();
  }

  /**
   * Applies a change of state. Returns false for an unknown destination.
   *
   * @param {Change} change
   */
  change(change) {
    for (const changes of this.#pending) changes.push(change);
    const isKnown = this.#apply(change);
    if (isKnown) this.#timer ??= setTimeout(() => this.#filter(), BATCH_MS);
    return isKnown;
  }

  /** @param {Change} change */
  #apply(change) {
    const row = this.#byName.get(change.destination);
    if (row === undefined) return false;
    const { code, state, reason, reason_text, detail, at } = change;
    Object.assign(row, { code, state, reason, reason_text, detail, since: at, sip_code: null });
    // With several targets the event does not say which of them changed.
    if (row.targets_total === 1) Object.assign(row, { targets_up: state === 'up' ? 1 : 0 });
    return true;
  }

  #filter() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const words = this.#search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const state = this.#state.value;
    this.#shown = this.#rows.filter((row) => {
      if (state !== 'all' && row.state !== state) return false;
      if (words.length === 0) return true;
      const text = [row.destination, row.uri, outcome(row), ...row.owners, labelText(row.labels)]
        .join('\n')
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
    const { key, isDescending } = this.#sort;
    this.#sorter.value = key;
    const of = COLUMNS.find((column) => column.key === key)?.of ?? (() => 0);
    const sign = isDescending ? -1 : 1;
    const keyed = this.#shown.map((row) => /** @type {const} */ ([of(row), row]));
    keyed.sort(([a, first], [b, second]) =>
      a === b ? (first.destination < second.destination ? -1 : 1) : a < b ? -sign : sign,
    );
    this.#shown = keyed.map(([, row]) => row);
    this.#count();
    this.render();
  }

  /** @param {string} key */
  #sortBy(key) {
    this.#sort = { key, isDescending: this.#sort.key === key && !this.#sort.isDescending };
    this.#filter();
  }

  #count() {
    const count = (/** @type {string} */ state) =>
      this.#rows.filter((row) => row.state === state).length;
    const texts = ORDER.map((state) =>
      el('span', { class: `badge ${state}` }, `${count(state)} ${state}`),
    );
    const isAll = this.#shown.length === this.#rows.length;
    const shown = isAll ? '' : `${this.#shown.length} of ${this.#rows.length} shown`;
    this.#counts.replaceChildren(...texts, shown);
  }

  #onScroll() {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (Math.abs(this.#firstRow() - this.#first) > MARGIN / 2) this.render();
    });
  }

  /** Pixels. */
  #rowHeight() {
    return (
      parseFloat(getComputedStyle(this.#table).getPropertyValue('--row')) *
      parseFloat(getComputedStyle(document.documentElement).fontSize)
    );
  }

  /** The first row to render. */
  #firstRow() {
    return Math.max(0, Math.floor(this.#scroll.scrollTop / this.#rowHeight()) - MARGIN);
  }

  /** Renders the visible rows, between two spacers with the height of the others. */
  render() {
    const height = this.#rowHeight() || 40;
    const total = this.#shown.length;
    const fit = Math.ceil((this.#scroll.clientHeight || 800) / height) + 2 * MARGIN;
    this.#first = Math.min(this.#firstRow(), Math.max(0, total - fit));
    const last = Math.min(total, this.#first + fit);
    const now = Date.now();
    const focused = document.activeElement?.textContent;
    const hadFocus = this.#body.contains(document.activeElement);
    const rows = this.#shown
      .slice(this.#first, last)
      .map((row, i) => this.#row(row, this.#first + i + 2, now));
    this.#table.setAttribute('aria-rowcount', String(total + 1));
    for (const [i, column] of COLUMNS.entries()) {
      const { key, isDescending } = this.#sort;
      const sort = column.key !== key ? 'none' : isDescending ? 'descending' : 'ascending';
      this.#head.children[i]?.setAttribute('aria-sort', sort);
    }
    const none = el(
      'tr',
      {},
      el('td', { colspan: COLUMNS.length, class: 'empty faint' }, this.#emptyText()),
    );
    const parts =
      total === 0
        ? [none]
        : [spacer(this.#first * height), ...rows, spacer((total - last) * height)];
    this.#body.replaceChildren(...parts);
    if (hadFocus)
      [...this.#body.querySelectorAll('a')]
        .find((link) => link.textContent === focused)
        ?.focus({ preventScroll: true });
    this.#onRender();
  }

  #emptyText() {
    return this.#rows.length === 0
      ? 'No destinations. Start with --destination=192.0.2.1, or see --help.'
      : 'No matching destinations.';
  }

  /**
   * @param {Row} row
   * @param {number} index
   * @param {number} now
   */
  #row(row, index, now) {
    const history = this.#histories.get(row.destination);
    const expiry = daysLeft(row.certificate_not_after, now);
    const cells = [
      linkTo(row.destination),
      stateBadge(row),
      ago(row.since, now),
      outcome(row),
      duration(row.rtt),
      history === undefined ? '' : sparkline(history, row.destination),
      `${row.targets_up}/${row.targets_total}`,
      expiry === 'expired' ? el('span', { class: 'badge down' }, expiry) : expiry,
      row.owners.join(', '),
      labelText(row.labels),
    ];
    const tr = el('tr', { 'aria-rowindex': index });
    for (const [i, cell] of cells.entries()) {
      const title = typeof cell === 'string' ? cell : undefined;
      tr.append(el('td', { class: COLUMNS[i]?.key, title }, el('div', {}, cell)));
    }
    return tr;
  }
}

/** @param {number} height */
function spacer(height) {
  const cell = el('td', { colspan: COLUMNS.length });
  cell.style.height = `${height}px`;
  return el('tr', { class: 'space', 'aria-hidden': 'true' }, cell);
}
