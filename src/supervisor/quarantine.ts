/**
 * Destinations that the pinger thread seems to die of. One that was in hand each time that a thread
 * died, again and again, is left out of the next start, so that everybody else is pinged.
 */

import type { DestinationSlot } from '../shared/destination.js';

/** So many deaths within so long are a series. */
const MAX_DEATHS = 3;
const SERIES_MS = 60_000;

interface Death {
  /** Monotonic, milliseconds. */
  readonly atMs: number;
  readonly inHand: readonly DestinationSlot[];
}

export class Quarantine {
  #deaths: readonly Death[] = [];
  readonly #leftOut = new Map<number, DestinationSlot>();

  has(slot: DestinationSlot): boolean {
    return this.#leftOut.get(slot.index)?.generation === slot.generation;
  }

  /**
   * A thread died while it dealt with these. Returns those that are left out from now on and were not
   * before.
   */
  died(atMs: number, inHand: readonly DestinationSlot[]): readonly DestinationSlot[] {
    const recent = this.#deaths.filter((death) => atMs - death.atMs < SERIES_MS);
    this.#deaths = [...recent, { atMs, inHand }];
    if (this.#deaths.length < MAX_DEATHS) return [];
    const suspects = this.#deaths.flatMap((death) => death.inHand);
    const added = suspects.filter((slot, i) => {
      const isFirst = suspects.findIndex((other) => isSame(other, slot)) === i;
      return isFirst && !this.has(slot);
    });
    for (const slot of added) this.#leftOut.set(slot.index, slot);
    return added;
  }

  /** It was changed, or is another one: it may be pinged again. */
  release({ index }: DestinationSlot): void {
    this.#leftOut.delete(index);
  }
}

function isSame(a: DestinationSlot, b: DestinationSlot): boolean {
  return a.index === b.index && a.generation === b.generation;
}
