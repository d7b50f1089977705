/** Time that moves only when a test says so. */

import type { Clock } from '../../src/pinger/time/clock.js';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  /** What to add to the monotonic time to get the wall clock. */
  readonly #epochOffsetMs: number;
  /** In the order in which they were set, which is the order of timers of the same moment. */
  readonly #timers = new Set<Timer>();

  /** Both in milliseconds: where the monotonic clock and the wall clock stand at first. */
  constructor(nowMs = 0, epochMs = 1_700_000_000_000) {
    this.#nowMs = nowMs;
    this.#epochOffsetMs = epochMs - nowMs;
  }

  now(): number {
    return this.#nowMs;
  }

  epoch(): number {
    return this.#nowMs + this.#epochOffsetMs;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(delayMs, 0), callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** How many timers have been set and have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, firing what falls due in order, each at its own moment. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#fireNext(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** As `advance`, and promises that are settled get their turn after each timer. */
  async advanceSettling(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    while (this.#fireNext(untilMs)) await settled();
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    await settled();
  }

  /** Time passes and nothing fires, as when the thread is held up. */
  stall(ms: number): void {
    this.#nowMs += ms;
  }

  #fireNext(untilMs: number): boolean {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.atMs <= untilMs && (next === undefined || timer.atMs < next.atMs)) next = timer;
    }
    if (next === undefined) return false;
    this.#timers.delete(next);
    this.#nowMs = Math.max(this.#nowMs, next.atMs);
    next.callback();
    return true;
  }
}

/** Until every promise that can settle without time passing has done so. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
