/** The bars of a destination's last pings; each is explained under the pointer and by the arrow keys. */

import { el } from '../dom.js';
import { hasTip, hideTip, showTip } from '../tip.js';
import { BARS, barAt, barsPicture, barsText, kindOf, pingText } from './bars.js';

/** @typedef {import('../../src/status/views.js').PingView} Ping */

export class PingsCell {
  element = el('div', { class: 'pings-bars', tabindex: '0', role: 'img' });
  /** The oldest first. @type {readonly Ping[]} */ #pings = [];
  /** The bar that the pointer or the focus is on, counted from the newest. */
  #index = 0;
  #name = '';

  constructor() {
    this.element.addEventListener('pointermove', (event) => {
      const box = this.element.getBoundingClientRect();
      this.#index = barAt((event.clientX - box.left) / box.width);
      this.#explain();
    });
    this.element.addEventListener('pointerleave', hideTip);
    this.element.addEventListener('blur', hideTip);
    this.element.addEventListener('focus', () => this.#focus(this.#newestFailure()));
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /**
   * @param {readonly Ping[]} pings
   * @param {string} name of the destination
   */
  show(pings, name) {
    if (pings === this.#pings && name === this.#name) return;
    this.#pings = pings;
    this.#name = name;
    this.element.setAttribute('aria-label', `${name}, ${barsText(pings)}`);
    this.element.replaceChildren(barsPicture(pings));
    if (hasTip(this.element)) this.#explain();
  }

  #newestFailure() {
    const index = this.#pings.findLastIndex((ping) => kindOf(ping) === 'failed');
    return index < 0 ? 0 : this.#pings.length - 1 - index;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.key === 'Escape') hideTip();
    const step = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    this.#focus(this.#index + step);
  }

  /** @param {number} index counted from the newest */
  #focus(index) {
    this.#index = Math.max(0, Math.min(index, this.#pings.length - 1));
    this.#explain();
  }

  #explain() {
    const ping = this.#pings.at(-1 - this.#index);
    const { right, top, width, height } = this.element.getBoundingClientRect();
    const x = right - ((this.#index + 0.5) * width) / BARS;
    if (ping === undefined) hideTip();
    else showTip(this.element, pingText(ping), new DOMRect(x, top, 0, height));
  }
}
