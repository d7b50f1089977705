/** The last pings of a destination as bars: alive, slow or retransmitted, failed. */

import { svg } from '../dom.js';
import { duration } from '../words.js';

/** @typedef {import('../../src/status/views.js').PingView} Ping */
/** @typedef {'alive' | 'slow' | 'failed' | 'local'} PingKind */

/** Number of bars. */
export const BARS = 40;
/** T1 of RFC 3261 17.1.1.1, seconds: a request over UDP that is not answered by then is sent again. */
const SLOW_SECONDS = 0.5;
const WIDTH = 4;
const HEIGHT = 24;
/** The kinds differ in height too. @type {Readonly<Record<PingKind, number>>} */
const HEIGHTS = { alive: 14, slow: 19, failed: 24, local: 8 };
const KINDS = /** @type {readonly PingKind[]} */ (Object.keys(HEIGHTS));

/** @param {Pick<Ping, 'reason' | 'rtt' | 'retransmissions'>} ping @returns {PingKind} */
export function kindOf({ reason, rtt, retransmissions }) {
  if (reason === 'local') return 'local';
  if (reason !== null) return 'failed';
  return retransmissions || (rtt ?? 0) >= SLOW_SECONDS ? 'slow' : 'alive';
}

/**
 * How a ping ended: `12:03:11: no response within the timeout`.
 *
 * @param {Ping & { readonly target?: string | null }} ping
 */
export function pingText(ping) {
  const time = ping.at === null ? '' : `${new Date(ping.at).toLocaleTimeString()}: `;
  const again = ping.retransmissions ? ', retransmitted' : '';
  const target = ping.target ? ` (${ping.target})` : '';
  return `${time}${endText(ping)}${again}${target}`;
}

/** @param {Ping} ping */
function endText({ reason, reason_text, sip_code, rtt }) {
  if (reason === 'code') return `answered with ${sip_code}`;
  const code = sip_code === null ? '' : `${sip_code} `;
  return reason_text === null ? `${code}after ${duration(rtt)}` : `${code}${reason_text}`;
}

/**
 * A path for each kind of ping; the newest ping is at the right.
 *
 * @param {readonly Ping[]} pings the oldest first
 */
export function barsPicture(pings) {
  const shown = pings.slice(-BARS);
  const first = BARS - shown.length;
  const paths = KINDS.flatMap((kind) => {
    const height = HEIGHTS[kind];
    const d = shown
      .map((ping, i) =>
        kindOf(ping) === kind
          ? `M${(first + i) * WIDTH} ${HEIGHT - height}h${WIDTH - 1}v${height}h${1 - WIDTH}z`
          : '',
      )
      .join('');
    return d === '' ? [] : [svg('path', { class: `bar-${kind}`, d })];
  });
  const size = { width: BARS * WIDTH, height: HEIGHT };
  const picture = svg('svg', {
    ...{ ...size, viewBox: `0 0 ${size.width} ${size.height}`, 'aria-hidden': 'true' },
  });
  picture.append(...paths);
  return picture;
}

/**
 * The bar under a position, counted from the newest.
 *
 * @param {number} share 0 is the left edge of the picture, 1 the right one
 */
export function barAt(share) {
  return BARS - 1 - Math.min(BARS - 1, Math.max(0, Math.floor(share * BARS)));
}

/** All bars in a sentence. @param {readonly Ping[]} pings */
export function barsText(pings) {
  if (pings.length === 0) return 'no pings yet';
  const count = (/** @type {PingKind} */ kind) =>
    pings.filter((ping) => kindOf(ping) === kind).length;
  const last = pings.findLast((ping) => kindOf(ping) === 'failed');
  const texts = [
    `last ${pings.length} pings: ${count('failed')} failed, ${count('slow')} slow or retransmitted`,
    ...(last === undefined ? [] : [`last failure ${pingText(last)}`]),
  ];
  return texts.join('; ');
}
