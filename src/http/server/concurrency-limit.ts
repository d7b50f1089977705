/**
 * Places for long answers: so many may be under way at one moment, a few more wait for a place, and
 * the rest are refused. While somebody waits, an answer that its client does not read is ended.
 */

import type { ServerResponse } from 'node:http';

export interface ConcurrencyLimitOptions {
  /** Answers under way at one moment. */
  readonly most: number;
  readonly mostWaiting?: number;
  /** How long one waits before it is refused. */
  readonly patienceMs?: number;
  /** How often to look for clients that do not read, while somebody waits. */
  readonly lookMs?: number;
}

interface Waiting {
  readonly response: ServerResponse;
  readonly give: (hasPlace: boolean) => void;
}

export class ConcurrencyLimit {
  readonly #options: Required<ConcurrencyLimitOptions>;
  /** With the bytes that had been written when it was last looked at. */
  readonly #taken = new Map<ServerResponse, number>();
  readonly #waiting = new Set<Waiting>();
  #look: NodeJS.Timeout | undefined;

  constructor(options: ConcurrencyLimitOptions) {
    this.#options = { mostWaiting: 64, patienceMs: 10_000, lookMs: 1_000, ...options };
  }

  /** Resolves with true once there is a place, to be left again; false for none. */
  async take(response: ServerResponse): Promise<boolean> {
    if (response.destroyed) return false;
    if (this.#taken.size < this.#options.most) {
      this.#taken.set(response, -1);
      return true;
    }
    if (this.#waiting.size >= this.#options.mostWaiting) return false;
    return this.#wait(response);
  }

  leave(response: ServerResponse): void {
    this.#taken.delete(response);
    const [next] = this.#waiting;
    next?.give(true);
  }

  async #wait(response: ServerResponse): Promise<boolean> {
    let waiting: Waiting | undefined;
    let patience: NodeJS.Timeout | undefined;
    this.#look ??= setInterval(() => this.#endStalled(), this.#options.lookMs);
    const hasPlace = await new Promise<boolean>((resolve) => {
      const give = (hasPlace: boolean) => {
        if (waiting !== undefined) this.#waiting.delete(waiting);
        if (hasPlace) this.#taken.set(response, -1);
        resolve(hasPlace);
      };
      waiting = { response, give };
      this.#waiting.add(waiting);
      patience = setTimeout(() => give(false), this.#options.patienceMs);
      response.once('close', () => give(false));
    });
    clearTimeout(patience);
    return hasPlace;
  }

  /** Ends answers of which nothing was read since the last look. */
  #endStalled(): void {
    if (this.#waiting.size === 0) {
      clearInterval(this.#look);
      this.#look = undefined;
      return;
    }
    for (const [response, before] of this.#taken) {
      const written = response.socket?.bytesWritten ?? 0;
      if (response.writableNeedDrain && written === before) response.destroy();
      else this.#taken.set(response, written);
    }
  }
}
