/**
 * Detects when the thread has stalled: a suspended machine, a stopped process, a starved core. During
 * a stall, the arrival time of a message that waits in a socket is unknown, and a deadline passes
 * unobserved. Neither is reported as a measurement.
 */

/** Waking later than this is a stall. */
const STALL_MS = 20;

/** All times are monotonic milliseconds. */
export class StallDetector {
  #expectedAtMs = Number.POSITIVE_INFINITY;
  #startedAtMs = Number.NaN;
  #endedAtMs = Number.NaN;
  #isCatchingUp = false;

  /** Whether the messages that arrived during a stall are still being read. */
  get isCatchingUp(): boolean {
    return this.#isCatchingUp;
  }

  /** Sets the time at which the thread will be awake unless it stalls. */
  expect(atMs: number): void {
    this.#expectedAtMs = atMs;
  }

  /** Called whenever the thread is awake. Returns true while it catches up after a stall. */
  check(nowMs: number): boolean {
    if (!this.#isCatchingUp && nowMs - this.#expectedAtMs > STALL_MS) {
      this.#isCatchingUp = true;
      this.#startedAtMs = this.#expectedAtMs;
    }
    return this.#isCatchingUp;
  }

  /** The sockets have been read. Returns the length of the stall. */
  caughtUp(nowMs: number): number {
    this.#isCatchingUp = false;
    this.#endedAtMs = nowMs;
    return nowMs - this.#startedAtMs;
  }

  /** Whether this time is within the last stall. */
  covers(atMs: number): boolean {
    return this.#startedAtMs <= atMs && atMs <= this.#endedAtMs;
  }
}
