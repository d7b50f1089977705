/** The last hour of every destination, a point a minute: for people, and gone with the process. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { DestinationSlot, Watched } from '../shared/destination.js';
import type { Watching } from './exporter.js';

const POINT_MS = 60_000;
const POINTS = 60;
/** Destinations that have one; those of more would take too much memory. */
const MOST_KEPT = 20_000;
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

/** Counters when they were last looked at, and what came of them since. */
interface Track {
  readonly generation: number;
  pings: number;
  failures: number;
  answers: number;
  sumMicros: number;
  /** Rings; NaN where nothing is known. */
  readonly rtt: Float32Array;
  readonly failed: Float32Array;
}

export class Histories {
  readonly #watching: Watching;
  readonly #tracks = new Map<number, Track>();
  #at = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(watching: Watching) {
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

  of(slot: DestinationSlot): History {
    const track = this.#tracks.get(slot.index);
    const isKnown = track?.generation === slot.generation;
    return {
      rtt: isKnown ? this.#points(track.rtt) : [],
      failed: isKnown ? this.#points(track.failed) : [],
      step: POINT_MS / 1000,
    };
  }

  /** Takes the next point of every destination. */
  async look(): Promise<void> {
    const at = ++this.#at % POINTS;
    const all = this.#watching.roster.all().slice(0, MOST_KEPT);
    for (const [index, watched] of all.entries()) {
      if (index % BATCH === BATCH - 1) await nextRound();
      this.#lookAt(watched, at);
    }
    const kept = new Set(all.map(({ slot }) => slot.index));
    for (const index of this.#tracks.keys()) if (!kept.has(index)) this.#tracks.delete(index);
  }

  #lookAt(watched: Watched, at: number): void {
    const sums = this.#sumsOf(watched);
    const known = this.#tracks.get(watched.slot.index);
    if (known?.generation !== watched.slot.generation) {
      const empty = () => new Float32Array(POINTS).fill(Number.NaN);
      const { generation, index } = watched.slot;
      this.#tracks.set(index, { generation, ...sums, rtt: empty(), failed: empty() });
      return;
    }
    const answers = sums.answers - known.answers;
    const pings = sums.pings - known.pings;
    // A target that went took its counters along: then nothing can be said of this minute.
    const isWhole = answers >= 0 && pings >= 0;
    const mean = (sums.sumMicros - known.sumMicros) / answers / 1e6;
    known.rtt[at] = isWhole && answers > 0 ? mean : Number.NaN;
    known.failed[at] = isWhole && pings > 0 ? (sums.failures - known.failures) / pings : Number.NaN;
    Object.assign(known, sums);
  }

  #sumsOf({ targets }: Watched) {
    const sums = { pings: 0, failures: 0, answers: 0, sumMicros: 0 };
    for (const { slot } of targets) {
      const row = this.#watching.ledger.target(slot);
      if (row === undefined) continue;
      const { pings, alive, rtt } = row;
      sums.pings += pings;
      sums.failures += pings - alive;
      sums.answers += rtt.buckets.reduce((a, b) => a + b, 0);
      sums.sumMicros += rtt.sumMicros;
    }
    return sums;
  }

  #points(ring: Float32Array): readonly (number | null)[] {
    const points = Array.from({ length: POINTS }, (_, i) => ring[(this.#at + 1 + i) % POINTS]);
    return points.map((value) => (value === undefined || Number.isNaN(value) ? null : value));
  }
}
