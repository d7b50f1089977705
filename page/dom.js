/** Elements, made without a word of HTML: what comes from the network is text and nothing else. */

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

/** @param {string} state */
export function stateBadge(state) {
  return el('span', { class: `badge ${state}` }, state);
}

/** @param {string} name */
export function linkTo(name) {
  return el('a', { href: `#/destination/${encodeURIComponent(name)}` }, name);
}

/** @param {Element} part */
const nameOf = (part) => part.getAttribute('data-part');

/**
 * Puts new parts in the place of those of the same names. A part in which somebody has selected text
 * stays as it is; focus and scrolling go over to the new ones.
 *
 * @param {HTMLElement} whole
 * @param {readonly HTMLElement[]} parts each with a name, `data-part`
 */
export function renew(whole, parts) {
  const before = [...whole.children];
  const isOther =
    parts.length !== before.length ||
    parts.some((part, i) => nameOf(part) !== nameOf(/** @type {Element} */ (before[i])));
  if (isOther) {
    whole.replaceChildren(...parts);
    return;
  }
  const selection = getSelection();
  const selected = selection?.isCollapsed === false ? selection.anchorNode : null;
  for (const [i, old] of before.entries()) {
    const part = /** @type {HTMLElement} */ (parts[i]);
    if (old.contains(selected)) continue;
    const places = [...old.querySelectorAll('[tabindex], a')];
    const at = places.indexOf(/** @type {Element} */ (document.activeElement));
    old.replaceWith(part);
    const renewed = /** @type {HTMLElement[]} */ ([...part.querySelectorAll('[tabindex], a')]);
    for (const [j, place] of places.entries())
      renewed[j]?.scrollTo(place.scrollLeft, place.scrollTop);
    renewed[at]?.focus({ preventScroll: true });
  }
}
