/** Read access to a histogram of the ledger. */

import { HISTOGRAM, slotCountAt, slotKeyAt } from './histogram-layout.js';
import { wide } from './layout.js';
import { HIGHEST_SCHEMA, indexOfKey } from './native-buckets.js';

/** The classic buckets of the histograms of a kind. */
export interface Bounds {
  readonly generation: number;
  /** Time at which they were set: wall clock, milliseconds; 0 for the defaults. */
  readonly changedMs: number;
  /** Upper bounds; one more bucket counts larger values. */
  readonly micros: readonly number[];
}

const EMPTY = new Int32Array(HISTOGRAM.words);

/** A copy of a histogram; getters read its cells. */
export class Histogram {
  readonly #cells: Int32Array;
  readonly #at: number;
  readonly #bounds: Bounds;
  readonly #isCurrent: boolean;

  /** @param at offset of the histogram in `cells`. */
  constructor(cells: Int32Array, at: number, bounds: Bounds) {
    // Counts with earlier bounds are ignored; the writer clears them with the next value.
    this.#isCurrent = cells[at + HISTOGRAM.bounds] === bounds.generation;
    this.#cells = this.#isCurrent ? cells : EMPTY;
    this.#at = this.#isCurrent ? at : 0;
    this.#bounds = bounds;
  }

  /** Upper bounds of the classic buckets; one more bucket counts larger values. */
  get boundsMicros(): readonly number[] {
    return this.#bounds.micros;
  }

  /** Time at which it began to count: wall clock, milliseconds. */
  get createdMs(): number {
    if (!this.#isCurrent) return this.#bounds.changedMs;
    const at = this.#at + HISTOGRAM.created;
    return wide(this.#cells[at] ?? 0, this.#cells[at + 1] ?? 0);
  }

  get sumMicros(): number {
    const at = this.#at + HISTOGRAM.sum;
    return wide(this.#cells[at] ?? 0, this.#cells[at + 1] ?? 0);
  }

  /** Number of values in a classic bucket, not cumulative. */
  bucket(index: number): number {
    return (this.#cells[this.#at + HISTOGRAM.buckets + index] ?? 0) >>> 0;
  }

  /** Number of values in each classic bucket, not cumulative. */
  get buckets(): readonly number[] {
    return Array.from({ length: this.#bounds.micros.length + 1 }, (_, i) => this.bucket(i));
  }

  get count(): number {
    let count = 0;
    for (let i = 0; i <= this.#bounds.micros.length; i++) count += this.bucket(i);
    return count;
  }

  /** Schema of the native buckets. */
  get schema(): number {
    return HIGHEST_SCHEMA - (this.#cells[this.#at + HISTOGRAM.halvings] ?? 0);
  }

  /** Number of values up to ZERO_THRESHOLD_SECONDS. */
  get zeroCount(): number {
    return (this.#cells[this.#at + HISTOGRAM.zeroCount] ?? 0) >>> 0;
  }

  /** Number of native buckets in use, which are in the order of their indexes. */
  get nativeBuckets(): number {
    return this.#cells[this.#at + HISTOGRAM.used] ?? 0;
  }

  nativeIndex(bucket: number): number {
    const keys = this.#cells[slotKeyAt(this.#at, bucket)] ?? 0;
    return indexOfKey((keys >>> (8 * (bucket & 3))) & 0xff);
  }

  nativeCount(bucket: number): number {
    return (this.#cells[slotCountAt(this.#at, bucket)] ?? 0) >>> 0;
  }
}
