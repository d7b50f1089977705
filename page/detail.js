/** One destination: what it is, how it does, and why. */

import { chart } from './chart.js';
import { el, stateBadge } from './dom.js';
import { ago, clock, daysLeft, duration, labelText, outcome } from './words.js';

/** @param {any} all as `/api/v1/destinations/NAME` tells it */
export function detail(all) {
  const now = Date.now();
  return [
    part('back', el('p', {}, el('a', { href: '#/' }, 'All destinations'))),
    part('name', el('h2', {}, all.destination)),
    part(
      'state',
      el('p', {}, stateBadge(all.state), all.since === null ? '' : ` for ${ago(all.since, now)}`),
    ),
    part(
      'facts',
      facts([
        ['Last outcome', outcome(all)],
        ['URI', all.uri],
        ['Since', clock(all.since)],
        ['Pinged every', `${all.ping_interval} s, for ${all.ping_timeout} s`],
        ['Module', all.module],
        ['Owner', all.owners.join(', ')],
        ['Labels', labelText(all.labels) || '–'],
        ['Calls itself', all.server ?? '–'],
      ]),
    ),
    part(
      'probe',
      el('p', {}, el('a', { href: probeLink(all) }, 'Ping it now, and show the messages')),
    ),
    part('hour', ...hour(all.history)),
    part(
      'targets',
      el('h2', {}, 'Targets'),
      all.targets.length === 0
        ? el('p', { class: 'faint' }, 'Its name came to no address.')
        : targets(all.targets, now),
    ),
    ...all.targets.map((/** @type {any} */ target) => closely(target, now)),
    part('resolution', ...resolution(all.resolution)),
  ];
}

/**
 * @param {string} name
 * @param {readonly (Node | null)[]} children
 */
function part(name, ...children) {
  return el('section', { 'data-part': name }, ...children);
}

/** @param {any} all */
function probeLink({ destination }) {
  return `probe?debug=true&destination=${encodeURIComponent(destination)}`;
}

/** @param {readonly (readonly [string, string])[]} pairs */
function facts(pairs) {
  return el(
    'dl',
    {},
    ...pairs.flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
  );
}

/** @param {import('./chart.js').History} history */
function hour(history) {
  const { picture, most, minutes } = chart(history);
  if (history.rtt.length === 0)
    return [
      el('h2', {}, 'Last hour'),
      el('p', { class: 'faint' }, 'Known from the second minute on.'),
    ];
  return [
    el('h2', {}, 'Last hour'),
    picture,
    el('div', { class: 'axis faint' }, el('span', {}, `${minutes} min ago`), el('span', {}, 'now')),
    el(
      'p',
      { class: 'faint' },
      `Mean round-trip time of each of the last ${minutes} minutes${most === '–' ? ', of which none is known' : `, at most ${most}`}; bars are pings that failed.`,
    ),
  ];
}

/**
 * @param {any[]} all
 * @param {number} now
 */
function targets(all, now) {
  const rows = all.map((target) => [
    `${target.transport} ${target.address}`,
    stateBadge(target.state),
    ago(target.since, now),
    target.detail ?? target.reason ?? (target.code === null ? '–' : `answered ${target.code}`),
    duration(target.last_rtt),
    target.priority === null ? '–' : `${target.priority} / ${target.weight}`,
    String(target.pings),
    target.tls === null ? '–' : daysLeft(target.tls.chain_not_after, now),
  ]);
  const head = [
    'Address',
    'State',
    'Since',
    'Last outcome',
    'Last RTT',
    'Priority / weight',
    'Pings',
    'Certificate',
  ];
  return grid('Targets', head, rows);
}

/**
 * @param {any} target
 * @param {number} now
 */
function closely(target, now) {
  const title = `${target.transport} ${target.address}`;
  const recent = target.recent.map((/** @type {any} */ ping) => [
    `${ago(ping.at, now)} ago`,
    ping.reason_text ?? 'alive',
    ping.code === null ? '–' : String(ping.code),
    duration(ping.rtt),
  ]);
  const { tls } = target;
  return part(
    title,
    el('h2', {}, title),
    recent.length === 0
      ? null
      : grid(`Last pings of ${title}`, ['When', 'Outcome', 'Code', 'RTT'], recent),
    tls === null ? null : certificate(tls, now),
    el(
      'div',
      { class: 'pair' },
      message('Last request', title, target.last_sent, 'Nothing was sent yet.'),
      message('What came back', title, target.last_received, 'Nothing has come back yet.'),
    ),
  );
}

/**
 * @param {any} tls
 * @param {number} now
 */
function certificate(tls, now) {
  return facts([
    ['Certificate', tls.subject],
    ['Issued by', tls.issuer],
    ['Expires', `${clock(tls.not_after)} (${daysLeft(tls.not_after, now)})`],
    ...(tls.chain_not_after === tls.not_after
      ? []
      : [
          /** @type {const} */ ([
            'Its chain',
            `${clock(tls.chain_not_after)} (${daysLeft(tls.chain_not_after, now)})`,
          ]),
        ]),
    ['Accepted', tls.verified ? 'yes' : `no: ${tls.fault}`],
    ['TLS', `${tls.version ?? '–'} ${tls.cipher ?? ''}`],
  ]);
}

/**
 * @param {string} title
 * @param {string} target
 * @param {string | null} text
 * @param {string} otherwise
 */
function message(title, target, text, otherwise) {
  const body =
    text === null
      ? el('p', { class: 'faint' }, otherwise)
      : el('pre', { tabindex: '0', role: 'region', 'aria-label': `${title}, ${target}` }, text);
  return el('div', {}, el('h3', {}, title), body);
}

/** @param {any} told */
function resolution(told) {
  if (told === null) return [];
  const rows = told.targets.flatMap((/** @type {any} */ target) =>
    target.steps.map((/** @type {any} */ step) => [
      `${target.transport} ${target.address}`,
      step.type,
      step.name,
      step.value,
      step.ttl_left === null ? '–' : `${step.ttl_left} s`,
    ]),
  );
  const age = told.age === null ? 'Never.' : `${Math.round(told.age)} s ago.`;
  return [
    el('h2', {}, 'How its name was resolved'),
    el('p', { class: 'faint' }, `${age} ${told.errors.join('; ')}`),
    rows.length === 0
      ? el('p', {}, 'Nothing was asked for.')
      : grid('Records', ['Target', 'Type', 'Name', 'Leads to', 'Holds'], rows),
  ];
}

/**
 * @param {string} label
 * @param {readonly string[]} head
 * @param {readonly (readonly (Node | string)[])[]} rows
 */
function grid(label, head, rows) {
  const heads = head.map((title) => el('th', { scope: 'col' }, title));
  const lines = rows.map((cells) => el('tr', {}, ...cells.map((cell) => el('td', {}, cell))));
  const table = el('table', {}, el('thead', {}, el('tr', {}, ...heads)), el('tbody', {}, ...lines));
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': label }, table);
}
