/**
 * Knows when the thread stood still: a suspended machine, a stopped process, a starved core. What
 * lay in the sockets meanwhile came at a time that nobody knows, and a deadline that passed
 * meanwhile passed unobserved. Neither is told as if it had been seen.
 */

/** Waking later than this is a stall. */
export const STALL_MS = 20;

export class StallDetector {
  #expectedAt = Number.POSITIVE_INFINITY;
  #beganAt = Number.NaN;
  #endedAt = Number.NaN;
  #isCatchingUp = false;

  /** What arrived during a stall is being read. */
  get isCatchingUp(): boolean {
    return this.#isCatchingUp;
  }

  /** The thread means to be awake by then. All times are monotonic milliseconds. */
  expect(atMs: number): void {
    this.#expectedAt = atMs;
  }

  /** The thread is awake. True while it catches up after a stall. */
  check(nowMs: number): boolean {
    if (!this.#isCatchingUp && nowMs - this.#expectedAt > STALL_MS) {
      this.#isCatchingUp = true;
      this.#beganAt = this.#expectedAt;
    }
    return this.#isCatchingUp;
  }

  /** What lay in the sockets is read; returns how long the stall was. */
  caughtUp(nowMs: number): number {
    this.#isCatchingUp = false;
    this.#endedAt = nowMs;
    return nowMs - this.#beganAt;
  }

  /** The last stall lay over that moment. */
  covers(atMs: number): boolean {
    return this.#beganAt <= atMs && atMs <= this.#endedAt;
  }
}
