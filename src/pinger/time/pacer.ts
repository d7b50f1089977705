/**
 * Lets what costs time begin one after the other, with room for other work in between. What is urgent
 * goes before what is not; who leaves the queue leaves no gap.
 */

import type { Clock } from './clock.js';

export class Pacer {
  readonly #clock: Clock;
  readonly #gapMs: number;
  /** In the order in which they came. */
  readonly #urgent = new Set<() => void>();
  readonly #others = new Set<() => void>();
  #nextAt = Number.NEGATIVE_INFINITY;
  #isTurnSet = false;

  constructor(clock: Clock, gapMs: number) {
    this.#clock = clock;
    this.#gapMs = gapMs;
  }

  /** Calls `start` at once, or when it is its turn. Returns how to step out of the queue. */
  begin(isUrgent: boolean, start: () => void): () => void {
    const queue = isUrgent ? this.#urgent : this.#others;
    // Its own function, so that two who wait for the same are two.
    const turn = () => start();
    queue.add(turn);
    if (!this.#isTurnSet) this.#go();
    return () => queue.delete(turn);
  }

  #go(): void {
    this.#isTurnSet = false;
    const now = this.#clock.now();
    if (now < this.#nextAt) {
      this.#setTurn(this.#nextAt - now);
      return;
    }
    const queue = this.#urgent.size > 0 ? this.#urgent : this.#others;
    const [next] = queue;
    if (next === undefined) return;
    queue.delete(next);
    this.#nextAt = now + this.#gapMs;
    this.#setTurn(this.#gapMs);
    next();
  }

  #setTurn(delayMs: number): void {
    this.#isTurnSet = true;
    this.#clock.after(delayMs, () => this.#go());
  }
}
