/** The round-trip times and failures of a destination over an hour, a day, a week or a quarter. */

import { destinationQuery, errorText, fetchJson } from '../api.js';
import { button, el } from '../dom.js';
import { Chart } from './chart.js';

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

export class Spans {
  #name = '';
  /** @type {Span} */ #span = 'hour';
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
  #hasPrometheus;

  /** @param {() => boolean} hasPrometheus whether the exporter can ask a Prometheus */
  constructor(hasPrometheus) {
    this.#hasPrometheus = hasPrometheus;
  }

  /** @param {string} name of the destination */
  show(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.#choose('hour');
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
    for (const [key, tab] of this.#buttons) tab.setAttribute('aria-pressed', String(key === span));
    this.#note.textContent = '';
    this.#chart.clear();
    if (span === 'hour') this.#showHour();
    else if (!this.#hasPrometheus()) this.#note.textContent = SETUP;
    else this.#loadRange(span).catch((error) => this.#fail(span, error));
  }

  #refresh() {
    const name = this.#name;
    if (!this.#hasPrometheus()) {
      this.#availability.textContent = SETUP;
      return;
    }
    this.#loadAvailability().catch((error) => {
      if (name === this.#name) this.#availability.textContent = `Availability: ${errorText(error)}`;
    });
    const span = this.#span;
    if (span !== 'hour') this.#loadRange(span).catch((error) => this.#fail(span, error));
  }

  #showHour() {
    const history = this.#hour;
    if (history === undefined) return;
    const { rtt, failed, step } = history;
    if (failed.every((share) => share === null)) {
      this.#note.textContent = 'No data yet; the first point comes after a minute.';
      return;
    }
    const end = Math.floor(Date.now() / 1000 / step) * step;
    const at = rtt.map((_, i) => end - (rtt.length - 1 - i) * step);
    this.#note.textContent = 'Line: mean RTT per minute. Bars: share of failed pings.';
    this.#chart.show({ at, rtt, failed, title: 'last hour' });
  }

  /** @param {Exclude<Span, 'hour'>} span */
  async #loadRange(span) {
    const name = this.#name;
    const range = /** @type {Range} */ (
      await fetchJson(`api/v1/range?span=${span}&${destinationQuery([name])}`)
    );
    if (name !== this.#name || span !== this.#span) return;
    this.#note.textContent =
      'Line: mean RTT. Bars: share of time in which it was not up. From Prometheus.';
    this.#chart.show({
      at: range.at.map((time) => Date.parse(time) / 1000),
      rtt: range.rtt,
      failed: range.availability.map((share) => (share === null ? null : 1 - share)),
      title: `last ${span}`,
    });
  }

  async #loadAvailability() {
    const name = this.#name;
    const { spans } = /** @type {Availability} */ (
      await fetchJson(`api/v1/availability?${destinationQuery([name])}`)
    );
    if (name !== this.#name) return;
    const texts = Object.entries(spans).map(([span, shares]) => {
      const share = shares[name] ?? null;
      return `${span} ${share === null ? '–' : `${percent(share)} %`}`;
    });
    this.#availability.textContent = `Availability: ${texts.join(', ')}`;
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
