/** The explanation of what the pointer or the focus is on; one for the whole page. */

import { el } from './dom.js';

/** Distance from the edges of the window and from the element, pixels. */
const GAP = 8;

const tip = el('div', { class: 'tip', role: 'status', hidden: true });
/** What the tip is about. @type {Element | undefined} */ let owner;

/**
 * @param {Element} of the element that it is about
 * @param {string} text
 * @param {DOMRect} at what it explains
 */
export function showTip(of, text, at) {
  owner = of;
  if (!tip.isConnected) document.body.append(tip);
  tip.textContent = text;
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const left = at.left + at.width / 2 - width / 2;
  const isAbove = at.top - height - GAP > 0;
  tip.style.left = `${Math.max(GAP, Math.min(left, innerWidth - width - GAP))}px`;
  tip.style.top = `${isAbove ? at.top - height - GAP : at.bottom + GAP}px`;
}

export function hideTip() {
  owner = undefined;
  tip.hidden = true;
}

/** Whether the tip is shown, and about this element. @param {Element} element */
export function hasTip(element) {
  return owner === element;
}
