/** The round-trip times and failures of a destination over an hour, a day, a week or a quarter. */

import { destinationQuery, errorText, fetchJson } from '../api.js';
import { button, el } from '../dom.js';
import { clock } from '../words.js';
import { Chart } from './chart.js';
import { dataSince } from './data-since.js';

/**
 * @typedef {import('../../src/status/page-views.js').AvailabilityView} Availability
 * @typedef {import('../../src/status/page-views.js').RangeView} Range
 * @typedef {import('../../src/status/views.js').HistoryView} History
 * @typedef {'hour' | 'day' | 'week' | 'quarter'} Span
 */

/** @type {readonly Span[]} */
const SPANS = ['hour', 'day', 'week', 'quarter'];
const SETUP = 'Days, weeks and months come from Prometheus: set web.prometheus_url.';
/** How often the longer spans are fetched. */
const REFRESH_MS = 60_000;
const MONTH_MS = 30 * 86_400_000;

export class Spans {
  #name = '';
  /** @type {Span} */ #span = 'hour';
  #query = new URLSearchParams();
  #buttons = new Map(SPANS.map((span) => [span, button(`Last ${span}`, () => this.#choose(span))]));
  #availability = el('p', { class: 'availability' });
  #note = el('p', { class: 'faint' });
  #chart = new Chart();
  element = el(
    'section',
    { 'data-part': 'spans' },
    this.#availability,
    el('p', { class: 'tabs', role: 'group', 'aria-label': 'Span' }, ...this.#buttons.values()),
    this.#chart.element,
    this.#note,
  );
  /** @type {History | undefined} */ #hour;
  /** @type {ReturnType<typeof setInterval> | undefined} */ #timer;
  #context;

  /** @param {import('../context.js').PageContext} context */
  constructor(context) {
    this.#context = context;
  }

  /**
   * @param {string} name of the destination
   * @param {URLSearchParams} query of the URL, with the span
   */
  show(name, query) {
    this.#name = name;
    this.#query = query;
    this.#span = SPANS.find((span) => span === query.get('span')) ?? 'hour';
    this.#showSpan();
  }

  /** Fetches the longer spans, now and every minute, unless that is done already. */
  start() {
    if (this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#refresh(), REFRESH_MS);
    this.#refresh();
  }

  close() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#chart.close();
  }

  /** @param {History} history */
  setHour(history) {
    this.#hour = history;
    if (this.#span === 'hour') this.#showHour();
  }

  /** @param {Span} span */
  #choose(span) {
    this.#span = span;
    if (span === 'hour') this.#query.delete('span');
    else this.#query.set('span', span);
    this.#context.choose(this.#query);
    this.#showSpan();
    this.#load();
  }

  /** Shows which span is chosen, and of the last hour what is there. */
  #showSpan() {
    const span = this.#span;
    for (const [key, tab] of this.#buttons) tab.setAttribute('aria-pressed', String(key === span));
    this.#note.textContent = '';
    this.#chart.clear();
    if (span === 'hour') this.#showHour();
  }

  /** Fetches the span that is chosen, unless it is the last hour, which comes by itself. */
  #load() {
    const span = this.#span;
    if (span !== 'hour') this.#loadRange(span).catch((error) => this.#fail(span, error));
  }

  #refresh() {
    const name = this.#name;
    const hasPrometheus = this.#context.store.status?.web.prometheus === true;
    for (const [span, tab] of this.#buttons) tab.disabled = span !== 'hour' && !hasPrometheus;
    if (!hasPrometheus) {
      this.#availability.textContent = SETUP;
      if (this.#span !== 'hour') this.#note.textContent = SETUP;
      return;
    }
    this.#loadAvailability().catch((error) => {
      if (name === this.#name) this.#availability.textContent = `Availability: ${errorText(error)}`;
    });
    this.#load();
  }

  #showHour() {
    const history = this.#hour;
    if (history === undefined) return;
    const { rtt, failed, step } = history;
    const end = Math.floor(this.#context.now() / 1000 / step) * step;
    const at = rtt.map((_, i) => end - (rtt.length - 1 - i) * step);
    this.#draw(
      { at, rtt, failed, title: 'last hour', failure: 'Failed' },
      {
        empty: 'No data yet; the first point comes after a minute.',
        caption: 'Line: mean RTT per minute. Bars: share of failed pings.',
      },
    );
  }

  /**
   * @param {import('./chart.js').ChartData} data
   * @param {{ readonly empty: string, readonly caption: string }} texts
   */
  #draw(data, { empty, caption }) {
    const points = data.failed.filter((share) => share !== null).length;
    const few = points === 1 ? ' There is one point so far.' : '';
    this.#note.textContent = points === 0 ? empty : `${caption}${few}`;
    if (points === 0) this.#chart.clear();
    else this.#chart.show(data);
  }

  /** @param {Exclude<Span, 'hour'>} span */
  async #loadRange(span) {
    const name = this.#name;
    const range = await this.#fetchRange(span);
    if (name !== this.#name || span !== this.#span) return;
    this.#draw(
      {
        at: range.at.map((time) => Date.parse(time) / 1000),
        rtt: range.rtt,
        failed: range.availability.map((share) => (share === null ? null : 1 - share)),
        ...{ title: `last ${span}`, failure: 'Not up' },
      },
      {
        empty: `Prometheus has no data of the last ${span} yet.`,
        caption: 'Line: mean RTT. Bars: share of time in which it was not up. From Prometheus.',
      },
    );
  }

  /** @param {Exclude<Span, 'hour'>} span */
  #fetchRange(span) {
    const path = `api/v1/range?span=${span}&${destinationQuery([this.#name])}`;
    return /** @type {Promise<Range>} */ (fetchJson(path));
  }

  async #loadAvailability() {
    const name = this.#name;
    const [{ spans }, quarter, day] = await Promise.all([
      /** @type {Promise<Availability>} */ (
        fetchJson(`api/v1/availability?${destinationQuery([name])}`)
      ),
      this.#fetchRange('quarter'),
      this.#fetchRange('day'),
    ]);
    if (name !== this.#name) return;
    const texts = Object.entries(spans).map(([span, shares]) => {
      const share = shares[name] ?? null;
      return `${span} ${share === null ? '–' : `${percent(share)} %`}`;
    });
    const since = dataSince(quarter, day);
    const isShort = since !== null && since > this.#context.now() - MONTH_MS;
    const note = isShort ? ` (data since ${clock(new Date(since).toISOString())})` : '';
    this.#availability.textContent = `Availability: ${texts.join(', ')}${note}`;
  }

  /**
   * @param {Span} span
   * @param {unknown} error
   */
  #fail(span, error) {
    if (span === this.#span) this.#note.textContent = errorText(error);
  }
}

/** Rounded down: 99.996 % is not 100 %. @param {number} share */
function percent(share) {
  return (Math.floor(share * 1e5) / 1e3).toFixed(3).replace(/\.?0+$/, '');
}
