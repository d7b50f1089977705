/** One ping on request, with its result and its messages, in place. */

import { destinationQuery, errorText, fetchJson } from '../api.js';
import { button, el, stateBadge } from '../dom.js';
import { duration, outcome } from '../words.js';
import { ladder, messageSummary } from './ladder.js';

/**
 * @typedef {import('../../src/status/views.js').ProbeDetails} ProbeDetails
 */

export class PingNow {
  #name = '';
  element = el('section', { 'data-part': 'ping-now', 'aria-live': 'polite' });
  button = button('Ping now', () => void this.#ping().catch(() => {}));

  /** @param {string} name of the destination */
  show(name) {
    if (name === this.#name) return;
    this.#name = name;
    this.element.replaceChildren();
  }

  async #ping() {
    this.button.disabled = true;
    this.element.replaceChildren(el('p', { class: 'faint' }, 'Pinging…'));
    const name = this.#name;
    try {
      const probe = /** @type {ProbeDetails} */ (
        await fetchJson(`probe?debug=true&${destinationQuery([name])}`)
      );
      if (name === this.#name) this.element.replaceChildren(this.#result(probe));
    } catch (error) {
      const text = `The ping failed: ${errorText(error)}`;
      if (name === this.#name) this.element.replaceChildren(el('p', { class: 'problem' }, text));
    } finally {
      this.button.disabled = false;
    }
  }

  /** @param {ProbeDetails} probe */
  #result(probe) {
    const started = Date.parse(probe.steps[0]?.at ?? probe.at);
    const steps = probe.steps.map(({ at, text, message }) => ({
      offset: (Date.parse(at) - started) / 1000,
      direction: directionOf(text, message),
      ...{ summary: message === null ? text : messageSummary(message), message },
    }));
    const rtt = probe.rtt === null ? '' : `, RTT ${duration(probe.rtt)}`;
    const close = button('Close', () => this.element.replaceChildren());
    return el(
      'div',
      { class: 'card' },
      el('h3', {}, 'Ping now'),
      el('p', {}, stateBadge(probe), ` ${outcome(probe)}${rtt}`),
      ladder(steps, 'the ping', close),
    );
  }
}

/**
 * @param {string} text
 * @param {string | null} message
 * @returns {'sent' | 'received' | 'note'}
 */
function directionOf(text, message) {
  if (message === null) return 'note';
  return text.startsWith('sent') ? 'sent' : 'received';
}
