/** The view of one destination. */

import { chart } from './chart.js';
import { el, stateBadge } from './dom.js';
import { ago, clock, daysLeft, duration, labelText, outcome } from './words.js';

/**
 * @typedef {import('../src/status/views.js').DestinationDetails} DestinationDetails
 * @typedef {import('../src/status/views.js').HistoryView} HistoryView
 * @typedef {import('../src/status/views.js').KamailioView} KamailioView
 * @typedef {import('../src/status/views.js').ResolutionView} ResolutionView
 * @typedef {import('../src/status/views.js').TargetDetails} TargetDetails
 * @typedef {import('../src/status/views.js').TlsView} TlsView
 */

/**
 * The sections of the view, each with a name in `data-part`.
 *
 * @param {DestinationDetails} destination
 */
export function detail(destination) {
  const { since, targets } = destination;
  const now = Date.now();
  return [
    part('back', el('p', {}, el('a', { href: '#/' }, 'All destinations'))),
    part('name', el('h2', {}, destination.destination)),
    part(
      'state',
      el('p', {}, stateBadge(destination), since === null ? '' : ` for ${ago(since, now)}`),
    ),
    part('facts', facts(destinationFacts(destination))),
    part(
      'probe',
      el('p', {}, el('a', { href: probeLink(destination) }, 'Ping now and show the messages')),
    ),
    part('hour', el('h2', {}, 'Last hour'), ...lastHour(destination.history)),
    part(
      'targets',
      el('h2', {}, 'Targets'),
      targets.length === 0
        ? el('p', { class: 'faint' }, 'DNS returned no address.')
        : targetTable(targets, now),
    ),
    ...targets.map((target) => targetPart(target, now)),
    part('resolution', ...resolutionParts(destination.resolution)),
    part('kamailio', ...kamailioParts(destination.kamailios, now)),
  ];
}

/**
 * @param {DestinationDetails} destination
 * @returns {readonly (readonly [string, string])[]}
 */
function destinationFacts(destination) {
  const { owners, labels, server } = destination;
  return [
    ['Last outcome', outcome(destination)],
    ['URI', destination.uri],
    ['Since', clock(destination.since)],
    ['Pings', intervals(destination)],
    ['Module', destination.module],
    ['Owner', owners.join(', ')],
    ['Labels', labelText(labels) || '–'],
    ['Server', server ?? '–'],
  ];
}

/** @param {DestinationDetails} destination */
function intervals({ ping_interval, retry_interval, down_interval, ping_timeout }) {
  const retry = retry_interval === ping_interval ? '' : `, retry ${retry_interval} s`;
  const down = down_interval === ping_interval ? '' : `, while down ${down_interval} s`;
  return `Interval ${ping_interval} s${retry}${down}, timeout ${ping_timeout} s`;
}

/**
 * @param {string} name
 * @param {readonly (Node | null)[]} children
 */
function part(name, ...children) {
  return el('section', { 'data-part': name }, ...children);
}

/** @param {DestinationDetails} destination */
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

/** @param {HistoryView} history */
function lastHour(history) {
  if (history.rtt.length === 0)
    return [el('p', { class: 'faint' }, 'No data yet; the first point comes after a minute.')];
  const { picture, max, minutes } = chart(history);
  const range = max === '–' ? 'no data yet' : `up to ${max}`;
  return [
    picture,
    el('div', { class: 'axis faint' }, el('span', {}, `${minutes} min ago`), el('span', {}, 'now')),
    el('p', { class: 'faint' }, `Line: mean RTT per minute (${range}). Bars: failed pings.`),
  ];
}

/**
 * @param {readonly TargetDetails[]} targets
 * @param {number} now
 */
function targetTable(targets, now) {
  const rows = targets.map((target) => [
    `${target.transport} ${target.address}`,
    stateBadge(target),
    ago(target.since, now),
    outcome(target),
    duration(target.rtt),
    target.priority === null ? '–' : `${target.priority} / ${target.weight}`,
    String(target.pings),
    target.tls === null ? '–' : daysLeft(target.tls.chain_not_after, now),
  ]);
  const head = [
    ...['Address', 'State', 'Since', 'Last outcome', 'Last RTT', 'Priority / weight'],
    ...['Pings', 'Certificate'],
  ];
  return grid('Targets', head, rows);
}

