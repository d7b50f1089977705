/** Other pinging programs, measured beside the exporter. */

import type { Bench } from '../bench.js';

/** Cost of a contender's pings. */
export interface Cost {
  /** CPU time of all its processes per ping sent. */
  readonly cpuMicrosPerPing: number;
  readonly sentPerSecond: number;
  /** Share of its pings that were retransmitted or not answered in time. */
  readonly lost: number;
}

/** Undefined when the machine lacks a requirement. */
export type Contender = (bench: Bench, pingsPerSecond: number) => Promise<Cost | undefined>;

/** Reads "PINGS ANSWERS CPU_MICROSECONDS", as the contenders of this repository print it. */
export function costOf(line: string, seconds: number): Cost {
  const [sent = 0, answered = 0, micros = 0] = line.split(' ').map(Number);
  return {
    cpuMicrosPerPing: micros / sent,
    sentPerSecond: sent / seconds,
    lost: 1 - answered / sent,
  };
}
