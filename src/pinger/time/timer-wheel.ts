/**
 * One timer per id, for a hundred thousand ids: a hashed timing wheel (Varghese and Lauck, 1987).
 * Setting, clearing and firing are O(1) and allocate nothing. Ticks are one millisecond.
 */

const BUCKETS = 8192;
const NONE = -1;

export class TimerWheel {
  /** Heads and tails of the list of each spoke, in the order in which timers were set. */
  readonly #heads = new Int32Array(BUCKETS).fill(NONE);
  readonly #tails = new Int32Array(BUCKETS).fill(NONE);
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** The tick at which an id is due; NONE while it has no timer. */
  readonly #due: Float64Array;
  /** Every tick before this one has been dealt with. */
  #cursor = 0;
  #size = 0;
  /** While the wheel turns: the id to be looked at next. */
  #walk = NONE;

  /** @param capacity ids are 0 to one less than this. */
  constructor(capacity: number) {
    this.#next = new Int32Array(capacity).fill(NONE);
    this.#previous = new Int32Array(capacity).fill(NONE);
    this.#due = new Float64Array(capacity).fill(NONE);
  }

  /** How many ids have a timer. */
  get size(): number {
    return this.#size;
  }

  /** Sets the id's timer, in place of an earlier one. A time gone by is due at the next turn. */
  set(id: number, atMs: number): void {
    this.clear(id);
    const due = Math.max(Math.ceil(atMs), this.#cursor);
    const bucket = due % BUCKETS;
    const tail = this.#tails[bucket] ?? NONE;
    this.#due[id] = due;
    this.#previous[id] = tail;
    this.#next[id] = NONE;
    if (tail === NONE) this.#heads[bucket] = id;
    else this.#next[tail] = id;
    this.#tails[bucket] = id;
    this.#size++;
  }

  clear(id: number): void {
    const due = this.#due[id] ?? NONE;
    if (due === NONE) return;
    const bucket = due % BUCKETS;
    const next = this.#next[id] ?? NONE;
    const previous = this.#previous[id] ?? NONE;
    if (previous === NONE) this.#heads[bucket] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#tails[bucket] = previous;
    else this.#previous[next] = previous;
    this.#due[id] = NONE;
    this.#size--;
    if (this.#walk === id) this.#walk = next;
  }

  /**
   * Fires what is due by `nowMs`, earliest first, at most `most` of them; the rest stays due. `fire`
   * may set and clear timers as it likes.
   *
   * @returns how many were fired.
   */
  advance(nowMs: number, most: number, fire: (id: number) => void): number {
    const now = Math.floor(nowMs);
    if (this.#size === 0 && this.#cursor < now) this.#cursor = now;
    let fired = 0;
    for (; this.#cursor <= now; this.#cursor++) {
      this.#walk = this.#heads[this.#cursor % BUCKETS] ?? NONE;
      while (this.#walk !== NONE) {
        const id = this.#walk;
        this.#walk = this.#next[id] ?? NONE;
        if ((this.#due[id] ?? NONE) > this.#cursor) continue;
        if (fired === most) return fired;
        this.clear(id);
        fired++;
        fire(id);
      }
    }
    return fired;
  }

  /** Milliseconds from `nowMs` to the next time that a turn may find work; at most `most`. */
  msUntilNext(nowMs: number, most: number): number {
    if (this.#size === 0) return most;
    const last = nowMs + most;
    for (let tick = this.#cursor; tick <= last; tick++) {
      if (this.#heads[tick % BUCKETS] !== NONE) return Math.max(tick - nowMs, 0);
    }
    return most;
  }
}
