/** Builds elements without parsing HTML: data from the network is only ever text. */

import { shownState } from './states.js';

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @typedef {Node | string | null | undefined} Child
 * @typedef {Readonly<Record<string, string | number | boolean | undefined>>} Attributes an attribute without a
 *   value for `true`, none for `false` and `undefined`
 */

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/**
 * @param {string} tag
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return /** @type {SVGElement} */ (element);
}

/**
 * @param {Element} element
 * @param {Attributes} attributes
 * @param {readonly Child[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false)
      element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
}

/**
 * @param {string} text
 * @param {() => void} onClick
 * @param {Attributes} attributes
 */
export function button(text, onClick, attributes = {}) {
  const element = el('button', { type: 'button', ...attributes }, text);
  element.addEventListener('click', onClick);
  return element;
}

/**
 * The state with its shape and colour.
 *
 * @param {import('./states.js').StateView} view
 */
export function stateBadge(view) {
  const shown = shownState(view);
  return el('span', { class: `badge ${shown}` }, shown);
}

/** @param {string} name which may be long, so it may be cut */
export function linkTo(name) {
  const href = `#/destination/${encodeURIComponent(name)}`;
  return el('a', { class: 'name', href, title: name }, name);
}

/**
 * An unchanged text is not written: it would be read out again and lose its selection.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * A table that scrolls sideways where it must; on a phone its rows are cards.
 *
 * @param {string} label
 * @param {readonly string[]} head
 * @param {readonly (readonly Child[])[]} rows
 */
export function grid(label, head, rows) {
  const heads = head.map((title) => el('th', { scope: 'col' }, title));
  const lines = rows.map((cells) =>
    el('tr', {}, ...cells.map((cell, i) => el('td', { 'data-head': head[i] }, cell))),
  );
  const table = el(
    'table',
    { class: 'grid' },
    el('thead', {}, el('tr', {}, ...heads)),
    el('tbody', {}, ...lines),
  );
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, table);
}

/**
 * Makes these the children of an element. Those that stay keep their focus and their scroll position.
 *
 * @param {Element} parent
 * @param {readonly Element[]} children
 */
export function reconcile(parent, children) {
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  const kept = new Set(children);
  for (const child of [...parent.children]) if (!kept.has(child)) child.remove();
  children.forEach((child, i) => {
    const there = parent.children[i];
    if (there !== child) parent.insertBefore(child, there ?? null);
  });
  if (focused !== document.activeElement && focused !== null && parent.contains(focused))
    focused.focus({ preventScroll: true });
}

/** @param {Element} part */
const nameOf = (part) => part.getAttribute('data-part');
const FOCUSABLE = '[tabindex], a, button, input, select, textarea, summary';

/**
 * Replaces the parts of the same names. A part with selected text stays as it is; focus, scroll positions
 * and what is unfolded are carried over.
 *
 * @param {HTMLElement} parent
 * @param {readonly HTMLElement[]} parts each with a name in `data-part`
 */
export function update(parent, parts) {
  const before = [...parent.children];
  const isOtherView =
    parts.length !== before.length ||
    parts.some((part, i) => nameOf(part) !== nameOf(/** @type {Element} */ (before[i])));
  if (isOtherView) {
    parent.replaceChildren(...parts);
    return;
  }
  const selection = getSelection();
  const selected = selection?.isCollapsed === false ? selection.anchorNode : null;
  for (const [i, old] of before.entries()) {
    const part = /** @type {HTMLElement} */ (parts[i]);
    if (part !== old && !old.contains(selected)) replacePart(old, part);
  }
}

/**
 * @param {Element} old
 * @param {HTMLElement} part
 */
function replacePart(old, part) {
  const oldFocusable = [...old.querySelectorAll(FOCUSABLE)];
  const focused = oldFocusable.indexOf(/** @type {Element} */ (document.activeElement));
  const opened = [...old.querySelectorAll('details')].map(({ open }) => open);
  old.replaceWith(part);
  for (const [j, details] of part.querySelectorAll('details').entries())
    details.open = opened[j] ?? details.open;
  const focusable = /** @type {HTMLElement[]} */ ([...part.querySelectorAll(FOCUSABLE)]);
  for (const [j, { scrollLeft, scrollTop }] of oldFocusable.entries())
    focusable[j]?.scrollTo(scrollLeft, scrollTop);
  focusable[focused]?.focus({ preventScroll: true });
}
