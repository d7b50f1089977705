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
