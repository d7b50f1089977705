/** Builds elements without parsing HTML: data from the network is only ever text. */

const SVG = 'http://www.w3.org/2000/svg';

/**
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} attributes
 * @param {readonly (Node | string | null | undefined)[]} children
 * @returns {HTMLElement}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/**
 * @param {string} tag
 * @param {Record<string, string | number | undefined>} attributes
 * @param {readonly (Node | string)[]} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return /** @type {SVGElement} */ (element);
}

/**
 * @param {Element} element
 * @param {Record<string, string | number | undefined>} attributes
 * @param {readonly (Node | string | null | undefined)[]} children
 */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
}

/**
 * Whether it is down only because it asks not to be used for now.
 *
 * @param {{ readonly state: string, readonly reason: string | null }} view
 */
export function isDraining({ state, reason }) {
  return state === 'down' && reason === 'draining';
}

/**
 * The state; what is draining has a text and a colour of its own.
 *
 * @param {{ readonly state: string, readonly reason: string | null }} view
 */
export function stateBadge(view) {
  const shown = isDraining(view) ? 'draining' : view.state;
  return el('span', { class: `badge ${shown}` }, shown);
}

/** @param {string} name */
export function linkTo(name) {
  return el('a', { href: `#/destination/${encodeURIComponent(name)}` }, name);
}

/** @param {Element} part */
const nameOf = (part) => part.getAttribute('data-part');

/**
 * Replaces the parts of the same names. A part with selected text stays as it is; focus and scroll
 * positions are carried over.
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
    if (old.contains(selected)) continue;
    const oldFocusable = [...old.querySelectorAll('[tabindex], a')];
    const focused = oldFocusable.indexOf(/** @type {Element} */ (document.activeElement));
    old.replaceWith(part);
    const focusable = /** @type {HTMLElement[]} */ ([...part.querySelectorAll('[tabindex], a')]);
    for (const [j, { scrollLeft, scrollTop }] of oldFocusable.entries())
      focusable[j]?.scrollTo(scrollLeft, scrollTop);
    focusable[focused]?.focus({ preventScroll: true });
  }
}
