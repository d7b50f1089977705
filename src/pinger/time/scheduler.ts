/**
 * Decides when targets are pinged. It has no knowledge of protocols.
 *
 * Each target has a phase within its interval, a hash of its name. This spreads pings evenly and keeps
 * their times the same after a restart. The first ping starts as soon as the rate limit of first
 * pings allows. The next ping of a target is scheduled when the last one has ended, so pings of one
 * target never overlap. A pause of another length replaces the interval until the next ping. A tick
 * starts at most twice the average number of pings, which spreads the pings that a stall has delayed.
 */

import type { Clock } from './clock.js';
import { TimerWheel } from './timer-wheel.js';

/** Rate of first pings; twice the steady rate of all targets where that is higher. */
const FIRST_PINGS_PER_MS = 2;

/** Below this rate a tick is a millisecond: there is nothing to batch. */
const MIN_BATCHED_PINGS_PER_MS = 0.1;
/**
 * A tick costs about as much as twenty pings: the caches are cold after each sleep. The answers to
 * twice as many fit into a socket's buffer of the default size (`net.core.rmem_max`).
 */
const PINGS_PER_BATCH = 100;
const MIN_BATCH_MS = 2;
const MAX_BATCH_MS = 20;

/** The time from one ping of a target to the next. */
export interface Pause {
  readonly ms: number;
  /**
   * The next ping is due exactly this long after the last one was. Otherwise it is due at the target's
   * phase within periods of this length, 0.5 to 1.5 periods after the last one.
   */
  readonly isExact: boolean;
}

export class Scheduler {
  readonly #clock: Clock;
  readonly #isBatched: boolean;
  readonly #wheel: TimerWheel;
  /** By ID: the length of the current pause; 0 while the target is not pinged. */
  readonly #pauseMs: Float64Array;
  /** By ID: the position of the target's pings in the interval, 0 to 1, on the wall clock. */
  readonly #phase: Float64Array;
  /** By ID: the monotonic time at which the target's current or last ping was due. */
  readonly #dueMs: Float64Array;
  readonly #ping: (id: number, latenessMs: number) => void;
  /** Wall clock minus monotonic clock at the start. */
  readonly #epochOffsetMs: number;
  /** By the current pauses of all targets. */
  #pingsPerMs = 0;
  #tickMs = 1;
  #lastTickMs = 0;
  #sinceLastTickMs = 0;
  #lastFirstPingMs = 0;

  /**
   * @param capacity IDs are from 0 to `capacity - 1`.
   * @param ping starts a ping; `done` must be called when it has ended, maybe before `ping` returns.
   * @param isBatched pings that start together are cheaper: see `tickMs`.
   */
  constructor(
    clock: Clock,
    capacity: number,
    ping: (id: number, latenessMs: number) => void,
    isBatched = false,
  ) {
    this.#clock = clock;
    this.#isBatched = isBatched;
    this.#wheel = new TimerWheel(capacity);
    this.#pauseMs = new Float64Array(capacity);
    this.#phase = new Float64Array(capacity);
    this.#dueMs = new Float64Array(capacity);
    this.#ping = ping;
    this.#epochOffsetMs = clock.epoch() - clock.now();
  }

