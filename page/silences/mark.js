/** The mark of a destination whose alerts are silenced. */

import { el, svg } from '../dom.js';
import { clock } from '../words.js';

/** @typedef {import('../../src/status/page-views.js').SilenceView} Silence */

/**
 * Who silenced it, until when, and why.
 *
 * @param {Silence} silence
 */
export function silenceText({ ends_at, created_by, comment, state }) {
  const from = state === 'pending' ? 'To be silenced' : 'Silenced';
  return `${from} until ${clock(ends_at)} by ${created_by}: ${comment}`;
}

/** A bell that is struck out. */
const BELL = 'M3 10h8M4 10V6a3 3 0 0 1 6 0v4M6 12h2M1 13L13 1';

/** @param {readonly Silence[]} silences @returns {HTMLElement | null} */
export function silenceMark(silences) {
  if (silences.length === 0) return null;
  const title = silences.map(silenceText).join('\n');
  const bell = svg('svg', { width: 14, height: 14, viewBox: '0 0 14 14', 'aria-hidden': 'true' });
  bell.append(svg('path', { class: 'bell', d: BELL }));
  return el('span', { class: 'silenced', title, role: 'img', 'aria-label': title }, bell);
}
