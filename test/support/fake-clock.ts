/** A clock that moves only when a test advances it. */

import type { Clock } from '../../src/pinger/time/clock.js';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export class FakeClock implements Clock {
  #nowMs: number;
  /** The wall clock minus the monotonic clock. */
  readonly #epochOffsetMs: number;
  /** In the order in which they were set: timers of the same time fire in that order. */
  readonly #timers = new Set<Timer>();

  /** Milliseconds: the first times of the monotonic clock and of the wall clock. */
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

  /** The number of timers that have neither fired nor been cancelled. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Lets time pass, and fires due timers in order, each at its own time. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    while (this.#fireNext(untilMs));
    this.#nowMs = Math.max(this.#nowMs, untilMs);
  }

  /** As `advance`, and lets promises settle after each timer. */
  async advanceSettling(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    await settled();
    while (this.#fireNext(untilMs)) await settled();
    this.#nowMs = Math.max(this.#nowMs, untilMs);
    await settled();
  }

  /** Lets time pass without firing timers, as when the thread is blocked. */
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

/** Resolves once every promise that can settle without time passing has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
