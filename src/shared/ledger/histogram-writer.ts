/** Writes the histograms of the ledger. */

import type { Cells } from './cells.js';
import type { Bounds } from './histogram.js';
import {
  BOUNDS,
  DEFAULT_BOUNDS,
  HISTOGRAM,
  HISTOGRAM_KINDS,
  type HistogramKind,
  MAX_BOUNDS,
  slotCountAt,
  slotKeyAt,
} from './histogram-layout.js';
import { boundsAt } from './layout.js';
import { halvedKey, keyOf, NATIVE_SLOTS } from './native-buckets.js';

type CurrentBounds = Pick<Bounds, 'generation' | 'micros'>;

export class HistogramWriter {
  readonly #cells: Cells;
  readonly #epoch: () => number;
  readonly #bounds: Record<HistogramKind, CurrentBounds>;

  /** @param epoch wall clock, milliseconds. */
  constructor(cells: Cells, epoch: () => number) {
    this.#cells = cells;
    this.#epoch = epoch;
    this.#bounds = { ...INITIAL };
    for (const kind of HISTOGRAM_KINDS) this.#bounds[kind] = this.#read(kind);
  }

  boundsMicros(kind: HistogramKind): readonly number[] {
    return this.#bounds[kind].micros;
  }

  /** Sets the classic buckets of a kind. Its histograms restart with their next value. */
  setBounds(kind: HistogramKind, micros: readonly number[]): void {
    const before = this.#bounds[kind];
    const isSame =
      before.micros.length === micros.length && before.micros.every((m, i) => m === micros[i]);
    if (isSame) return;
    const row = boundsAt(kind);
    const generation = before.generation + 1;
    this.#cells.lock(row);
    this.#cells.set(row + BOUNDS.generation, generation);
    this.#cells.setWide(row + BOUNDS.changed, this.#epoch());
    this.#cells.set(row + BOUNDS.count, micros.length);
    for (const [i, bound] of micros.entries()) this.#cells.set(row + BOUNDS.micros + i, bound);
    this.#cells.unlock(row);
    this.#bounds[kind] = { generation, micros };
  }

  /** Starts a histogram whose cells are 0. Its row must be locked. */
  open(kind: HistogramKind, at: number): void {
    this.#cells.set(at + HISTOGRAM.bounds, this.#bounds[kind].generation);
    this.#cells.setWide(at + HISTOGRAM.created, this.#epoch());
  }

  /** Counts a value. The row must be locked. */
  record(kind: HistogramKind, at: number, micros: number): void {
    const { generation, micros: bounds } = this.#bounds[kind];
    if (this.#cells.get(at + HISTOGRAM.bounds) !== generation) this.#restart(kind, at);
    this.#cells.addWide(at + HISTOGRAM.sum, micros);
    this.#cells.add(at + HISTOGRAM.buckets + bucketOf(bounds, micros), 1);
    this.#recordNative(at, keyOf(micros));
  }

  /** Repairs a histogram after a writer crashed in its row: restarts it if classic and native buckets disagree. */
  repair(kind: HistogramKind, at: number): void {
    if (!this.#isConsistent(at)) this.#restart(kind, at);
  }

  #restart(kind: HistogramKind, at: number): void {
    for (let cell = at; cell < at + HISTOGRAM.words; cell++) this.#cells.set(cell, 0);
    this.open(kind, at);
  }

  #isConsistent(at: number): boolean {
    let count = 0;
    for (let i = 0; i <= MAX_BOUNDS; i++)
      count += this.#cells.get(at + HISTOGRAM.buckets + i) >>> 0;
    count -= this.#cells.get(at + HISTOGRAM.zeroCount) >>> 0;
    const used = this.#cells.get(at + HISTOGRAM.used);
    for (let slot = 0; slot < used; slot++) {
      if (slot > 0 && this.#key(at, slot) <= this.#key(at, slot - 1)) return false;
      count -= this.#cells.get(slotCountAt(at, slot)) >>> 0;
    }
    return count === 0;
  }