/**
 * @param {TargetDetails} target
 * @param {number} now
 */
function targetPart(target, now) {
  const title = `${target.transport} ${target.address}`;
  const recent = target.recent.map((ping) => [
    `${ago(ping.at, now)} ago`,
    ping.reason_text ?? 'alive',
    ping.sip_code === null ? '–' : String(ping.sip_code),
    duration(ping.rtt),
  ]);
  return part(
    title,
    el('h2', {}, title),
    recent.length === 0
      ? null
      : grid(`Last pings of ${title}`, ['When', 'Outcome', 'SIP code', 'RTT'], recent),
    target.tls === null ? null : facts(certificateFacts(target.tls, now)),
    el(
      'div',
      { class: 'pair' },
      message('Last request', title, target.last_sent, 'No request sent yet.'),
      message('Last response', title, target.last_received, 'No response to the last ping.'),
    ),
  );
}

/**
 * @param {TlsView} tls
 * @param {number} now
 * @returns {readonly (readonly [string, string])[]}
 */
function certificateFacts(tls, now) {
  const expiry = (/** @type {string | null} */ time) => `${clock(time)} (${daysLeft(time, now)})`;
  const isChainEarlier = tls.chain_not_after !== tls.not_after;
  return [
    ['Certificate', tls.subject],
    ['Issuer', tls.issuer],
    ['Expires', expiry(tls.not_after)],
    ...(isChainEarlier
      ? [/** @type {const} */ (['Chain expires', expiry(tls.chain_not_after)])]
      : []),
    ['Accepted', tls.verified ? 'yes' : `no: ${tls.error}`],
    ['TLS', `${tls.version ?? '–'} ${tls.cipher ?? ''}`],
  ];
}

/**
 * @param {string} title
 * @param {string} target
 * @param {string | null} text
 * @param {string} placeholder
 */
function message(title, target, text, placeholder) {
  const body =
    text === null
      ? el('p', { class: 'faint' }, placeholder)
      : el('pre', { tabindex: '0', role: 'region', 'aria-label': `${title}, ${target}` }, text);
  return el('div', {}, el('h3', {}, title), body);
}

/** @param {ResolutionView | null} resolution */
function resolutionParts(resolution) {
  if (resolution === null) return [];
  const { age, errors, targets } = resolution;
  const rows = targets.flatMap(({ transport, address, steps }) =>
    steps.map((step) => [
      `${transport} ${address}`,
      step.type,
      step.name,
      step.value,
      step.ttl_left === null ? '–' : `${step.ttl_left} s`,
    ]),
  );
  const success =
    age === null ? 'No lookup has succeeded yet.' : `Last success ${Math.round(age)} s ago.`;
  return [
    el('h2', {}, 'DNS'),
    el('p', { class: 'faint' }, [success, ...errors].join(' ')),
    rows.length === 0
      ? el('p', {}, 'No records.')
      : grid('Records', ['Target', 'Type', 'Name', 'Value', 'TTL left'], rows),
  ];
}

/**
 * @param {readonly KamailioView[]} kamailios
 * @param {number} now
 */
function kamailioParts(kamailios, now) {
  if (kamailios.length === 0) return [];
  const rows = kamailios.map((one) => [
    one.kamailio,
    one.setid === null ? one.module : `${one.module} set ${one.setid}`,
    one.uri,
    one.registered === null ? one.state : one.registered ? 'registered' : 'not registered',
    disagreementText(one, now),
    one.probed ? 'yes' : 'no',
  ]);
  const head = ['Kamailio', 'List', 'URI', 'State there', 'Agrees', 'Pinged by it'];
  return [el('h2', {}, 'In Kamailio'), grid('In Kamailio', head, rows)];
}

/**
 * @param {KamailioView} view
 * @param {number} now
 */
function disagreementText({ module, disagreement, disagreement_since }, now) {
  if (module === 'uac') return '–';
  if (disagreement === null) return 'yes';
  const what =
    disagreement === 'routes_to_down'
      ? 'routes to it although it is down'
      : 'leaves it out although it is up';
  return `no: ${what}, for ${ago(disagreement_since, now)}`;
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
