/**
 * One timer per ID, for a hundred thousand IDs: a hashed timing wheel (Varghese and Lauck, 1987).
 * Setting, clearing and firing are O(1) and allocate nothing. A tick is one millisecond.
 */

const BUCKETS = 8192;
const NONE = -1;

export class TimerWheel {
  /** Head and tail of each bucket's list, in the order in which timers were set. */
  readonly #heads = new Int32Array(BUCKETS).fill(NONE);
  readonly #tails = new Int32Array(BUCKETS).fill(NONE);
  /** By ID: its neighbours in the list; read only while it has a timer. */
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** By ID: the tick after the one at which its timer is due; 0 without a timer, so that unused IDs take no memory. */
  readonly #afterDue: Float64Array;
  /** Every earlier tick has been processed. */
  #cursor = 0;
  #size = 0;
  /** Within `advance`: the next ID of the current bucket. */
  #walk = NONE;

  /** @param capacity IDs are from 0 to `capacity - 1`. */
  constructor(capacity: number) {
    this.#next = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#afterDue = new Float64Array(capacity);
  }

  /** Number of IDs with a timer. */
  get size(): number {
    return this.#size;
  }

  /** Sets the timer of an ID and replaces an earlier one. A time in the past is due at once. */
  set(id: number, atMs: number): void {
    this.clear(id);
    const due = Math.max(Math.ceil(atMs), this.#cursor);
    const bucket = due % BUCKETS;
    const tail = this.#tails[bucket] ?? NONE;
    this.#afterDue[id] = due + 1;
    this.#previous[id] = tail;
    this.#next[id] = NONE;
    if (tail === NONE) this.#heads[bucket] = id;
    else this.#next[tail] = id;
    this.#tails[bucket] = id;
    this.#size++;
  }

  clear(id: number): void {
    const afterDue = this.#afterDue[id] ?? 0;
    if (afterDue === 0) return;
    const bucket = (afterDue - 1) % BUCKETS;
    const next = this.#next[id] ?? NONE;
    const previous = this.#previous[id] ?? NONE;
    if (previous === NONE) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tails[bucket] = previous;
    else this.#previous[next] = previous;
    this.#afterDue[id] = 0;
    this.#size--;
    if (this.#walk === id) this.#walk = next;
  }

  /**
   * Fires up to `max` timers that are due by `nowMs`, the earliest first; the others stay due. `fire`
   * may set and clear any timer; it also gets the tick at which the timer was due.
   *
   * @returns the number of timers fired.
   */
  advance(nowMs: number, max: number, fire: (id: number, dueMs: number) => void): number {
    const now = Math.floor(nowMs);
    if (this.#size === 0 && this.#cursor < now) this.#cursor = now;
    let fired = 0;
    for (; this.#cursor <= now; this.#cursor++) {
      this.#walk = this.#heads[this.#cursor % BUCKETS] ?? NONE;
      while (this.#walk !== NONE) {
        const id = this.#walk;
        this.#walk = this.#next[id] ?? NONE;
        const due = (this.#afterDue[id] ?? 0) - 1;
        if (due > this.#cursor) continue;
        if (fired === max) return fired;
        this.clear(id);
        fired++;
        fire(id, due);
      }
    }
    return fired;
  }

  /** Milliseconds from `nowMs` until `advance` may have something to fire, up to `maxMs`. */
  msUntilNext(nowMs: number, maxMs: number): number {
    if (this.#size === 0) return maxMs;
    const last = nowMs + maxMs;
    for (let tick = this.#cursor; tick <= last; tick++) {
      if (this.#heads[tick % BUCKETS] !== NONE) return Math.max(tick - nowMs, 0);
    }
    return maxMs;
  }
}
