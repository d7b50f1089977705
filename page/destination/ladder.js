/** An exchange of SIP messages as a ladder, and as text to copy. */

import { button, el } from '../dom.js';
import { duration } from '../words.js';

/**
 * @typedef {object} LadderStep
 * @property {number | null} offset seconds since the first message
 * @property {'sent' | 'received' | 'note'} direction
 * @property {string} summary
 * @property {string | null} message
 */

/**
 * @param {readonly LadderStep[]} steps
 * @param {string} label
 * @param {HTMLElement[]} buttons beside the one that copies
 */
export function ladder(steps, label, ...buttons) {
  const rungs = steps.map(({ offset, direction, summary, message }) => {
    const time = el('span', { class: 'time' }, offset === null ? '' : `+${duration(offset)}`);
    const what = el('span', { class: `rung ${direction}` }, summary);
    if (message === null) return el('li', { class: 'step' }, time, what);
    const text = el(
      'pre',
      { tabindex: '0', role: 'region', 'aria-label': summary },
      message.trimEnd(),
    );
    return el(
      'li',
      { class: 'step' },
      time,
      what,
      el('details', {}, el('summary', {}, 'message'), text),
    );
  });
  return el(
    'div',
    { class: 'ladder' },
    el(
      'div',
      { class: 'ends faint', 'aria-hidden': 'true' },
      el('span', {}, 'exporter'),
      el('span', {}, 'peer'),
    ),
    el('ol', { 'aria-label': label }, ...rungs),
    el('p', { class: 'actions start' }, copyButton(steps, label), ...buttons),
  );
}

/**
 * @param {readonly LadderStep[]} steps
 * @param {string} label
 */
function copyButton(steps, label) {
  const copy = button(
    'Copy as text',
    () => {
      copyText(ladderText(steps)).then(
        () => {
          copy.textContent = 'Copied';
        },
        () => {
          copy.textContent = 'The browser does not allow it';
        },
      );
    },
    { 'aria-label': `Copy as text: ${label}` },
  );
  return copy;
}

/** Browsers have a clipboard only for pages over HTTPS and of this machine. @param {string} text */
async function copyText(text) {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = el('textarea', {}, text);
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand('copy');
  area.remove();
  if (!isCopied) throw new Error('not copied');
}

/** What a SIP message is: `OPTIONS`, `200 OK`. @param {string} message */
export function messageSummary(message) {
  const [line = ''] = message.split(/\r?\n/, 1);
  return line.startsWith('SIP/2.0 ') ? line.slice('SIP/2.0 '.length) : (line.split(' ')[0] ?? line);
}

/** @param {readonly LadderStep[]} steps */
export function ladderText(steps) {
  const arrows = { sent: '->', received: '<-', note: '  ' };
  return steps
    .map(({ offset, direction, summary, message }) => {
      const time = offset === null ? '' : `+${offset.toFixed(6)} s `;
      const body = message === null ? '' : `\n${message.trimEnd().replace(/^/gm, '    ')}`;
      return `${time}${arrows[direction]} ${summary}${body}\n`;
    })
    .join('');
}
