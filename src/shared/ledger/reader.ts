import type { DestinationSlot, TargetSlot } from '../destination.js';
import { FAILURE_REASONS, isLocalFailure } from '../outcome.js';
import { Exemplars } from './exemplars.js';
import type { Bounds } from './histogram.js';
import {
  BOUNDS,
  HISTOGRAM,
  type HistogramKind,
  histogramWords,
  MAX_BOUNDS,
} from './histogram-layout.js';
import {
  boundsAt,
  CONNECT_PHASES,
  CONNECTION,
  connectionAt,
  DESTINATION,
  destinationAt,
  EXEMPLARS,
  exemplarsAt,
  GENERATION,
  PINGER,
  RECENT,
  recentAt,
  TARGET,
  targetAt,
  wide,
} from './layout.js';
import { NATIVE_SLOTS } from './native-buckets.js';
import { PingerRow } from './pinger-row.js';
import { type RecentPing, recentPings } from './recent-pings.js';
import {
  ConnectionRow,
  DestinationRow,
  DestinationVerdict,
  TargetResults,
  TargetRow,
} from './rows.js';

/** Reads consistent copies of rows of the ledger. */
export class LedgerReader {
  readonly #cells: Int32Array;
  /** Copies of rows are appended to a page, which is kept while any of them is in use. */
  #page = new Int32Array(0);
  #used = 0;
  readonly #bounds = new Map<HistogramKind, Versioned<Bounds>>();

  constructor(buffer: SharedArrayBuffer) {
    this.#cells = new Int32Array(buffer);
  }

