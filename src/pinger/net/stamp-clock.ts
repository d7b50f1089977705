/**
 * Converts kernel timestamps, which are wall-clock time, to monotonic time. On Linux the two clocks run
 * at the same rate and differ by an offset that changes only when the wall clock is set.
 */

import { Arena } from './arena.js';
import { CLOCK_REALTIME, TIMESPEC } from './layout.js';
import type { Libc } from './libc.js';

/** A larger change of the offset is a step of the wall clock; a smaller one is measurement noise. */
const STEP_MS = 0.1;
/** Maximum time between the two monotonic readings around a reading of the wall clock. */
const MAX_BRACKET_MS = 0.05;
const ATTEMPTS = 9;

export class StampClock {
  readonly #libc: Libc;
  readonly #now: () => number;
  readonly #time: Buffer;
  /** Subtracted from all seconds: a double cannot hold seconds since the epoch and nanoseconds. */
  readonly #baseSeconds: number;
  /** Wall clock since the base minus monotonic clock, milliseconds. */
  #offsetMs = 0;
  #steps = 0;

  static readonly bytes = Arena.rounded(TIMESPEC.bytes);

  /** @param now monotonic, milliseconds: CLOCK_MONOTONIC, as `performance.now()`. */
  constructor(libc: Libc, arena: Arena, now: () => number) {
    this.#libc = libc;
    this.#now = now;
    this.#time = arena.allocate(TIMESPEC.bytes).bytes;
    libc.clock_gettime(CLOCK_REALTIME, this.#time);
    this.#baseSeconds = this.#time.readUInt32LE(TIMESPEC.seconds);
    this.#offsetMs = this.#measure(ATTEMPTS).offsetMs;
  }

  /** How many times the wall clock was set. */
  get steps(): number {
    return this.#steps;
  }

  /** The monotonic time of a kernel timestamp, milliseconds with a fraction. */
  monotonic(seconds: number, nanoseconds: number): number {
    return (seconds - this.#baseSeconds) * 1000 + nanoseconds / 1e6 - this.#offsetMs;
  }

  /**
   * Detects whether the wall clock was set since the last call. Timestamps from before and after that
   * cannot be compared.
   */
  check(): boolean {
    const { offsetMs, bracketMs } = this.#measure(1);
    if (bracketMs > MAX_BRACKET_MS || Math.abs(offsetMs - this.#offsetMs) < STEP_MS) return false;
    const again = this.#measure(ATTEMPTS);
    if (Math.abs(again.offsetMs - this.#offsetMs) < STEP_MS) return false;
    this.#offsetMs = again.offsetMs;
    this.#steps++;
    return true;
  }

  /** Reads the wall clock between two monotonic readings; the attempt with the smallest gap counts. */
  #measure(attempts: number): { readonly offsetMs: number; readonly bracketMs: number } {
    let best = { offsetMs: 0, bracketMs: Number.POSITIVE_INFINITY };
    for (let i = 0; i < attempts; i++) {
      const before = this.#now();
      this.#libc.clock_gettime(CLOCK_REALTIME, this.#time);
      const after = this.#now();
      if (after - before >= best.bracketMs) continue;
      const seconds = this.#time.readUInt32LE(TIMESPEC.seconds) - this.#baseSeconds;
      const wallMs = seconds * 1000 + this.#time.readUInt32LE(TIMESPEC.nanoseconds) / 1e6;
      best = { offsetMs: wallMs - (before + after) / 2, bracketMs: after - before };
    }
    return best;
  }
}
