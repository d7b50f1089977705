/**
 * Kernel stamps are wall-clock time; everything else here is monotonic. On Linux the two clocks run at
 * the same rate and differ by an offset that changes only when somebody sets the wall clock.
 */

import { Arena } from './arena.js';
import { CLOCK_REALTIME, TIMESPEC } from './layout.js';
import type { Libc } from './libc.js';

/** A change of the offset by more is a step of the wall clock; less is the noise of reading two clocks. */
const STEP_MS = 0.1;
/** Two readings of the monotonic clock that are further apart say nothing about what lies between. */
const MAX_BRACKET_MS = 0.05;
const ATTEMPTS = 9;

export class StampClock {
  readonly #libc: Libc;
  readonly #now: () => number;
  readonly #time: Buffer;
  /** Seconds that stamps are counted from: a double has no room for the epoch and nanoseconds. */
  readonly #baseSeconds: number;
  /** Wall clock since the base, less monotonic, milliseconds. */
  #offsetMs = 0;
  #steps = 0;

  static readonly bytes = Arena.rounded(TIMESPEC.bytes);

  /** @param now monotonic, milliseconds: CLOCK_MONOTONIC, as `performance.now()`. */
  constructor(libc: Libc, arena: Arena, now: () => number) {
    this.#libc = libc;
    this.#now = now;
    this.#time = arena.carve(TIMESPEC.bytes).bytes;
    libc.clock_gettime(CLOCK_REALTIME, this.#time);
    this.#baseSeconds = this.#time.readUInt32LE(TIMESPEC.seconds);
    this.#offsetMs = this.#measure(ATTEMPTS).offsetMs;
  }

  /** How often the wall clock was set so far. */
  get steps(): number {
    return this.#steps;
  }

  /** The monotonic time of a stamp, milliseconds with a fraction. */
  monotonic(seconds: number, nanoseconds: number): number {
    return (seconds - this.#baseSeconds) * 1000 + nanoseconds / 1e6 - this.#offsetMs;
  }

  /**
   * Notices that the wall clock was set: stamps from before and after cannot be compared then.
   *
   * @returns whether it was, since the last call.
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

  /** The offset by the narrowest bracket of monotonic readings around one of the wall clock. */
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
