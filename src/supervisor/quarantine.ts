/**
 * Destinations that seem to crash the pinger thread. After a series of crashes, the destinations that it
 * was working on are excluded from the next start, so that all others are pinged.
 */

import type { DestinationSlot } from '../shared/destination.js';

/** A series is this many crashes within this time. */
const MAX_CRASHES = 3;
const SERIES_MS = 60_000;

interface Crash {
  /** Monotonic, milliseconds. */
  readonly atMs: number;
  readonly current: readonly DestinationSlot[];
}

export class Quarantine {
  #crashes: readonly Crash[] = [];
  readonly #quarantined = new Map<number, DestinationSlot>();

  has(slot: DestinationSlot): boolean {
    return this.#quarantined.get(slot.index)?.generation === slot.generation;
  }

  /**
   * Records a crash of a thread that was working on `current`. Returns the destinations that this crash
   * adds to the quarantine.
   */
  recordCrash(atMs: number, current: readonly DestinationSlot[]): readonly DestinationSlot[] {
    const recent = this.#crashes.filter((crash) => atMs - crash.atMs < SERIES_MS);
    this.#crashes = [...recent, { atMs, current }];
    if (this.#crashes.length < MAX_CRASHES) return [];
    const suspects = this.#crashes.flatMap((crash) => crash.current);
    const added = suspects.filter((slot, i) => {
      const isFirst = suspects.findIndex((other) => isSame(other, slot)) === i;
      return isFirst && !this.has(slot);
    });
    for (const slot of added) this.#quarantined.set(slot.index, slot);
    return added;
  }

  /** Ends the quarantine of a row, because it has a new destination or new settings. */
  release({ index }: DestinationSlot): void {
    this.#quarantined.delete(index);
  }
}

function isSame(a: DestinationSlot, b: DestinationSlot): boolean {
  return a.index === b.index && a.generation === b.generation;
}
