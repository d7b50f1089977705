/**
 * Limits how many long responses are written at once. A few more requests wait; others are rejected. While
 * a request waits, responses that their clients do not read are aborted.
 */

import type { ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../../shared/clock.js';

export interface ConcurrencyLimitOptions {
  /** Maximum number of responses that are written at once. */
  readonly max: number;
  readonly maxWaiting?: number;
  /** Time after which a waiting request is rejected. */
  readonly timeoutMs?: number;
  /** Interval of checks for clients that do not read, while a request waits. */
  readonly checkIntervalMs?: number;
  readonly clock?: Clock;
}

export class ConcurrencyLimit {
  readonly #options: Required<ConcurrencyLimitOptions>;
  /** Active responses, with the bytes that their sockets had written at the last check. */
  readonly #active = new Map<ServerResponse, number>();
  /** Each function admits or rejects one waiting request. */
  readonly #waiting = new Set<(isAdmitted: boolean) => void>();
  #isChecking = false;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = {
      ...{ maxWaiting: 64, timeoutMs: 10_000, checkIntervalMs: 1_000, clock: systemClock },
      ...options,
    };
  }

  /** Resolves with true when the response may be written; the caller must `release` it. False when it is rejected. */
  async acquire(response: ServerResponse): Promise<boolean> {
    if (response.destroyed) return false;
    if (this.#active.size < this.#options.max) {
      this.#active.set(response, -1);
      return true;
    }
    if (this.#waiting.size >= this.#options.maxWaiting) return false;
    return this.#wait(response);
  }

  release(response: ServerResponse): void {
    this.#active.delete(response);
    const [next] = this.#waiting;
    next?.(true);
  }

  async #wait(response: ServerResponse): Promise<boolean> {
    const { clock, timeoutMs } = this.#options;
    const isAdmitted = new Promise<boolean>((resolve) => {
      const decide = (isAdmitted: boolean) => {
        if (!this.#waiting.delete(decide)) return;
        stopTimer();
        if (isAdmitted) this.#active.set(response, -1);
        resolve(isAdmitted);
      };
      const stopTimer = clock.after(timeoutMs, () => decide(false));
      this.#waiting.add(decide);
      response.once('close', () => decide(false));
    });
    if (!this.#isChecking) this.#scheduleCheck();
    return isAdmitted;
  }

  #scheduleCheck(): void {
    this.#isChecking = this.#waiting.size > 0;
    if (!this.#isChecking) return;
    this.#options.clock.after(this.#options.checkIntervalMs, () => {
      if (this.#waiting.size > 0) this.#abortStalled();
      this.#scheduleCheck();
    });
  }

  /** Aborts responses whose clients have read nothing since the last check. */
  #abortStalled(): void {
    for (const [response, before] of this.#active) {
      const written = response.socket?.bytesWritten ?? 0;
      if (response.writableNeedDrain && written === before) response.destroy();
      else this.#active.set(response, written);
    }
  }
}
