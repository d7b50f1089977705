/** The view of the silences of Alertmanager. */

import { errorText, fetchJson } from '../api.js';
import { button, el, grid, update } from '../dom.js';
import { clock, period } from '../words.js';
import { matchersText, silencesOf } from './cover.js';

/**
 * @typedef {import('../../src/status/page-views.js').SilenceView} Silence
 * @typedef {import('../context.js').PageContext} PageContext
 */

const REFRESH_MS = 10_000;

export class SilencesView {
  #context;
  #problem = '';
  element = el('div');
  title = 'Silences';

  /** @param {PageContext} context */
  constructor(context) {
    this.#context = context;
  }

  show() {
    this.render();
  }

  tick() {}

  close() {}

  changed() {}

  async refresh() {
    const { store } = this.#context;
    if (store.status === null) await store.loadStatus();
    else if (store.status.web.alertmanager) await store.loadSilences();
    if (!store.isLoaded) await store.loadRows();
    this.render();
    return REFRESH_MS;
  }

  render() {
    const part = el(
      'section',
      { 'data-part': 'silences' },
      el('h2', {}, 'Silences'),
      ...this.#parts(),
    );
    update(this.element, [part]);
  }

  #parts() {
    const { silences, silencesError, status } = this.#context.store;
    if (status?.web.alertmanager === false)
      return [
        el(
          'p',
          { class: 'empty faint' },
          'Silences are kept by Alertmanager: set web.alertmanager_url.',
        ),
      ];
    const problem = this.#problem;
    const alert = problem === '' ? null : el('p', { role: 'alert', class: 'problem' }, problem);
    if (silences === null)
      return [alert, el('p', { class: 'faint' }, silencesError === '' ? 'Loading…' : 'Not known.')];
    if (silences.length === 0)
      return [alert, el('p', { class: 'empty faint' }, 'Nothing is silenced.')];
    const head = ['Matchers', 'Destinations', 'Until', 'By', 'Note', ''];
    const now = this.#context.now();
    return [
      alert,
      grid(
        'Silences',
        head,
        silences.map((silence) => this.#cells(silence, now)),
      ),
    ];
  }

  /**
   * @param {Silence} silence
   * @param {number} now
   */
  #cells(silence, now) {
    const { store, canSilence } = this.#context;
    const covered = store.rows.filter((row) => silencesOf([silence], row).length > 0);
    const left = period((Date.parse(silence.ends_at) - now) / 1000);
    const end = button('End', () => this.#end(silence), {
      'aria-label': `End the silence of ${matchersText(silence)}`,
    });
    const from = silence.state === 'pending' ? `from ${clock(silence.starts_at)} ` : '';
    return [
      matchersText(silence),
      String(covered.length),
      `${from}${clock(silence.ends_at)} (${left} left)`,
      silence.created_by,
      silence.comment,
      canSilence() ? end : null,
    ];
  }

  /** @param {Silence} silence */
  #end({ id }) {
    fetchJson(`api/v1/silences/${encodeURIComponent(id)}`, { method: 'DELETE' })
      .then(() => {
        this.#problem = '';
        return this.#context.reloadSilences();
      })
      .catch((/** @type {unknown} */ error) => {
        this.#problem = errorText(error);
        this.render();
      });
  }
}
