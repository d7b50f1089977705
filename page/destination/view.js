/** The view of one destination. */

import { destinationQuery, fetchJson } from '../api.js';
import { el, stateBadge, update } from '../dom.js';
import { silencesOf } from '../silences/cover.js';
import { openSilenceForm } from '../silences/form.js';
import { silenceText } from '../silences/mark.js';
import { ago, outcome } from '../words.js';
import { destinationFacts } from './facts.js';
import { incidentsPart } from './incidents.js';
import { kamailioParts } from './kamailio.js';
import { linksOf } from './links.js';
import { PingNow } from './ping-now.js';
import { resolutionParts } from './resolution.js';
import { Spans } from './spans.js';
import { targetCard } from './target-card.js';

/**
 * @typedef {import('../../src/status/page-views.js').IncidentsView} Incidents
 * @typedef {import('../../src/status/views.js').DestinationDetails} DestinationDetails
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 3_000;

export class DestinationView {
  #context;
  #name = '';
  element = el('div');
  #back = part('back');
  #actions = part('actions');
  #pingNow = new PingNow();
  #spans;
  /** @type {DestinationDetails | undefined} */ #details;
  /** @type {Incidents['incidents']} */ #incidents = [];

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
    this.#spans = new Spans(context);
  }

  get title() {
    const state = this.#details === undefined ? '' : `: ${this.#details.state}`;
    return `${this.#name}${state}`;
  }

  /** @param {import('../route.js').Route} route */
  show({ name, query }) {
    this.#name = name;
    this.#pingNow.show(name);
    this.#spans.show(name, query);
    const link = el('a', { href: this.#context.listHref() }, '← All destinations');
    this.#back.replaceChildren(el('p', {}, link));
    this.#render();
  }

  close() {
    this.#spans.close();
  }

  tick() {}

  /** @param {import('../context.js').ChangeView} change */
  changed({ destination }) {
    return destination === this.#name;
  }

  async refresh() {
    const { store } = this.#context;
    if (store.status === null) await store.loadStatus();
    const path = this.#name.split('/').map(encodeURIComponent).join('/');
    const [details, { incidents }] = await Promise.all([
      /** @type {Promise<DestinationDetails>} */ (fetchJson(`api/v1/destinations/${path}`)),
      /** @type {Promise<Incidents>} */ (
        fetchJson(`api/v1/incidents?limit=5&${destinationQuery([this.#name])}`)
      ),
    ]);
    this.#details = details;
    this.#incidents = incidents;
    this.#spans.setHour(details.history);
    this.#spans.start();
    this.#render();
    return REFRESH_MS;
  }

  #render() {
    const details = this.#details;
    if (details === undefined) {
      update(this.element, [this.#back, part('name', el('h2', {}, this.#name))]);
      return;
    }
    const now = this.#context.now();
    const { silences } = this.#context.store;
    this.#showActions(details);
    update(this.element, [
      this.#back,
      part('name', el('h2', {}, details.destination)),
      part('state', stateLine(details, now)),
      part(
        'silences',
        ...silencesOf(silences ?? [], details).map((one) => el('p', {}, silenceText(one))),
      ),
      this.#actions,
      this.#pingNow.element,
      this.#spans.element,
      part('targets', el('h2', {}, 'Targets'), ...this.#targets(details, now)),
      part('incidents', el('h2', {}, 'Incidents'), incidentsPart(this.#incidents, details)),
      part('facts', el('h2', {}, 'Settings'), destinationFacts(details)),
      part('resolution', ...resolutionParts(details.resolution)),
      part('kamailio', ...kamailioParts(details.kamailios, now)),
    ]);
  }

  /**
   * @param {DestinationDetails} details
   * @param {number} now
   */
  #targets(details, now) {
    const { targets } = details;
    if (targets.length === 0) return [el('p', { class: 'faint' }, 'DNS returned no address.')];
    return [
      el('div', { class: 'cards' }, ...targets.map((target) => targetCard(target, details, now))),
    ];
  }

  /** @param {DestinationDetails} details */
  #showActions(details) {
    const { store, canSilence } = this.#context;
    const links = linksOf(store.status?.web.links ?? {}, details);
    const key = JSON.stringify([canSilence(), links]);
    if (this.#actions.dataset['shown'] === key) return;
    this.#actions.dataset['shown'] = key;
    const { destination } = details;
    const silence = el('button', { type: 'button' }, 'Silence…');
    silence.addEventListener('click', () =>
      openSilenceForm(this.#context, { title: destination, destination }),
    );
    this.#actions.replaceChildren(
      el(
        'p',
        { class: 'actions start' },
        this.#pingNow.button,
        canSilence() ? silence : null,
        ...links.map(([title, href]) => el('a', { href, rel: 'noreferrer' }, title)),
      ),
    );
  }
}

/**
 * @param {DestinationDetails} details
 * @param {number} now
 */
function stateLine(details, now) {
  const { since } = details;
  const time = since === null ? '' : ` for ${ago(since, now)}`;
  return el('p', { class: 'state-line' }, stateBadge(details), `${time}: ${outcome(details)}`);
}

/**
 * @param {string} name
 * @param {readonly (Node | null)[]} children
 */
function part(name, ...children) {
  return el('section', { 'data-part': name }, ...children);
}
