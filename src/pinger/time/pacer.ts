/**
 * Starts expensive tasks one at a time, with a minimum gap between them, so that other work can run.
 * Urgent tasks go first. A cancelled task causes no gap.
 */

import type { Clock } from './clock.js';

export class Pacer {
  readonly #clock: Clock;
  readonly #gapMs: number;
  /** Both queues are in the order of arrival. */
  readonly #urgent = new Set<() => void>();
  readonly #others = new Set<() => void>();
  #nextStartMs = Number.NEGATIVE_INFINITY;
  #isTimerSet = false;

  constructor(clock: Clock, gapMs: number) {
    this.#clock = clock;
    this.#gapMs = gapMs;
  }

  /** Calls `start` now or when it is this task's turn. Returns a function that removes it from the queue. */
  enqueue(isUrgent: boolean, start: () => void): () => void {
    const queue = isUrgent ? this.#urgent : this.#others;
    // A new function for each call, so that the same `start` can be queued twice.
    const task = () => start();
    queue.add(task);
    if (!this.#isTimerSet) this.#startNext();
    return () => queue.delete(task);
  }

  #startNext(): void {
    this.#isTimerSet = false;
    const now = this.#clock.now();
    if (now < this.#nextStartMs) {
      this.#setTimer(this.#nextStartMs - now);
      return;
    }
    const queue = this.#urgent.size > 0 ? this.#urgent : this.#others;
    const [task] = queue;
    if (task === undefined) return;
    queue.delete(task);
    this.#nextStartMs = now + this.#gapMs;
    this.#setTimer(this.#gapMs);
    task();
  }

  #setTimer(delayMs: number): void {
    this.#isTimerSet = true;
    this.#clock.after(delayMs, () => this.#startNext());
  }
}
