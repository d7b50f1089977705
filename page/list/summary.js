/** The answer in two seconds: how many are in each state, and what is down now. */

import { button, el, linkTo, reconcile, setText } from '../dom.js';
import { silenceMark } from '../silences/mark.js';
import { countStates, SHOWN_STATES, severity, shownState } from '../states.js';
import { lasting, outcome } from '../words.js';

/**
 * @typedef {import('../../src/status/views.js').DestinationBrief} Row
 * @typedef {import('../../src/status/page-views.js').SilenceView} Silence
 * @typedef {import('../states.js').ShownState} ShownState
 * @typedef {object} SummaryContext
 * @property {number} now milliseconds
 * @property {boolean} isLoaded false before the destinations are known
 * @property {ReadonlySet<string>} states that are chosen
 * @property {(row: Row) => readonly Silence[]} silencesOf
 */

/** Number of destinations that are named. */
const MAX_NAMED = 8;
/** The states of those. @type {readonly ShownState[]} */
const TROUBLE = ['down', 'degraded'];

export class Summary {
  #counts = el('div', { class: 'counts', role: 'group', 'aria-label': 'Destinations by state' });
  #calm = el('p', { class: 'calm' });
  #list = el('ul', { class: 'trouble', 'aria-label': 'Down and degraded' });
  #more;
  element;
  /** @type {Map<ShownState, { readonly button: HTMLElement, readonly count: HTMLElement }>} */
  #buttons = new Map();
  /** By destination. @type {Map<string, TroubleItem>} */ #items = new Map();

  /**
   * @param {(state: ShownState) => void} onState called when a state is chosen or no longer chosen
   * @param {(states: readonly ShownState[]) => void} onStates called when just these are chosen
   */
  constructor(onState, onStates) {
    this.#more = button('', () => onStates(TROUBLE), { class: 'more' });
    this.element = el(
      'section',
      { class: 'summary', 'aria-label': 'Now' },
      ...[this.#counts, this.#calm, this.#list, this.#more],
    );
    for (const state of SHOWN_STATES) {
      const count = el('b', {}, '–');
      const one = button('', () => onState(state), { class: `count ${state}` });
      one.append(count, ' ', el('span', { class: `badge ${state}` }, state));
      this.#buttons.set(state, { button: one, count });
      this.#counts.append(one);
    }
  }

  /**
   * @param {readonly Row[]} rows
   * @param {SummaryContext} context
   */
  show(rows, context) {
    const counts = countStates(rows);
    for (const [state, { button, count }] of this.#buttons) {
      const isChosen = context.states.has(state);
      const text = context.isLoaded ? String(counts[state]) : '–';
      setText(count, text);
      button.setAttribute('aria-label', `${text} ${state}`);
      button.setAttribute('aria-pressed', String(isChosen));
      // Rare, and no reason to look twice.
      button.hidden = state === 'draining' && counts.draining === 0 && !isChosen;
      button.classList.toggle('zero', counts[state] === 0);
    }
    this.#showTrouble(rows, context);
    setText(this.#calm, calmText(counts, rows.length));
    this.#calm.hidden = counts.down > 0 || rows.length === 0;
  }

  /**
   * The worst first, and among equals the newest: an outage of three weeks is no news.
   *
   * @param {readonly Row[]} rows
   * @param {SummaryContext} context
   */
  #showTrouble(rows, context) {
    const wrong = rows.filter((row) => TROUBLE.includes(shownState(row)));
    wrong.sort((a, b) => severity(a) - severity(b) || ((a.since ?? '') < (b.since ?? '') ? 1 : -1));
    /** @type {Map<string, TroubleItem>} */ const items = new Map();
    for (const row of wrong.slice(0, MAX_NAMED)) {
      const item = this.#items.get(row.destination) ?? new TroubleItem(row);
      item.show(row, context);
      items.set(row.destination, item);
    }
    this.#items = items;
    reconcile(
      this.#list,
      [...items.values()].map(({ element }) => element),
    );
    this.#list.hidden = items.size === 0;
    const more = wrong.length - items.size;
    this.#more.hidden = more === 0;
    setText(this.#more, `and ${more} more`);
  }
}

class TroubleItem {
  #badge = el('span', { role: 'img' });
  #mark = el('span');
  #long = el('span', { class: 'long' });
  #why = el('span', { class: 'why' });
  #silences = '';
  element;

  /** @param {Row} row */
  constructor(row) {
    const who = el('span', { class: 'who' }, linkTo(row.destination), this.#mark);
    this.element = el('li', {}, this.#badge, who, this.#long, this.#why);
  }

  /**
   * @param {Row} row
   * @param {SummaryContext} context
   */
  show(row, { now, silencesOf }) {
    const state = shownState(row);
    this.#badge.className = `badge ${state}`;
    this.#badge.setAttribute('aria-label', state);
    setText(this.#long, lasting(row, now));
    setText(this.#why, outcome(row));
    const silences = silencesOf(row);
    const key = silences.map(({ id }) => id).join();
    if (key === this.#silences) return;
    this.#silences = key;
    this.#mark.replaceChildren(...[silenceMark(silences)].filter((mark) => mark !== null));
  }
}

/**
 * @param {Readonly<Record<ShownState, number>>} counts
 * @param {number} total
 */
function calmText(counts, total) {
  if (counts.up === total) return total === 1 ? 'It is up.' : `All ${total} destinations are up.`;
  return 'Nothing is down.';
}
