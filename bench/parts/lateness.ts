/** Delay between when pings are due and when they are sent. */

import type { Part } from '../bench.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { quantile } from '../samples.js';

const RATE = 5000;
/** At this rate pings are sent in batches, every 20 ms; a ping that leaves with its batch is not late. */
const MAX_MICROS = 22_000;

export const lateness: Part = async (bench) => {
  const { lateness: buckets } = await bench.steady(RATE);
  const row = (share: number): Row => {
    const { value, above, upTo } = quantile(buckets, share);
    const bounds = `between ${duration(above * 1e6)} and ${duration(upTo * 1e6)}`;
    const what = `send delay at ${grouped(RATE)}/s, p${100 * share}`;
    return { part: 'lateness', what, figure: `${duration(value * 1e6)} (${bounds})` };
  };
  const p99 = quantile(buckets, 0.99);
  return [
    row(0.5),
    { ...row(0.99), goal: 'under 22 ms', verdict: atMost(p99.value * 1e6, MAX_MICROS) },
    row(0.999),
  ];
};
