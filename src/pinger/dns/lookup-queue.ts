/**
 * Fair turns at something that only a few can do at once. Who asks for much waits for its own turns,
 * not the others for theirs: askers that wait are served one after the other, and none has more than
 * its share at once.
 */

export interface QueueLimits {
  readonly maxInFlight: number;
  readonly maxInFlightPerRequester: number;
  /** Of all askers together. */
  readonly maxWaiting: number;
}

export class LookupQueue {
  readonly #bounds: QueueLimits;
  readonly #underWay = new Map<string, number>();
  readonly #queues = new Map<string, (() => void)[]>();
  /** Askers that wait and have less than their share, the next one first. */
  readonly #ready = new Set<string>();
  #inFlight = 0;
  #waiting = 0;

  constructor(bounds: QueueLimits) {
    this.#bounds = bounds;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Calls `start` at once, or when it is the asker's turn; each start is followed by one {@link release}.
   * False when too many wait already: then it is never called.
   */
  acquire(asker: string, start: () => void): boolean {
    const isFree = this.#inFlight < this.#bounds.maxInFlight && this.#hasShare(asker);
    if (isFree) {
      this.#start(asker, start);
      return true;
    }
    if (this.#waiting >= this.#bounds.maxWaiting) return false;
    const queue = this.#queues.get(asker) ?? [];
    queue.push(start);
    this.#queues.set(asker, queue);
    this.#waiting++;
    if (this.#hasShare(asker)) this.#ready.add(asker);
    return true;
  }

  /** One turn of the asker is over, and goes to the next who waits. */
  release(asker: string): void {
    const left = (this.#underWay.get(asker) ?? 0) - 1;
    if (left > 0) this.#underWay.set(asker, left);
    else this.#underWay.delete(asker);
    this.#inFlight--;
    if (this.#queues.has(asker)) this.#ready.add(asker);
    while (this.#inFlight < this.#bounds.maxInFlight) {
      const [next] = this.#ready;
      if (next === undefined) return;
      this.#serve(next);
    }
  }

  #serve(asker: string): void {
    const queue = this.#queues.get(asker) ?? [];
    const start = queue.shift();
    this.#ready.delete(asker);
    if (queue.length === 0) this.#queues.delete(asker);
    if (start === undefined) return;
    this.#waiting--;
    this.#start(asker, start);
    // Behind all others that wait.
    if (queue.length > 0 && this.#hasShare(asker)) this.#ready.add(asker);
  }

  #start(asker: string, start: () => void): void {
    this.#underWay.set(asker, (this.#underWay.get(asker) ?? 0) + 1);
    this.#inFlight++;
    start();
  }

  #hasShare(asker: string): boolean {
    return (this.#underWay.get(asker) ?? 0) < this.#bounds.maxInFlightPerRequester;
  }
}
