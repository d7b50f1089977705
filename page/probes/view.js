/** The view of the probes that were asked for over HTTP. */

import { fetchJson } from '../api.js';
import { el, grid, update } from '../dom.js';
import { ago, outcome } from '../words.js';

/** @typedef {import('../../src/status/views.js').ProbeView} Probe */

const REFRESH_MS = 10_000;

export class ProbesView {
  element = el('div');
  title = 'Probes';
  /** @type {readonly Probe[] | undefined} */ #probes;

  show() {
    this.render();
  }

  tick() {}

  close() {}

  changed() {}

  async refresh() {
    const { probes } = /** @type {{ probes: Probe[] }} */ (await fetchJson('api/v1/probes'));
    this.#probes = probes;
    this.render();
    return REFRESH_MS;
  }

  render() {
    const part = el('section', { 'data-part': 'probes' }, el('h2', {}, 'Probes'), this.#content());
    update(this.element, [part]);
  }

  #content() {
    if (this.#probes === undefined) return el('p', { class: 'faint' }, 'Loading…');
    if (this.#probes.length === 0)
      return el(
        'p',
        { class: 'empty faint' },
        'No probes yet: /probe?target=URI pings any destination once.',
      );
    const now = Date.now();
    const rows = this.#probes.map((probe) => {
      const href = `logs?id=${probe.id}`;
      const label = `Log of the probe of ${probe.target}`;
      return [
        probe.target,
        probe.module,
        `${ago(probe.at, now)} ago`,
        outcome(probe),
        el('a', { href, 'aria-label': label }, 'log'),
      ];
    });
    return grid('Probes', ['Target', 'Module', 'When', 'Outcome', 'Log'], rows);
  }
}
