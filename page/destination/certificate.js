/** The certificate of a target, with the days that are left as a bar. */

import { el, svg } from '../dom.js';
import { clock, daysLeft } from '../words.js';
import { facts } from './facts.js';

/** @typedef {import('../../src/status/views.js').TlsView} TlsView */

const DAY_MS = 86_400_000;
/** The bar is full from here on. */
const FULL_DAYS = 90;
/** Fewer days than this are shown as `degraded`. */
const SOON_DAYS = 14;
const WIDTH = 160;

/**
 * @param {TlsView} tls
 * @param {number} now
 */
export function certificate(tls, now) {
  const { chain } = tls;
  return el(
    'section',
    { class: 'certificate-part' },
    el('h3', {}, 'Certificate'),
    bar(tls, now),
    facts([
      ['Subject', tls.subject],
      ['Issuer', tls.issuer],
      ['Expires', expiry(tls.not_after, now)],
      ...(chain.length < 2 ? [] : [/** @type {const} */ (['Chain', chainList(chain, now)])]),
      ['Accepted', tls.verified ? 'yes' : `no: ${tls.error}`],
      ['TLS', `${tls.version ?? '–'} ${tls.cipher ?? ''}`],
    ]),
  );
}

/**
 * @param {TlsView['chain']} chain
 * @param {number} now
 */
function chainList(chain, now) {
  const items = chain.map(({ subject, not_after }) =>
    el('li', {}, `${subject}, expires ${expiry(not_after, now)}`),
  );
  return el('ol', { class: 'chain' }, ...items);
}

/**
 * @param {string | null} time
 * @param {number} now
 */
function expiry(time, now) {
  return `${clock(time)} (${daysLeft(time, now)})`;
}

/**
 * @param {TlsView} tls
 * @param {number} now
 */
function bar({ chain_not_after, verified }, now) {
  if (chain_not_after === null) return null;
  const days = (Date.parse(chain_not_after) - now) / DAY_MS;
  const state = days < 0 || !verified ? 'down' : days < SOON_DAYS ? 'degraded' : 'up';
  const width = WIDTH * Math.max(0, Math.min(1, days / FULL_DAYS));
  const picture = svg('svg', { width: WIDTH, height: 8, 'aria-hidden': 'true' });
  picture.append(
    svg('rect', { class: 'bar-back', width: WIDTH, height: 8 }),
    svg('rect', { class: `bar-${state}`, width, height: 8 }),
  );
  const left = days < 0 ? 'expired' : `${Math.floor(days)} days left`;
  const text = verified ? left : `not accepted, ${left}`;
  return el('p', { class: 'days' }, picture, el('span', { class: `badge ${state}` }, text));
}
