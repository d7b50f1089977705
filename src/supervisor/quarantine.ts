/**
 * Destinations that the pinger thread seems to crash on. After a series of crashes, the destinations
 * that it was working on at one of them are left out of the next start, so that all others are pinged.
 */

import type { DestinationSlot } from '../shared/destination.js';

/** This many crashes within this time are a series. */
const MAX_CRASHES = 3;
const SERIES_MS = 60_000;

interface Crash {
  /** Monotonic, milliseconds. */
  readonly atMs: number;
  readonly current: readonly DestinationSlot[];
}

export class Quarantine {
  #crashes: readonly Crash[] = [];
  readonly #held = new Map<number, DestinationSlot>();

  has(slot: DestinationSlot): boolean {
    return this.#held.get(slot.index)?.generation === slot.generation;
  }

  /**
   * Records a crash of a thread that was working on `current`. Returns the destinations that enter
   * the quarantine with it.
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
    for (const slot of added) this.#held.set(slot.index, slot);
    return added;
  }

  /** The destination has other settings now, or the row has another destination: it may be pinged. */
  release({ index }: DestinationSlot): void {
    this.#held.delete(index);
  }
}

function isSame(a: DestinationSlot, b: DestinationSlot): boolean {
  return a.index === b.index && a.generation === b.generation;
}
