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
import { Wheel } from './wheel.js';

/**
 * First pings leave at this many a millisecond, or at twice the steady rate of the targets so far
 * where that is more.
 */
const FIRST_PINGS_PER_MS = 2;

interface Entry {
  readonly intervalMs: number;
  /** Where in its interval it is pinged, 0 to 1, counted on the wall clock. */
  readonly phase: number;
  /** Monotonic time at which the present or the last ping was due. */
  dueMs: number;
}

export class Scheduler {
  readonly #clock: Clock;
  readonly #wheel: Wheel;
  readonly #entries = new Map<number, Entry>();
  readonly #ping: (id: number, latenessMs: number) => void;
  /** What to add to the monotonic clock to get the wall clock, fixed at the start. */
  readonly #epochOffsetMs: number;
  #pingsPerMs = 0;
  #lastFirstMs = 0;

  /** @param ping starts a ping; `done` must follow, at once or later. */
  constructor(clock: Clock, capacity: number, ping: (id: number, latenessMs: number) => void) {
    this.#clock = clock;
    this.#wheel = new Wheel(capacity);
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
    const entry = { intervalMs, phase: hash(name) / 2 ** 32, dueMs: this.#lastFirstMs };
    this.#entries.set(id, entry);
    this.#wheel.set(id, entry.dueMs);
  }

  remove(id: number): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    this.#wheel.clear(id);
    this.#pingsPerMs -= 1 / entry.intervalMs;
  }

  /**
   * The ping of `id` has ended: sets the next, and returns when it is due.
   *
   * @param slowMs the interval for now, where it is longer than its own.
   */
  done(id: number, slowMs = 0): number {
    const entry = this.#entries.get(id);
    if (entry === undefined) return Number.POSITIVE_INFINITY;
    entry.dueMs = this.#nextDue(entry, Math.max(entry.intervalMs, slowMs));
    this.#wheel.set(id, entry.dueMs);
    return entry.dueMs;
  }

  /** Starts the pings that are due, within the share of one turn. */
  turn(): void {
    this.#wheel.turn(this.#clock.now(), this.share, (id) => {
      const entry = this.#entries.get(id);
      if (entry !== undefined) this.#ping(id, Math.max(this.#clock.now() - entry.dueMs, 0));
    });
  }

  /** Milliseconds until the next ping is due; at most `most`. */
  wait(most: number): number {
    return this.#wheel.wait(this.#clock.now(), most);
  }

  /** Pings that one turn may start: twice what falls into a millisecond. */
  get share(): number {
    return Math.ceil(2 * Math.max(FIRST_PINGS_PER_MS, this.#pingsPerMs));
  }

  /**
   * The first moment of the target's phase that is at least half an interval after the ping that
   * ended was due. It may have gone by while that ping was under way; then it is due at once, unless
   * a whole interval was missed: that one is left out.
   */
  #nextDue({ phase, dueMs }: Entry, intervalMs: number): number {
    const phaseMs = phase * intervalMs;
    const now = this.#clock.now();
    const earliest = Math.max(dueMs + intervalMs / 2, now - intervalMs);
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
