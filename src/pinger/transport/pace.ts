/** Lets what costs time begin one after the other, with room for other work in between. */

import type { Clock } from '../clock.js';

export class Pace {
  readonly #clock: Clock;
  readonly #gapMs: number;
  #nextAt = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, gapMs: number) {
    this.#clock = clock;
    this.#gapMs = gapMs;
  }

  /** Calls `start` at once, or when it is its turn. Returns how to step out of the queue. */
  begin(start: () => void): () => void {
    const now = this.#clock.now();
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.#gapMs;
    if (at > now) return this.#clock.after(at - now, start);
    start();
    return () => {};
  }
}
