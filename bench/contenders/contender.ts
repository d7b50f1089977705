/** Others who ping, measured beside us. */

import type { Bench } from '../bench.js';

/** What pings cost a contender. */
export interface Cost {
  /** CPU time of all its processes over the pings that it sent. */
  readonly cpuMicrosPerPing: number;
  readonly sentPerSecond: number;
  /** Share of its pings that got no answer in time, or had to be sent again. */
  readonly lost: number;
}

/** Undefined when the machine lacks what it takes. */
export type Contender = (bench: Bench, pingsPerSecond: number) => Promise<Cost | undefined>;

/** Reads "PINGS ANSWERS CPU_MICROSECONDS", as our own contenders print it. */
export function costOf(line: string, seconds: number): Cost {
  const [sent = 0, answered = 0, micros = 0] = line.split(' ').map(Number);
  return {
    cpuMicrosPerPing: micros / sent,
    sentPerSecond: sent / seconds,
    lost: 1 - answered / sent,
  };
}
