/** What can be chosen in the list, except for the states. */

import { button, el, setText } from '../dom.js';
import { COLUMNS } from './columns.js';

/**
 * @typedef {'q' | 'group' | 'sort' | 'scale'} Choice
 * @typedef {object} ToolsOptions
 * @property {(choice: Choice, value: string) => void} onChoice
 * @property {(format: 'csv' | 'json') => void} onExport
 */

export class Tools {
  #search = el('input', {
    ...{ type: 'search', id: 'search', autocomplete: 'off', spellcheck: 'false' },
    placeholder: 'name, URI, state, label, outcome',
  });
  #group = el('select', { id: 'group' });
  #sort = el('select', { id: 'sort' });
  #scale = el('select', { id: 'scale' });
  #scaleEnd = el('span', { class: 'faint' });
  #shown = el('span', { class: 'faint', role: 'status' });
  element;

  /** @param {ToolsOptions} options */
  constructor({ onChoice, onExport }) {
    this.#search.addEventListener('input', () => onChoice('q', this.#search.value));
    for (const [select, choice] of /** @type {const} */ ([
      [this.#group, 'group'],
      [this.#sort, 'sort'],
      [this.#scale, 'scale'],
    ]))
      select.addEventListener('change', () => onChoice(choice, select.value));
    setOptions(
      this.#sort,
      COLUMNS.map(({ key, title }) => [key, title]),
    );
    setOptions(this.#scale, [
      ['', 'common'],
      ['own', 'its own'],
    ]);
    this.element = el(
      'div',
      { class: 'tools', role: 'search' },
      el('label', { for: 'search', class: 'find' }, 'Find', this.#search),
      el('label', { for: 'group' }, 'Group by', this.#group),
      el('label', { for: 'sort', class: 'sorter' }, 'Sort by', this.#sort),
      el('label', { for: 'scale' }, 'RTT scale', this.#scale, this.#scaleEnd),
      el(
        'span',
        { class: 'export', role: 'group', 'aria-label': 'Save the list' },
        button('CSV', () => onExport('csv')),
        button('JSON', () => onExport('json')),
      ),
      this.#shown,
    );
  }

  /** @param {readonly (readonly [string, string])[]} groupings */
  setGroupings(groupings) {
    setOptions(this.#group, groupings);
  }

  /** @param {number | null} seconds the upper edge of the common scale; null without one */
  showScale(seconds) {
    setText(this.#scaleEnd, seconds === null ? '' : `0 to ${scaleText(seconds)}`);
  }

  /** @param {Readonly<Record<Choice, string>>} chosen */
  show(chosen) {
    // Writing it would move the cursor.
    if (this.#search.value !== chosen.q) this.#search.value = chosen.q;
    this.#group.value = chosen.group;
    this.#sort.value = chosen.sort.replace(/^-/, '');
    this.#scale.value = chosen.scale;
  }

  /**
   * @param {number} shown
   * @param {number} total
   */
  count(shown, total) {
    this.#shown.textContent = shown === total ? '' : `${shown} of ${total} shown`;
  }
}

/** A round number, without digits that say nothing. @param {number} seconds */
function scaleText(seconds) {
  return seconds < 1 ? `${Number((1000 * seconds).toPrecision(1))} ms` : `${seconds} s`;
}

/**
 * @param {HTMLSelectElement} select
 * @param {readonly (readonly [string, string])[]} options
 */
function setOptions(select, options) {
  const key = JSON.stringify(options);
  if (select.dataset['options'] === key) return;
  const { value } = select;
  select.dataset['options'] = key;
  select.replaceChildren(...options.map(([key, title]) => el('option', { value: key }, title)));
  select.value = value;
}
