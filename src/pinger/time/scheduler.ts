/**
 * When targets are pinged; it knows nothing of how.
 *
 * Every target has a phase within its interval, a hash of its name, so that pings are spread evenly
 * and fall on the same moments after a restart. The first ping comes as soon as the pace of first
 * pings allows. A target's next ping is set only when the last one has ended, so pings of one target
 * never overlap. No turn starts more than twice its even share: what a stall held up is caught up
 * with bit by bit.
 */

import type { Clock } from './clock.js';
import { TimerWheel } from './timer-wheel.js';

/**
 * First pings leave at this many a millisecond, or at twice the steady rate of the targets so far
 * where that is more.
 */
const FIRST_PINGS_PER_MS = 2;

export class Scheduler {
  readonly #clock: Clock;
  readonly #wheel: TimerWheel;
  /** Of each id, 0 while it is not pinged. */
  readonly #intervalMs: Float64Array;
  /** Where in its interval it is pinged, 0 to 1, counted on the wall clock. */
  readonly #phase: Float64Array;
  /** Monotonic time at which the present or the last ping was due. */
  readonly #dueMs: Float64Array;
  readonly #ping: (id: number, latenessMs: number) => void;
  /** What to add to the monotonic clock to get the wall clock, fixed at the start. */
  readonly #epochOffsetMs: number;
  #pingsPerMs = 0;
  #lastFirstMs = 0;

  /**
   * @param capacity ids are 0 to one less than this.
   * @param ping starts a ping; `done` must follow, at once or later.
   */
  constructor(clock: Clock, capacity: number, ping: (id: number, latenessMs: number) => void) {
    this.#clock = clock;
    this.#wheel = new TimerWheel(capacity);
    this.#intervalMs = new Float64Array(capacity);
    this.#phase = new Float64Array(capacity);
    this.#dueMs = new Float64Array(capacity);
    this.#ping = ping;
    this.#epochOffsetMs = clock.epoch() - clock.now();
  }

  /** Starts to ping `id`; its phase comes from `name`. */
  add(id: number, name: string, intervalMs: number): void {
    this.remove(id);
    const now = this.#clock.now();
    this.#pingsPerMs += 1 / intervalMs;
    const gap = 1 / Math.max(FIRST_PINGS_PER_MS, 2 * this.#pingsPerMs);
    this.#lastFirstMs = Math.max(now, this.#lastFirstMs + gap);
    this.#intervalMs[id] = intervalMs;
    this.#phase[id] = hash(name) / 2 ** 32;
    this.#set(id, this.#lastFirstMs);
  }

  remove(id: number): void {
    const intervalMs = this.#intervalMs[id] ?? 0;
    if (intervalMs === 0) return;
    this.#intervalMs[id] = 0;
    this.#wheel.clear(id);
    this.#pingsPerMs -= 1 / intervalMs;
  }

  /**
   * The ping of `id` has ended: sets the next, and returns when it is due.
   *
   * @param slowMs the interval for now, where it is longer than its own.
   */
  done(id: number, slowMs = 0): number {
    const intervalMs = this.#intervalMs[id] ?? 0;
    if (intervalMs === 0) return Number.POSITIVE_INFINITY;
    return this.#set(id, this.#nextDue(id, Math.max(intervalMs, slowMs)));
  }

  /** Starts the pings that are due, within the share of one turn. */
  tick(): void {
    this.#wheel.advance(this.#clock.now(), this.maxPingsPerTick, (id) => {
      this.#ping(id, Math.max(this.#clock.now() - (this.#dueMs[id] ?? 0), 0));
    });
  }

  /** Milliseconds until the next ping is due; at most `most`. */
  msUntilNext(most: number): number {
    return this.#wheel.msUntilNext(this.#clock.now(), most);
  }

  /** Pings that one turn may start: twice what falls into a millisecond. */
  get maxPingsPerTick(): number {
    return Math.ceil(2 * Math.max(FIRST_PINGS_PER_MS, this.#pingsPerMs));
  }

  #set(id: number, dueMs: number): number {
    this.#dueMs[id] = dueMs;
    this.#wheel.set(id, dueMs);
    return dueMs;
  }

  /**
   * The first moment of the target's phase that is at least half an interval after the ping that
   * ended was due. It may have gone by while that ping was under way; then it is due at once, unless
   * a whole interval was missed: that one is left out.
   */
  #nextDue(id: number, intervalMs: number): number {
    const phaseMs = (this.#phase[id] ?? 0) * intervalMs;
    const now = this.#clock.now();
    const earliest = Math.max((this.#dueMs[id] ?? 0) + intervalMs / 2, now - intervalMs);
    const epoch = earliest + this.#epochOffsetMs;
    const cycles = Math.ceil((epoch - phaseMs) / intervalMs);
    return cycles * intervalMs + phaseMs - this.#epochOffsetMs;
  }
}

/** FNV-1a with MurmurHash3's finalizer, so that names that differ in one digit lie far apart. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
