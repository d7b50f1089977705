/** The last pings of a target, in two cells each. */

import type { DownReason } from '../outcome.js';
import { RECENT, RECENT_PINGS, reasonNumber, reasonOf } from './layout.js';

/** One of a target's last pings. */
export interface RecentPing {
  /** End of the ping: wall clock, milliseconds, rounded down to seconds. */
  readonly atMs: number;
  /** Undefined when it was alive. */
  readonly reason: DownReason | undefined;
  /** 0 without a response. */
  readonly code: number;
  /** Rounded down to 11 bits, so up to 0.1 % less; 0 without a response. */
  readonly rttMicros: number;
  /** The request was sent more than once. */
  readonly isRetransmitted: boolean;
}

/** The second cell of a ping: reason (5 bits), retransmitted (1), status code (10), round-trip time (16). */
export function resultCell(
  reason: DownReason | undefined,
  code: number,
  rttMicros: number,
  isRetransmitted: boolean,
): number {
  const flag = isRetransmitted ? 1 << 26 : 0;
  return (reasonNumber(reason) << 27) | flag | (code << 16) | packed(rttMicros);
}

/** The pings in the row at `at`, the newest first. */
export function recentPings(cells: Int32Array, at: number): readonly RecentPing[] {
  const get = (cell: number) => cells[at + cell] ?? 0;
  const count = get(RECENT.count) >>> 0;
  return Array.from({ length: Math.min(count, RECENT_PINGS) }, (_, i) => {
    const ping = RECENT.pings + 2 * ((count - 1 - i) % RECENT_PINGS);
    const result = get(ping + 1);
    return {
      atMs: 1000 * (get(ping) >>> 0),
      reason: reasonOf(result >>> 27),
      code: (result >>> 16) & 0x3ff,
      rttMicros: unpacked(result & 0xffff),
      isRetransmitted: (result & (1 << 26)) !== 0,
    };
  });
}

/** A 32-bit number as 5 bits of exponent and 11 bits of mantissa. */
function packed(value: number): number {
  const exponent = Math.max(21 - Math.clz32(value), 0);
  return (exponent << 11) | (value >>> exponent);
}

function unpacked(bits: number): number {
  return (bits & 0x7ff) * 2 ** (bits >>> 11);
}
