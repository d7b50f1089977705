/** The layout of histograms in rows of the ledger, and their classic buckets. */

import { NATIVE_SLOTS } from './native-buckets.js';

/** Assigns consecutive cells of a row. */
export function layout() {
  let next = 0;
  return (cells = 1): number => {
    next += cells;
    return next - cells;
  };
}

/** Upper bounds of a histogram, in microseconds; one more bucket counts larger values. */
const LATENESS_MICROS = [
  500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
];
const RTT_MICROS = [...LATENESS_MICROS, 2_500_000, 5_000_000];

/** All histograms of a kind have the same classic buckets. */
export const HISTOGRAM_KINDS = ['rtt', 'connect', 'lateness', 'resolution'] as const;
export type HistogramKind = (typeof HISTOGRAM_KINDS)[number];

/** The upper bounds before others are set. */
export const DEFAULT_BOUNDS: Readonly<Record<HistogramKind, readonly number[]>> = {
  rtt: RTT_MICROS,
  connect: RTT_MICROS,
  lateness: LATENESS_MICROS,
  resolution: RTT_MICROS,
};

/** Maximum number of bounds that a histogram may have. */
export const MAX_BOUNDS = 30;
const h = layout();
/** A histogram, with classic and native buckets. */
export const HISTOGRAM = {
  /** The generation of the bounds that the counts belong to. */
  bounds: h(),
  /** Time at which it began to count. */
  created: h(2),
  sum: h(2),
  /** The classic buckets, not cumulative. */
  buckets: h(MAX_BOUNDS + 1),
  /** Native buckets: number of schemas below the highest, and number of slots in use. */
  halvings: h(),
  used: h(),
  zeroCount: h(),
  /** Slots in the order of their keys, in groups: one cell with four keys, then their four counts. */
  slots: h((NATIVE_SLOTS / 4) * 5),
  words: h(0),
} as const;

/** Number of cells of a histogram with this number of slots in use. */
export const histogramWords = (used: number) => HISTOGRAM.slots + 5 * Math.ceil(used / 4);
export const slotKeyAt = (histogram: number, slot: number) =>
  histogram + HISTOGRAM.slots + 5 * (slot >> 2);
export const slotCountAt = (histogram: number, slot: number) =>
  slotKeyAt(histogram, slot) + 1 + (slot & 3);

const b = layout();
/** The classic buckets of the histograms of a kind. */
export const BOUNDS = {
  version: b(),
  generation: b(),
  /** Time at which they were set; 0 for the defaults. */
  changed: b(2),
  count: b(),
  micros: b(MAX_BOUNDS),
  words: b(0),
} as const;
