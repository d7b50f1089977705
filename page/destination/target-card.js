/** One target of a destination; several stand beside one another. */

import { el, grid, stateBadge } from '../dom.js';
import { barsPicture, barsText } from '../list/bars.js';
import { ago, currentRtt, duration, outcome } from '../words.js';
import { certificate } from './certificate.js';
import { facts } from './facts.js';
import { ladder } from './ladder.js';

/**
 * @typedef {import('../../src/status/views.js').TargetDetails} TargetDetails
 * @typedef {import('../../src/status/views.js').DestinationDetails} DestinationDetails
 * @typedef {{ readonly state: string, readonly since: string | null }} Lasting
 *
 * @param {TargetDetails} target
 * @param {DestinationDetails} destination
 * @param {number} now
 */
export function targetCard(target, destination, now) {
  const title = `${target.transport} ${target.address}`;
  const pings = [...target.recent].reverse();
  const srv =
    target.priority === null
      ? []
      : [/** @type {const} */ (['Priority / weight', `${target.priority} / ${target.weight}`])];
  return el(
    'section',
    { class: 'card' },
    el('h3', {}, title),
    el('p', {}, stateBadge(target), lastingText(target, destination, now)),
    el('div', { role: 'img', 'aria-label': barsText(pings) }, barsPicture(pings)),
    facts([
      ['Last outcome', outcome(target)],
      ['RTT', duration(currentRtt(target))],
      ['Pings', String(target.pings)],
      ...srv,
    ]),
    target.tls === null ? null : certificate(target.tls, now),
    el('h3', {}, 'Last exchange'),
    exchange(target, title, now),
    el(
      'details',
      {},
      el('summary', {}, `Last ${pings.length} pings`),
      recentTable(target, title, now),
    ),
  );
}

/**
 * @param {TargetDetails} target
 * @param {string} title
 * @param {number} now
 */
function exchange(target, title, now) {
  const last = target.exchange;
  if (last === null) return el('p', { class: 'faint' }, noExchangeText(target));
  return el(
    'div',
    {},
    el('p', { class: 'faint' }, `${ago(last.started_at, now)} ago`),
    ladder(last.steps, `the last exchange with ${title}`),
  );
}

/**
 * How long a target has been in its state. Of a destination that was down before the exporter was restarted,
 * it is known of the destination alone; its only target was down for as long.
 *
 * @param {Lasting} target
 * @param {Lasting & { readonly targets_total: number }} destination
 * @param {number} now
 */
export function lastingText({ state, since }, destination, now) {
  if (since === null) return '';
  const isOlder =
    destination.state === 'down' &&
    state === 'down' &&
    destination.since !== null &&
    destination.since < since;
  if (isOlder && destination.targets_total === 1) return ` for ${ago(destination.since, now)}`;
  return ` for ${isOlder ? 'at least ' : ''}${ago(since, now)}`;
}

/** @param {TargetDetails} target */
export function noExchangeText(target) {
  if (target.pings === 0) return 'Nothing sent yet.';
  if (target.reason === null) return 'Its messages are not known now.';
  return `No request is known to have been sent: ${outcome(target)}.`;
}

/**
 * @param {TargetDetails} target
 * @param {string} title
 * @param {number} now
 */
function recentTable({ recent }, title, now) {
  const rows = recent.map((ping) => [
    `${ago(ping.at, now)} ago`,
    `${ping.reason_text ?? 'alive'}${ping.retransmissions ? ', retransmitted' : ''}`,
    ping.sip_code === null ? '–' : String(ping.sip_code),
    duration(ping.rtt),
  ]);
  return grid(`Last pings of ${title}`, ['When', 'Outcome', 'SIP code', 'RTT'], rows);
}
