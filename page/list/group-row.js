/** The line above the destinations of a group, with the verdict on it. */

import { button, el } from '../dom.js';
import { SHOWN_STATES } from '../states.js';
import { groupVerdict } from './group.js';

/**
 * @typedef {import('./group.js').Group} Group
 * @typedef {object} GroupContext
 * @property {string} title
 * @property {boolean} isFolded
 * @property {((group: Group) => void) | undefined} onSilence undefined if silences cannot be made
 */

export class GroupRow {
  #key = '';
  /** @type {Group | undefined} */ #group;
  /** @type {GroupContext['onSilence']} */ #onSilence;
  #toggle;
  #verdict = el('span');
  #silence = button('Silence…', () => {
    if (this.#group !== undefined) this.#onSilence?.(this.#group);
  });
  #cell = el('th', { scope: 'rowgroup' });
  element;

  /** @param {(key: string) => void} onFold */
  constructor(onFold) {
    this.#toggle = button('', () => onFold(this.#key), { class: 'fold' });
    const line = el('div', {}, this.#toggle, this.#verdict, this.#silence);
    this.#cell.append(line);
    this.element = el('tr', { class: 'group' }, this.#cell);
  }

  /**
   * @param {Group} group
   * @param {GroupContext} context
   * @param {number} columns that the line takes
   */
  show(group, { title, isFolded, onSilence }, columns) {
    this.#cell.colSpan = Math.max(1, columns);
    this.#key = group.key;
    this.#group = group;
    this.#onSilence = onSilence;
    const worst = SHOWN_STATES[group.severity] ?? 'up';
    this.#toggle.textContent = title;
    this.#toggle.setAttribute('aria-expanded', String(!isFolded));
    this.#verdict.className = `badge ${worst}`;
    this.#verdict.textContent = groupVerdict(group);
    this.#silence.hidden = onSilence === undefined;
    this.#silence.setAttribute('aria-label', `Silence ${title}…`);
  }
}
