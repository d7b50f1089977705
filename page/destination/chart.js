/** Round-trip times and failures over time, drawn by uPlot. */

import { el } from '../dom.js';
import { maximum } from '../list/sparkline.js';
import uPlot from '../uplot.js';
import { duration } from '../words.js';

/**
 * @typedef {object} ChartData
 * @property {readonly number[]} at seconds since 1970
 * @property {readonly (number | null)[]} rtt seconds
 * @property {readonly (number | null)[]} failed shares, 0 to 1
 * @property {string} title of the span
 * @property {string} failure what a share in `failed` says
 */

const HEIGHT = 220;
/** Room for a text like `05:00 PM`, pixels. */
const TICK_WIDTH = 90;

export class Chart {
  element = el('div', { class: 'chart', role: 'img', 'aria-label': 'No data yet' });
  /** @type {uPlot | undefined} */ #plot;
  /** @type {ChartData | undefined} */ #data;
  #resizes = new ResizeObserver(() => this.#resize());
  #scheme = matchMedia('(prefers-color-scheme: dark)');
  #onScheme = () => this.#draw();

  constructor() {
    this.#resizes.observe(this.element);
    this.#scheme.addEventListener('change', this.#onScheme);
  }

  close() {
    this.#resizes.disconnect();
    this.#scheme.removeEventListener('change', this.#onScheme);
    this.clear();
  }

  clear() {
    this.#data = undefined;
    this.#plot?.destroy();
    this.#plot = undefined;
    this.element.setAttribute('aria-label', 'No data yet');
  }

  /** @param {ChartData} data */
  show(data) {
    const max = maximum(data.rtt);
    const isSame =
      this.#data?.title === data.title && (maximum(this.#data.rtt) === null) === (max === null);
    this.#data = data;
    const failing = data.failed.filter((share) => share !== null && share > 0).length;
    this.element.setAttribute(
      'aria-label',
      `Round-trip time in the ${data.title}: ${max === null ? 'no answer' : `up to ${duration(max)}`}; failures at ${failing} of ${data.at.length} points`,
    );
    if (isSame && this.#plot !== undefined) this.#plot.setData(columns(data));
    else this.#draw();
  }

  #draw() {
    const data = this.#data;
    if (data === undefined) return;
    this.#plot?.destroy();
    this.#plot = new uPlot(
      options(data, this.element.clientWidth || 600),
      columns(data),
      this.element,
    );
  }

  #resize() {
    const width = this.element.clientWidth;
    if (width > 0 && this.#plot !== undefined && this.#plot.width !== width)
      this.#plot.setSize({ width, height: HEIGHT });
  }
}

/** @param {ChartData} data @returns {uPlot.AlignedData} */
function columns({ at, rtt, failed }) {
  return [[...at], [...rtt], [...failed]];
}

/** @param {string} name of a custom property of the stylesheet */
function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name);
}

/** Times within two days, days beyond. @param {readonly number[]} ticks seconds since 1970 */
function tickTexts(ticks) {
  const isShort = (ticks.at(-1) ?? 0) - (ticks[0] ?? 0) < 2 * 86_400;
  const format = new Intl.DateTimeFormat(
    undefined,
    isShort ? { hour: '2-digit', minute: '2-digit' } : { month: 'short', day: 'numeric' },
  );
  return ticks.map((tick) => format.format(1000 * tick));
}

/**
 * A line has no length where a value stands alone, so those are drawn as points.
 *
 * @param {uPlot} plot
 * @param {number} series
 */
function lonePoints({ data }, series) {
  const values = data[series] ?? [];
  const isKnown = (/** @type {number} */ i) => (values[i] ?? null) !== null;
  return [...values.keys()].filter((i) => isKnown(i) && !isKnown(i - 1) && !isKnown(i + 1));
}

/** @param {ChartData} data @param {number} width @returns {uPlot.Options} */
function options({ rtt, failure }, width) {
  const axis = { stroke: color('--faint'), grid: { stroke: color('--line'), width: 1 } };
  const percent = (/** @type {number | null} */ share) =>
    share === null ? '–' : `${Math.round(100 * share)} %`;
  const bars = uPlot.paths.bars?.({ size: [0.8, 20, 2] });
  return {
    ...{ width, height: HEIGHT },
    cursor: { drag: { x: false, y: false } },
    scales: {
      rtt: { range: (_plot, _min, max) => [0, max > 0 ? 1.1 * max : 0.001] },
      failed: { range: [0, 1] },
    },
    series: [
      {
        label: 'Time',
        value: (_plot, at) => (at === null ? '–' : new Date(1000 * at).toLocaleString()),
      },
      {
        ...{ label: 'RTT', scale: 'rtt', stroke: color('--link'), width: 2 },
        points: { show: true, size: 6, filter: lonePoints },
        value: (_plot, seconds) => duration(seconds),
      },
      {
        ...{ label: failure, scale: 'failed', fill: color('--failed-bar'), width: 0 },
        ...(bars === undefined ? {} : { paths: bars }),
        points: { show: false },
        value: (_plot, share) => percent(share),
      },
    ],
    axes: [
      { ...axis, space: TICK_WIDTH, values: (_plot, ticks) => tickTexts(ticks) },
      {
        ...axis,
        ...{ scale: 'rtt', size: 70, show: maximum(rtt) !== null },
        values: (_plot, ticks) => ticks.map((tick) => duration(tick)),
      },
      {
        ...{ ...axis, scale: 'failed', side: 1, size: 65, grid: { show: false } },
        values: (_plot, ticks) => ticks.map(percent),
      },
    ],
  };
}
