/** The table of destinations. It scrolls with the page; only the visible rows are in the document. */

import { button, el, reconcile } from '../dom.js';
import { COLUMNS } from './columns.js';
import { GroupRow } from './group-row.js';
import { RowView } from './row.js';
import { VirtualItems } from './virtual.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('./group.js').Group} Group
 * @typedef {{ readonly group: Group } | { readonly row: Row }} Item
 * @typedef {object} TableOptions
 * @property {(column: string) => void} onSort
 * @property {(group: string) => void} onFold
 * @property {(row: Row) => import('./row.js').RowContext} contextOf
 * @property {(group: Group) => import('./group-row.js').GroupContext} groupContextOf
 */

export class Table {
  #head = el('tr');
  #body = el('tbody');
  #table = el(
    'table',
    { class: 'list', 'aria-label': 'Destinations' },
    el('thead', {}, this.#head),
    this.#body,
  );
  element = this.#table;
  #above = spacer();
  #below = spacer();
  #empty = el('td', { class: 'empty faint' });
  #emptyRow = el('tr', {}, this.#empty);
  /** @type {VirtualItems<Item>} */ #items = new VirtualItems();
  /** By the name of the destination or the key of the group. @type {Map<string, RowView | GroupRow>} */
  #views = new Map();
  /** The names of the rows in the document. @type {readonly string[]} */ #rendered = [];
  /** Number of columns that fit; a cell across more would widen the table. */
  #columns = COLUMNS.length;
  #options;

  /** @param {TableOptions} options */
  constructor(options) {
    this.#options = options;
    for (const { key, title } of COLUMNS) {
      const sort = button(title, () => options.onSort(key), { class: 'sort' });
      this.#head.append(el('th', { scope: 'col', class: key }, sort));
    }
  }

  /** The names of the rows in the document. */
  get rendered() {
    return this.#rendered;
  }

  /**
   * @param {readonly Item[]} items
   * @param {string} sort
   * @param {string} emptyText
   */
  set(items, sort, emptyText) {
    const row = this.#height('--row');
    const group = this.#height('--group-row');
    this.#items.set(items, (item) => ('group' in item ? group : row));
    this.#empty.textContent = emptyText;
    COLUMNS.forEach(({ key }, i) => {
      const isSorted = sort.replace(/^-/, '') === key;
      const direction = sort.startsWith('-') ? 'descending' : 'ascending';
      this.#head.children[i]?.setAttribute('aria-sort', isSorted ? direction : 'none');
    });
    this.#table.setAttribute('aria-rowcount', String(items.length + 1));
    this.render();
  }

  render() {
    this.#columns = [...this.#head.children].filter((cell) => cell.clientWidth > 0).length;
    if (this.#items.count === 0) {
      this.#empty.colSpan = this.#columns;
      this.#rendered = [];
      reconcile(this.#body, [this.#emptyRow]);
      return;
    }
    const top = -this.#body.getBoundingClientRect().top;
    const { first, items, above, below } = this.#items.between(top, top + innerHeight);
    /** @type {Map<string, RowView | GroupRow>} */ const views = new Map();
    items.forEach((item, i) => {
      const [key, view] =
        'group' in item ? this.#showGroup(item.group) : this.#showRow(item.row, views);
      view.element.setAttribute('aria-rowindex', String(first + i + 2));
      views.set(key, view);
    });
    this.#views = views;
    this.#rendered = items.flatMap((item) => ('row' in item ? [item.row.destination] : []));
    setHeight(this.#above, above);
    setHeight(this.#below, below);
    const rows = [...views.values()].map(({ element }) => element);
    reconcile(this.#body, [this.#above, ...rows, this.#below]);
  }

  /**
   * @param {Row} row
   * @param {ReadonlyMap<string, RowView | GroupRow>} taken a row may be in several groups
   * @returns {[string, RowView]}
   */
  #showRow(row, taken) {
    let key = `row ${row.destination}`;
    while (taken.has(key)) key += '+';
    const known = this.#views.get(key);
    const view = known instanceof RowView ? known : new RowView();
    view.show(row, this.#options.contextOf(row));
    return [key, view];
  }

  /** @param {Group} group @returns {[string, GroupRow]} */
  #showGroup(group) {
    const key = `group ${group.key}`;
    const known = this.#views.get(key);
    const view = known instanceof GroupRow ? known : new GroupRow(this.#options.onFold);
    view.show(group, this.#options.groupContextOf(group), this.#columns);
    return [key, view];
  }

  /** @param {string} property of the stylesheet, in rem @returns pixels */
  #height(property) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return parseFloat(getComputedStyle(this.#table).getPropertyValue(property)) * rem || 40;
  }
}

function spacer() {
  return el('tr', { class: 'space', 'aria-hidden': 'true' }, el('td'));
}

/**
 * @param {HTMLElement} row
 * @param {number} pixels
 */
function setHeight(row, pixels) {
  const [cell] = /** @type {HTMLCollectionOf<HTMLElement>} */ (row.children);
  if (cell !== undefined) cell.style.height = `${pixels}px`;
}
