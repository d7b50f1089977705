/**
 * Limits how many tasks run at once. Waiting requesters are served in turn and each has its own limit, so
 * a requester with many tasks delays only itself.
 */

export interface QueueLimits {
  readonly maxInFlight: number;
  readonly maxInFlightPerRequester: number;
  /** Limit for all requesters together. */
  readonly maxWaiting: number;
}

export class LookupQueue {
  readonly #limits: QueueLimits;
  readonly #inFlightOf = new Map<string, number>();
  readonly #waitingOf = new Map<string, (() => void)[]>();
  /** Waiting requesters that are below their own limit; the first one is next. */
  readonly #ready = new Set<string>();
  #inFlight = 0;
  #waiting = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Calls `start` now or when a slot is free. The caller must call {@link release} once when the task has
   * ended. Returns false, and never calls `start`, when the queue is full.
   */
  acquire(requester: string, start: () => void): boolean {
    const isFree = this.#inFlight < this.#limits.maxInFlight && this.#isBelowOwnLimit(requester);
    if (isFree) {
      this.#start(requester, start);
      return true;
    }
    if (this.#waiting >= this.#limits.maxWaiting) return false;
    const waiting = this.#waitingOf.get(requester) ?? [];
    waiting.push(start);
    this.#waitingOf.set(requester, waiting);
    this.#waiting++;
    if (this.#isBelowOwnLimit(requester)) this.#ready.add(requester);
    return true;
  }

  /** Frees a slot and starts the next waiting task. */
  release(requester: string): void {
    const left = (this.#inFlightOf.get(requester) ?? 0) - 1;
    if (left > 0) this.#inFlightOf.set(requester, left);
    else this.#inFlightOf.delete(requester);
    this.#inFlight--;
    if (this.#waitingOf.has(requester)) this.#ready.add(requester);
    while (this.#inFlight < this.#limits.maxInFlight) {
      const [next] = this.#ready;
      if (next === undefined) return;
      this.#startNextOf(next);
    }
  }

  #startNextOf(requester: string): void {
    const waiting = this.#waitingOf.get(requester) ?? [];
    const start = waiting.shift();
    this.#ready.delete(requester);
    if (waiting.length === 0) this.#waitingOf.delete(requester);
    if (start === undefined) return;
    this.#waiting--;
    this.#start(requester, start);
    // It is now the last in the queue.
    if (waiting.length > 0 && this.#isBelowOwnLimit(requester)) this.#ready.add(requester);
  }

  #start(requester: string, start: () => void): void {
    this.#inFlightOf.set(requester, (this.#inFlightOf.get(requester) ?? 0) + 1);
    this.#inFlight++;
    start();
  }

  #isBelowOwnLimit(requester: string): boolean {
    return (this.#inFlightOf.get(requester) ?? 0) < this.#limits.maxInFlightPerRequester;
  }
}
