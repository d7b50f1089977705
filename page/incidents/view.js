/** The view of incidents: what was down or unknown, when, for how long, and why. */

import { fetchJson } from '../api.js';
import { button, el, grid, linkTo, update } from '../dom.js';
import { clock, labelText, outcome, period } from '../words.js';

/**
 * @typedef {import('../../src/status/page-views.js').IncidentView} Incident
 * @typedef {import('../../src/status/page-views.js').IncidentsView} Incidents
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 10_000;
const PAGE_SIZE = 100;
/** The parameters of the API that the view can choose. @type {readonly (readonly [string, string, string])[]} */
const FILTERS = [
  ['destination', 'Destination', 'name'],
  ['label', 'Label', 'name=value'],
  ['owner', 'Owner', 'name'],
];

export class IncidentsView {
  #context;
  #query = new URLSearchParams();
  #inputs = FILTERS.map(([key, title, placeholder]) => {
    const input = el('input', { type: 'search', id: `incidents-${key}`, placeholder });
    input.addEventListener('change', () => this.#choose(key, input.value));
    return { key, input, label: el('label', { for: input.id }, title, input) };
  });
  #isOpenOnly = el('input', { type: 'checkbox', id: 'incidents-open' });
  #list = el('div');
  element = el(
    'section',
    {},
    el('h2', {}, 'Incidents'),
    el(
      'div',
      { class: 'tools', role: 'search' },
      ...this.#inputs.map(({ label }) => label),
      el('label', { for: 'incidents-open' }, this.#isOpenOnly, 'not over yet'),
    ),
    this.#list,
  );
  title = 'Incidents';
  /** Number of those that are shown. */
  #limit = PAGE_SIZE;
  /** @type {Incidents | undefined} */ #found;

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
    this.#isOpenOnly.addEventListener('change', () =>
      this.#choose('open', this.#isOpenOnly.checked ? 'true' : ''),
    );
  }

  /** @param {import('../route.js').Route} route */
  show({ query }) {
    this.#query = query;
    for (const { key, input } of this.#inputs) input.value = query.get(key) ?? '';
    this.#isOpenOnly.checked = query.get('open') === 'true';
    this.render();
  }

  tick() {}

  close() {}

  changed() {
    return true;
  }

  async refresh() {
    const query = new URLSearchParams(this.#query);
    query.set('limit', String(this.#limit));
    // In a query of the exporter a plus is a plus.
    const search = String(query).replaceAll('+', '%20');
    this.#found = /** @type {Incidents} */ (await fetchJson(`api/v1/incidents?${search}`));
    this.render();
    return REFRESH_MS;
  }

  render() {
    update(this.#list, [el('div', { 'data-part': 'incidents' }, ...this.#parts())]);
  }

  #parts() {
    const found = this.#found;
    if (found === undefined) return [el('p', { class: 'faint' }, 'Loading…')];
    const { incidents, total, dropped, oldest, next } = found;
    const lost = dropped === 0 ? '' : ` ${dropped} older ones are no longer kept.`;
    const since = oldest === null ? '' : ` The oldest of ${total} began ${clock(oldest)}.`;
    if (incidents.length === 0)
      return [el('p', { class: 'empty calm' }, `No incidents.${since}${lost}`)];
    const head = ['Destination', 'State', 'Began', 'Ended', 'Duration', 'Why', 'Code', 'Labels'];
    return [
      grid('Incidents', head, incidents.map(incidentCells)),
      el('p', { class: 'faint' }, `${since}${lost}`),
      next === null ? null : button('Show more', () => this.#showMore()),
    ];
  }

  #showMore() {
    this.#limit = Math.min(1_000, this.#limit + PAGE_SIZE);
    this.refresh().catch(() => {});
  }

  /**
   * @param {string} key
   * @param {string} value
   */
  #choose(key, value) {
    if (value === '') this.#query.delete(key);
    else this.#query.set(key, value);
    this.#limit = PAGE_SIZE;
    this.#context.choose(this.#query);
    this.refresh().catch(() => {});
  }
}

/** @param {Incident} incident */
function incidentCells(incident) {
  const { destination, state, began_at, ended_at, duration, labels, sip_code, ended_by } = incident;
  const end = ended_by === 'removed' ? `${clock(ended_at)} (removed)` : clock(ended_at);
  return [
    linkTo(destination),
    el('span', { class: `badge ${state}` }, state),
    clock(began_at),
    ended_at === null ? el('b', {}, 'not yet') : end,
    duration === null ? '–' : period(duration),
    outcome({ ...incident, sip_code: null }),
    sip_code === null ? '–' : String(sip_code),
    labelText(labels),
  ];
}