  /** Undefined if the row does not belong to this target. */
  target(slot: TargetSlot): TargetRow | undefined {
    const at = this.#copy(targetAt(slot.index), TARGET.rtt, 1);
    if (!this.#isOf(slot, at)) return undefined;
    return new TargetRow(this.#page, at, this.#boundsOf('rtt'));
  }

  /** The first cells of a target's row, which take a tenth of the time. */
  results(slot: TargetSlot): TargetResults | undefined {
    const at = this.#copy(targetAt(slot.index), TARGET.results);
    return this.#isOf(slot, at) ? new TargetResults(this.#page, at) : undefined;
  }

  /** The counters that histories need, without copying the row. */
  totals(slot: TargetSlot): Totals | undefined {
    const row = targetAt(slot.index);
    const get = (cell: number) => Atomics.load(this.#cells, row + cell) >>> 0;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const version = get(TARGET.version);
      if (version % 2 !== 0) continue;
      const isSameOwner = get(TARGET.generation) === slot.generation;
      const alive = get(TARGET.alive);
      let pings = alive;
      for (let i = 0; i < FAILURE_REASONS.length; i++) {
        if (!isLocalFailure(FAILURE_REASONS[i])) pings += get(TARGET.failures + i);
      }
      let answers = 0;
      const buckets = TARGET.rtt + HISTOGRAM.buckets;
      for (let i = 0; i <= MAX_BOUNDS; i++) answers += get(buckets + i);
      const sum = TARGET.rtt + HISTOGRAM.sum;
      const sumMicros = wide(get(sum), get(sum + 1));
      if (get(TARGET.version) === version) {
        return isSameOwner ? { pings, alive, answers, sumMicros } : undefined;
      }
    }
    return undefined;
  }

  /** Undefined before the first connection to this target. */
  connection(slot: TargetSlot): ConnectionRow | undefined {
    const histograms = CONNECT_PHASES.length;
    const at = this.#copy(connectionAt(slot.index), CONNECTION.phases, histograms);
    if (!this.#isOf(slot, at)) return undefined;
    return new ConnectionRow(this.#page, at, this.#boundsOf('connect'));
  }

  /** Undefined until one was recorded. */
  exemplars(slot: TargetSlot): Exemplars | undefined {
    const at = this.#copy(exemplarsAt(slot.index), EXEMPLARS.words);
    if (!this.#isOf(slot, at)) return undefined;
    // They are used at once, so their place on the page is free for the next copy.
    this.#used = at;
    return new Exemplars(this.#page, at);
  }

  /** The target's last pings, newest first. */
  recents(slot: TargetSlot): readonly RecentPing[] {
    const at = this.#copy(recentAt(slot.index), RECENT.words);
    return this.#isOf(slot, at) ? recentPings(this.#page, at) : [];
  }

  /** Undefined if the row does not belong to this destination. */
  destination(slot: DestinationSlot): DestinationRow | undefined {
    const at = this.#copy(destinationAt(slot), DESTINATION.words);
    return this.#isOf(slot, at) ? new DestinationRow(this.#page, at) : undefined;
  }

  /** The first cells of a destination's row. */
  verdict(slot: DestinationSlot): DestinationVerdict | undefined {
    const at = this.#copy(destinationAt(slot), DESTINATION.verdict);
    return this.#isOf(slot, at) ? new DestinationVerdict(this.#page, at) : undefined;
  }

  pinger(): PingerRow {
    const at = this.#copy(0, PINGER.lateness, 2);
    const bounds = {
      lateness: this.#boundsOf('lateness'),
      resolution: this.#boundsOf('resolution'),
    };
    if (at < 0) return new PingerRow(new Int32Array(PINGER.words), 0, bounds);
    return new PingerRow(this.#page, at, bounds);
  }

  #isOf(slot: DestinationSlot | TargetSlot, at: number): boolean {
    return at >= 0 && this.#page[at + GENERATION] === slot.generation;
  }

  /** The current bounds; the previous ones while the writer sets new ones. */
  #boundsOf(kind: HistogramKind): Bounds {
    const row = boundsAt(kind);
    const get = (cell: number) => Atomics.load(this.#cells, row + cell) >>> 0;
    const known = this.#bounds.get(kind);
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const version = get(BOUNDS.version);
      if (version === known?.version) return known.value;
      if (version % 2 !== 0) continue;
      const value: Bounds = {
        generation: get(BOUNDS.generation),
        changedMs: wide(get(BOUNDS.changed), get(BOUNDS.changed + 1)),
        micros: Array.from({ length: get(BOUNDS.count) }, (_, i) => get(BOUNDS.micros + i)),
      };
      if (get(BOUNDS.version) !== version) continue;
      this.#bounds.set(kind, { version, value });
      return value;
    }
    return known?.value ?? { generation: 0, changedMs: 0, micros: [] };
  }

  /**
   * Copies a row to the page and returns its offset. Returns -1 after the writer crashed in the middle of
   * the row, until the next writer unlocks it. Of the histograms, which follow the first `words` cells,
   * only the used slots are copied.
   */
  #copy(row: number, words: number, histograms = 0): number {
    const maxWords = words + histograms * HISTOGRAM.words;
    if (this.#used + maxWords > this.#page.length) {
      this.#page = new Int32Array(PAGE_WORDS);
      this.#used = 0;
    }
    const at = this.#used;
    for (let tries = 0; tries < MAX_TRIES; tries++) {
      const version = Atomics.load(this.#cells, row);
      if (version % 2 !== 0) continue;
      this.#copyCells(row + 1, at + 1, words - 1);
      let end = at + words;
      for (let i = 0; i < histograms; i++) {
        const from = row + words + i * HISTOGRAM.words;
        const used = Atomics.load(this.#cells, from + HISTOGRAM.used) & NATIVE_MASK;
        this.#copyCells(from, end, histogramWords(used));
        end += histogramWords(used);
      }
      if (Atomics.load(this.#cells, row) !== version) continue;
      this.#used = end;
      return at;
    }
    return -1;
  }

  #copyCells(from: number, to: number, length: number): void {
    const page = this.#page;
    const cells = this.#cells;
    for (let i = 0; i < length; i++) page[to + i] = Atomics.load(cells, from + i);
  }
}

interface Versioned<T> {
  readonly version: number;
  readonly value: T;
}

/** Limits the number of slots, which may have any value while the writer is writing. */
const NATIVE_MASK = 2 * NATIVE_SLOTS - 1;
const PAGE_WORDS = 16 * 1024;
/** The writer locks a row for well under a microsecond; this many tries take a few milliseconds. */
const MAX_TRIES = 100_000;

export interface Totals {
  /** Number of pings without local failures; of alive pings; of pings with a round-trip time. */
  readonly pings: number;
  readonly alive: number;
  readonly answers: number;
  /** Sum of the round-trip times. */
  readonly sumMicros: number;
}