  /** Starts the pings of `id`; `name` determines their phase. */
  add(id: number, name: string, intervalMs: number): void {
    this.remove(id);
    const now = this.#clock.now();
    this.#pingsPerMs += 1 / intervalMs;
    const gapMs = 1 / Math.max(FIRST_PINGS_PER_MS, 2 * this.#pingsPerMs);
    this.#lastFirstPingMs = Math.max(now, this.#lastFirstPingMs + gapMs);
    this.#pauseMs[id] = intervalMs;
    this.#phase[id] = hash(name) / 2 ** 32;
    this.#schedule(id, this.#lastFirstPingMs, now);
  }

  remove(id: number): void {
    const pauseMs = this.#pauseMs[id] ?? 0;
    if (pauseMs === 0) return;
    this.#pauseMs[id] = 0;
    this.#wheel.clear(id);
    this.#pingsPerMs -= 1 / pauseMs;
  }

  /** The ping of `id` has ended: schedules the next one and returns when it is due. */
  done(id: number, { ms, isExact }: Pause): number {
    const pauseMs = this.#pauseMs[id] ?? 0;
    if (pauseMs === 0) return Number.POSITIVE_INFINITY;
    if (ms !== pauseMs) {
      this.#pauseMs[id] = ms;
      this.#pingsPerMs += 1 / ms - 1 / pauseMs;
    }
    const now = this.#clock.now();
    const dueMs = isExact ? this.#exactlyAfter(id, ms, now) : this.#nextInPhase(id, ms, now);
    return this.#schedule(id, dueMs, now);
  }

  /** Starts the pings that are due, up to the limit of one tick. */
  tick(): void {
    const now = this.#clock.now();
    this.#sinceLastTickMs = now - this.#lastTickMs;
    this.#lastTickMs = now;
    this.#wheel.advance(now, this.maxPingsPerTick, (id, dueMs) => {
      const tickAtMs = Math.ceil(dueMs / this.#tickMs) * this.#tickMs;
      this.#ping(id, Math.max(this.#clock.now() - tickAtMs, 0));
    });
    this.#tickMs = this.#nextTickMs();
  }

  /**
   * Length of a tick in milliseconds: 1, or long enough for a batch of pings where batches make each
   * ping cheaper. It changes only within `tick`. A ping that starts with the first tick after it was
   * due is not late.
   */
  get tickMs(): number {
    return this.#tickMs;
  }

  /** Milliseconds until the next ping is due, up to `maxMs`. */
  msUntilNext(maxMs: number): number {
    return this.#wheel.msUntilNext(this.#clock.now(), maxMs);
  }

  /** Twice the average number of pings in a tick, or in the time since the last one if that was longer. */
  get maxPingsPerTick(): number {
    const { tickMs } = this;
    const ms = tickMs === 1 ? 1 : Math.min(Math.max(this.#sinceLastTickMs, tickMs), MAX_BATCH_MS);
    return Math.ceil(2 * ms * Math.max(FIRST_PINGS_PER_MS, this.#pingsPerMs));
  }

  #nextTickMs(): number {
    if (!this.#isBatched || this.#pingsPerMs < MIN_BATCHED_PINGS_PER_MS) return 1;
    const tickMs = Math.floor(PINGS_PER_BATCH / this.#pingsPerMs);
    return Math.min(Math.max(tickMs, MIN_BATCH_MS), MAX_BATCH_MS);
  }

  /** A ping that was due while the one before was still pending is not late: it cannot start before now. */
  #schedule(id: number, dueMs: number, now: number): number {
    this.#dueMs[id] = dueMs;
    this.#wheel.set(id, Math.max(dueMs, now));
    return dueMs;
  }

  /**
   * A pause after the ended ping was due, or the last multiple of it that has passed: the targets keep
   * their distances even if an event ends all of their pings at the same time.
   */
  #exactlyAfter(id: number, pauseMs: number, now: number): number {
    const lastMs = this.#dueMs[id] ?? 0;
    const missed = Math.floor((now - lastMs) / pauseMs);
    return lastMs + Math.max(missed, 1) * pauseMs;
  }

  /**
   * The first time in phase that is at least half an interval after the ended ping was due. If it has
   * passed during that ping, the next ping is due at once; missed intervals are skipped.
   */
  #nextInPhase(id: number, intervalMs: number, now: number): number {
    const phaseMs = (this.#phase[id] ?? 0) * intervalMs;
    const earliestMs = Math.max((this.#dueMs[id] ?? 0) + intervalMs / 2, now - intervalMs);
    const epochMs = earliestMs + this.#epochOffsetMs;
    const cycles = Math.ceil((epochMs - phaseMs) / intervalMs);
    return cycles * intervalMs + phaseMs - this.#epochOffsetMs;
  }
}

/** FNV-1a with the finalizer of MurmurHash3, which spreads names that differ in one digit. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
