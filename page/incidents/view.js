/** The view of incidents: what was down or unknown, when, for how long, and why. */

import { ApiError, fetchJson } from '../api.js';
import { button, el, grid, linkTo, stateBadge, update } from '../dom.js';
import { clock, labelText, outcome, period } from '../words.js';

/**
 * @typedef {import('../../src/status/page-views.js').IncidentView} Incident
 * @typedef {import('../../src/status/page-views.js').IncidentsView} Incidents
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 10_000;
const PAGE_SIZE = 100;
/** After this pause of typing, the incidents are searched. */
const TYPING_PAUSE_MS = 300;
const HEAD = ['Destination', 'State', 'Began', 'Ended', 'Duration', 'Why', 'Code', 'Labels'];

export class IncidentsView {
  #context;
  #query = new URLSearchParams();
  #search = el('input', {
    ...{ type: 'search', id: 'incidents-search', autocomplete: 'off', spellcheck: 'false' },
    ...{ maxlength: 200, placeholder: 'name, state, reason, label' },
  });
  #isOpenOnly = el('input', { type: 'checkbox', id: 'incidents-open' });
  #others = el('span', { role: 'group', 'aria-label': 'Chosen by the link' });
  #list = el('div');
  element = el(
    'section',
    {},
    el('h2', {}, 'Incidents'),
    el(
      'div',
      { class: 'tools', role: 'search' },
      el('label', { for: this.#search.id, class: 'find' }, 'Find', this.#search),
      el('label', { for: this.#isOpenOnly.id }, this.#isOpenOnly, 'not over yet'),
      this.#others,
    ),
    this.#list,
  );
  title = 'Incidents';
  /** Number of those that are shown. */
  #limit = PAGE_SIZE;
  /** Null when they could not be asked for. @type {Incidents | null | undefined} */ #found;
  /** @type {number | undefined} */ #typing;

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
    this.#search.addEventListener('input', () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#set('q', this.#search.value.trim()), TYPING_PAUSE_MS);
    });
    this.#isOpenOnly.addEventListener('change', () =>
      this.#set('open', this.#isOpenOnly.checked ? 'true' : ''),
    );
  }

  /** @param {import('../route.js').Route} route */
  show({ query }) {
    this.#query = query;
    this.#search.value = query.get('q') ?? '';
    this.#isOpenOnly.checked = query.get('open') === 'true';
    this.#showOthers();
    this.render();
  }

  tick() {}

  close() {
    clearTimeout(this.#typing);
  }

  changed() {
    return true;
  }

  async refresh() {
    const asked = this.#path();
    try {
      const found = /** @type {Incidents} */ (await fetchJson(asked));
      if (asked === this.#path()) this.#found = found;
    } catch (error) {
      // What was found before is no answer to what is asked now.
      if (error instanceof ApiError && asked === this.#path()) this.#found = null;
      throw error;
    } finally {
      this.render();
    }
    return REFRESH_MS;
  }

  #path() {
    const query = new URLSearchParams(this.#query);
    query.set('limit', String(this.#limit));
    // In a query of the exporter a plus is a plus.
    return `api/v1/incidents?${String(query).replaceAll('+', '%20')}`;
  }

  render() {
    update(this.#list, [el('div', { 'data-part': 'incidents' }, ...this.#parts())]);
  }

  #parts() {
    const found = this.#found;
    if (found === null) return [];
    if (found === undefined) return [el('p', { class: 'faint' }, 'Loading…')];
    const { incidents, next } = found;
    const kept = el('p', { class: 'faint' }, keptText(found));
    if (incidents.length === 0) {
      const sought = soughtText(this.#query);
      return sought === ''
        ? [el('p', { class: 'empty calm' }, 'No incidents.'), kept]
        : [el('p', { class: 'empty' }, `No incident with ${sought}.`), kept];
    }
    return [
      grid('Incidents', HEAD, incidents.map(incidentCells)),
      kept,
      next === null ? null : button('Show more', () => this.#showMore()),
    ];
  }

  /** What is chosen and has no control of its own can be taken away. */
  #showOthers() {
    const others = otherChoices(this.#query).map(([key, value]) =>
      button(`✕ ${key}: ${value}`, () => this.#remove(key, value), {
        ...{ class: 'name', title: `${key}: ${value}` },
        'aria-label': `No longer ${key}: ${value}`,
      }),
    );
    this.#others.replaceChildren(...others);
    this.#others.hidden = others.length === 0;
  }

  #showMore() {
    this.#limit = Math.min(1_000, this.#limit + PAGE_SIZE);
    void this.#context.refresh();
  }

  /**
   * @param {string} key
   * @param {string} value empty for none
   */
  #set(key, value) {
    if (value === '') this.#query.delete(key);
    else this.#query.set(key, value);
    this.#chosen();
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  #remove(key, value) {
    this.#query.delete(key, value);
    this.#showOthers();
    this.#chosen();
  }

  #chosen() {
    this.#limit = PAGE_SIZE;
    this.#context.choose(this.#query);
    void this.#context.refresh();
  }
}

/** @param {URLSearchParams} query */
function otherChoices(query) {
  return [...query].filter(([key, value]) => key !== 'q' && !(key === 'open' && value === 'true'));
}

/**
 * What is looked for; empty for everything.
 *
 * @param {URLSearchParams} query
 */
export function soughtText(query) {
  const words = query.get('q') ?? '';
  return [
    ...(words === '' ? [] : [`“${words}”`]),
    ...otherChoices(query).map(([key, value]) => `${key}: ${value}`),
    ...(query.get('open') === 'true' ? ['not over yet'] : []),
  ].join(', ');
}

/** @param {Pick<Incidents, 'total' | 'dropped' | 'oldest'>} found */
export function keptText({ total, dropped, oldest }) {
  const kept = total === 1 ? '1 incident is kept' : `${total} incidents are kept`;
  const since = oldest === null ? '' : `; the oldest began ${clock(oldest)}`;
  return `${kept}${since}.${dropped === 0 ? '' : ` ${dropped} older ones are no longer kept.`}`;
}

/** @param {Incident} incident */
function incidentCells(incident) {
  const { destination, began_at, ended_at, duration, labels, sip_code, ended_by } = incident;
  const end = ended_by === 'removed' ? `${clock(ended_at)} (removed)` : clock(ended_at);
  return [
    linkTo(destination),
    stateBadge(incident),
    clock(began_at),
    ended_at === null ? el('b', {}, 'not yet') : end,
    duration === null ? '–' : period(duration),
    el('span', { class: 'text' }, outcome({ ...incident, sip_code: null })),
    sip_code === null ? '–' : String(sip_code),
    el('span', { class: 'text' }, labelText(labels)),
  ];
}
