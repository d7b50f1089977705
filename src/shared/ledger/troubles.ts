/** What was wrong with a target's last ten pings: three registers of ten bits, the newest ping in the lowest one. */

import type { DownReason } from '../outcome.js';
import { T1_MS } from '../sip-timers.js';

export interface Troubles {
  /** Number of pings that the others are part of: up to ten, without local failures. */
  readonly pings: number;
  readonly failed: number;
  /** Alive, but the request was sent more than once. */
  readonly retransmitted: number;
  /** Alive, but slower than T1. */
  readonly slow: number;
}

export const TROUBLED_PINGS = 10;
/** This many pings with a trouble make a target degraded. */
const MIN_TROUBLED = 2;

const RETRANSMITTED = TROUBLED_PINGS;
const SLOW = 2 * TROUBLED_PINGS;
const BITS = 2 ** TROUBLED_PINGS - 1;
/** The bits that a shift leaves in their register. */
const KEPT = (BITS - 1) | ((BITS - 1) << RETRANSMITTED) | ((BITS - 1) << SLOW);

/** The registers after one more ping. */
export function nextTroubles(
  registers: number,
  reason: DownReason | undefined,
  isRetransmitted: boolean,
  rttMicros: number,
): number {
  const before = (registers << 1) & KEPT;
  if (reason !== undefined) return before | 1;
  const retransmitted = isRetransmitted ? 1 << RETRANSMITTED : 0;
  return before | retransmitted | (rttMicros >= 1000 * T1_MS ? 1 << SLOW : 0);
}

/** Undefined unless they make the target degraded. */
export function troublesOf(registers: number, pings: number): Troubles | undefined {
  if (registers === 0) return undefined;
  const failed = registers & BITS;
  const retransmitted = (registers >> RETRANSMITTED) & BITS;
  const slow = (registers >> SLOW) & BITS;
  if (ones(failed | retransmitted | slow) < MIN_TROUBLED) return undefined;
  return { pings, failed: ones(failed), retransmitted: ones(retransmitted), slow: ones(slow) };
}

function ones(bits: number): number {
  let count = 0;
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++;
  return count;
}
