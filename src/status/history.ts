/** The last hour of each destination, one point per minute, kept only in memory. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { Clock } from '../shared/clock.js';
import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { StatusContext } from './freshness.js';
import type { Hour } from './views.js';

const POINT_MS = 60_000;
const POINTS = 60;
/** Number of ledger rows with a history; more would take too much memory. */
const MAX_ROWS = 20_000;
/** Number of destinations that are sampled before other work may run. */
const BATCH = 200;

/** Cumulative counters of a destination at the last sample, in this order. */
const COUNTERS = ['pings', 'alive', 'answers', 'sumMicros'] as const;

/** Ledger rows per block; a block is allocated when the first of its rows is sampled. */
const BLOCK_ROWS = 1_024;

/** Flat arrays, because an object per destination would take several times as much memory. */
class Block {
  /** Seconds; 0 stands for an unknown point. */
  readonly rtt = new Float32Array(BLOCK_ROWS * POINTS);
  /** Shares from 1 for none to 255 for all; 0 stands for an unknown point. */
  readonly failed = new Uint8Array(BLOCK_ROWS * POINTS);
  readonly counters = new Float64Array(BLOCK_ROWS * COUNTERS.length);
  readonly generations = new Uint32Array(BLOCK_ROWS);
}

export interface HistoriesOptions extends Pick<StatusContext, 'ledger' | 'registry'> {
  readonly clock: Pick<Clock, 'after'>;
  /** Called when a sample fails. Sampling continues. */
  readonly onError: (error: unknown) => void;
}

export class Histories {
  readonly #options: HistoriesOptions;
  readonly #blocks: (Block | undefined)[] = [];
  /** Index of the newest point in the ring buffers. */
  #point = 0;
  #cancelTimer = () => {};
  #isClosed = false;

  constructor(options: HistoriesOptions) {
    this.#options = options;
  }

  /** Samples every destination now and then once a minute. */
  start(): void {
    if (this.#isClosed) return;
    this.#cancelTimer = this.#options.clock.after(POINT_MS, () => this.start());
    this.sample().catch((error: unknown) => this.#options.onError(error));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
  }

  /** The history of a destination; it has no points before the first sample. */
  of({ index, generation }: DestinationSlot): Hour {
    const block = this.#blocks[Math.floor(index / BLOCK_ROWS)];
    const row = index % BLOCK_ROWS;
    const isKnown = block?.generations[row] === generation;
    const share = (value: number) => (value - 1) / 254;
    return {
      rtt: isKnown ? this.#points(block.rtt, row, (value) => value) : [],
      failed: isKnown ? this.#points(block.failed, row, share) : [],
      step: POINT_MS / 1000,
    };
  }

  /** Takes the next point of every destination. */
  async sample(): Promise<void> {
    this.#point = (this.#point + 1) % POINTS;
    for (const [count, registered] of this.#options.registry.all().entries()) {
      if (count % BATCH === BATCH - 1) await nextRound();
      if (registered.slot.index < MAX_ROWS) this.#sampleOne(registered);
    }
  }

  #sampleOne(registered: RegisteredDestination): void {
    const { index, generation } = registered.slot;
    const number = Math.floor(index / BLOCK_ROWS);
    const block = this.#blocks[number] ?? new Block();
    this.#blocks[number] = block;
    const row = index % BLOCK_ROWS;
    const [pings = 0, alive = 0, answers = 0, sumMicros = 0] = this.#sinceLast(
      registered,
      block,
      row * COUNTERS.length,
    );
    const ring = row * POINTS;
    if (block.generations[row] !== generation) {
      block.generations[row] = generation;
      block.rtt.fill(0, ring, ring + POINTS);
      block.failed.fill(0, ring, ring + POINTS);
      return;
    }
    // The counters of a removed target are missing: then this minute is unknown.
    const isWhole = pings >= alive && alive >= 0 && answers >= 0 && sumMicros >= 0;
    const failed = isWhole && pings > 0 ? 1 + Math.round((254 * (pings - alive)) / pings) : 0;
    block.rtt[ring + this.#point] = isWhole && answers > 0 ? sumMicros / answers / 1e6 : 0;
    block.failed[ring + this.#point] = failed;
  }

  /** Growth of each counter since the last sample. Stores the new values at `at`. */
  #sinceLast(
    { targets }: RegisteredDestination,
    { counters }: Block,
    at: number,
  ): readonly number[] {
    const totals = targets.map(({ slot }) => this.#options.ledger.totals(slot));
    const sums = COUNTERS.map((name) =>
      totals.reduce((sum, counts) => sum + (counts?.[name] ?? 0), 0),
    );
    const growth = sums.map((sum, i) => sum - (counters[at + i] ?? 0));
    counters.set(sums, at);
    return growth;
  }

  /** @param read converts a stored value that is not 0. */
  #points(
    ring: Float32Array | Uint8Array,
    row: number,
    read: (value: number) => number,
  ): readonly (number | null)[] {
    return Array.from({ length: POINTS }, (_, i) => {
      const value = ring[row * POINTS + ((this.#point + 1 + i) % POINTS)] ?? 0;
      return value === 0 ? null : read(value);
    });
  }
}
