/** The last hour of every destination, a point a minute: for people, and gone with the process. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { StatusContext } from './freshness.js';

const POINT_MS = 60_000;
const POINTS = 60;
/** Rows of destinations that have one; of more it would take too much memory. */
const MAX_KEPT = 20_000;
/** Destinations that are looked at at a stretch. */
const BATCH = 200;

/** The oldest first; null where nothing is known. */
export interface History {
  /** Mean round-trip time of a minute's answers, seconds. */
  readonly rtt: readonly (number | null)[];
  /** Share of a minute's pings that were not alive. */
  readonly failed: readonly (number | null)[];
  /** Seconds between two points. */
  readonly step: number;
}

/** What was counted of a destination when it was last looked at, in this order. */
const COUNTERS = ['pings', 'alive', 'answers', 'sumMicros'] as const;

/** Of so many rows, made when the first of them is looked at. */
const BLOCK = 1_024;

/** Flat arrays: an object for each destination would take several times as much memory. */
class Block {
  /** Of a point 0 stands for nothing known. */
  readonly rtt = new Float32Array(BLOCK * POINTS);
  /** Shares from 1 for none to 255 for all. */
  readonly failed = new Uint8Array(BLOCK * POINTS);
  readonly counters = new Float64Array(BLOCK * COUNTERS.length);
  readonly generations = new Uint32Array(BLOCK);
}

export class Histories {
  readonly #watching: StatusContext;
  readonly #blocks: (Block | undefined)[] = [];
  #at = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(watching: StatusContext) {
    this.#watching = watching;
  }

  /** Looks at every destination once a minute from now on. */
  start(): void {
    void this.look();
    this.#timer = setInterval(() => void this.look(), POINT_MS);
  }

  close(): void {
    clearInterval(this.#timer);
  }

  of({ index, generation }: DestinationSlot): History {
    const block = this.#blocks[Math.floor(index / BLOCK)];
    const row = index % BLOCK;
    const isKnown = block?.generations[row] === generation;
    const share = (value: number) => (value - 1) / 254;
    return {
      rtt: isKnown ? this.#points(block.rtt, row, (value) => value) : [],
      failed: isKnown ? this.#points(block.failed, row, share) : [],
      step: POINT_MS / 1000,
    };
  }

  /** Takes the next point of every destination. */
  async look(): Promise<void> {
    this.#at = (this.#at + 1) % POINTS;
    for (const [count, watched] of this.#watching.registry.all().entries()) {
      if (count % BATCH === BATCH - 1) await nextRound();
      if (watched.slot.index < MAX_KEPT) this.#lookAt(watched);
    }
  }

  #lookAt({ slot: { index, generation }, targets }: RegisteredDestination): void {
    const sums = [0, 0, 0, 0];
    for (const { slot } of targets) {
      const totals = this.#watching.ledger.totals(slot);
      COUNTERS.forEach((name, i) => {
        sums[i] = (sums[i] ?? 0) + (totals?.[name] ?? 0);
      });
    }
    const number = Math.floor(index / BLOCK);
    const block = this.#blocks[number] ?? new Block();
    this.#blocks[number] = block;
    const row = index % BLOCK;
    const first = row * COUNTERS.length;
    const [pings = 0, alive = 0, answers = 0, sumMicros = 0] = sums.map(
      (sum, i) => sum - (block.counters[first + i] ?? 0),
    );
    block.counters.set(sums, first);
    const ring = row * POINTS;
    if (block.generations[row] !== generation) {
      block.generations[row] = generation;
      block.rtt.fill(0, ring, ring + POINTS);
      block.failed.fill(0, ring, ring + POINTS);
      return;
    }
    // A target that went took its counters along: then nothing can be said of this minute.
    const isWhole = pings >= alive && alive >= 0 && answers >= 0 && sumMicros >= 0;
    const failed = isWhole && pings > 0 ? 1 + Math.round((254 * (pings - alive)) / pings) : 0;
    block.rtt[ring + this.#at] = isWhole && answers > 0 ? sumMicros / answers / 1e6 : 0;
    block.failed[ring + this.#at] = failed;
  }

  /** @param read a value that is known. */
  #points(
    all: Float32Array | Uint8Array,
    row: number,
    read: (value: number) => number,
  ): readonly (number | null)[] {
    return Array.from({ length: POINTS }, (_, i) => {
      const value = all[row * POINTS + ((this.#at + 1 + i) % POINTS)] ?? 0;
      return value === 0 ? null : read(value);
    });
  }
}