  #recordNative(at: number, fullKey: number): void {
    if (fullKey === 0) {
      this.#cells.add(at + HISTOGRAM.zeroCount, 1);
      return;
    }
    for (;;) {
      const used = this.#cells.get(at + HISTOGRAM.used);
      const key = this.#currentKey(at, fullKey);
      let slot = 0;
      while (slot < used && this.#key(at, slot) < key) slot++;
      const isKnown = slot < used && this.#key(at, slot) === key;
      if (!isKnown && used === NATIVE_SLOTS) {
        this.#halve(at);
        continue;
      }
      if (!isKnown) this.#insert(at, slot, key);
      this.#cells.add(slotCountAt(at, slot), 1);
      return;
    }
  }

  /** The key in the current schema of the histogram. */
  #currentKey(at: number, fullKey: number): number {
    let key = fullKey;
    for (let i = this.#cells.get(at + HISTOGRAM.halvings); i > 0; i--) key = halvedKey(key);
    return key;
  }

  /** Inserts a bucket. Slots are in the order of their keys. */
  #insert(at: number, slot: number, key: number): void {
    const used = this.#cells.get(at + HISTOGRAM.used);
    for (let i = used; i > slot; i--) {
      this.#setSlot(at, i, this.#key(at, i - 1), this.#cells.get(slotCountAt(at, i - 1)));
    }
    this.#setSlot(at, slot, key, 0);
    this.#cells.set(at + HISTOGRAM.used, used + 1);
  }

  /** Changes to the next lower schema, which merges neighbouring buckets. */
  #halve(at: number): void {
    const used = this.#cells.get(at + HISTOGRAM.used);
    let kept = 0;
    for (let slot = 0; slot < used; slot++) {
      const key = halvedKey(this.#key(at, slot));
      const count = this.#cells.get(slotCountAt(at, slot));
      if (kept > 0 && this.#key(at, kept - 1) === key) {
        this.#cells.add(slotCountAt(at, kept - 1), count);
      } else {
        this.#setSlot(at, kept++, key, count);
      }
    }
    this.#cells.set(at + HISTOGRAM.used, kept);
    this.#cells.add(at + HISTOGRAM.halvings, 1);
  }

  #key(at: number, slot: number): number {
    return (this.#cells.get(slotKeyAt(at, slot)) >>> (8 * (slot % 4))) & 0xff;
  }

  #setSlot(at: number, slot: number, key: number, count: number): void {
    const shift = 8 * (slot % 4);
    const keys = this.#cells.get(slotKeyAt(at, slot)) & ~(0xff << shift);
    this.#cells.set(slotKeyAt(at, slot), keys | (key << shift));
    this.#cells.set(slotCountAt(at, slot), count);
  }

  /** The bounds that an earlier writer set. */
  #read(kind: HistogramKind): CurrentBounds {
    const row = boundsAt(kind);
    // The previous writer may have crashed while it set the bounds.
    if (this.#cells.isLocked(row)) this.#cells.unlock(row);
    const length = this.#cells.get(row + BOUNDS.count);
    return {
      generation: this.#cells.get(row + BOUNDS.generation),
      micros: Array.from({ length }, (_, i) => this.#cells.get(row + BOUNDS.micros + i) >>> 0),
    };
  }
}

const INITIAL: Readonly<Record<HistogramKind, CurrentBounds>> = {
  rtt: { generation: 0, micros: DEFAULT_BOUNDS.rtt },
  connect: { generation: 0, micros: DEFAULT_BOUNDS.connect },
  lateness: { generation: 0, micros: DEFAULT_BOUNDS.lateness },
  resolution: { generation: 0, micros: DEFAULT_BOUNDS.resolution },
};

/** The first bucket whose upper bound is not below the value, like `le` in Prometheus. */
export function bucketOf(boundsMicros: readonly number[], micros: number): number {
  let bucket = 0;
  while (bucket < boundsMicros.length && micros > (boundsMicros[bucket] ?? 0)) bucket++;
  return bucket;
}
