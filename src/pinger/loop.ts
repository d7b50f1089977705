/**
 * The pinger's heartbeat: turns the transactions' timers and the scheduler, and sleeps between.
 */

import type { Clock } from './clock.js';
import type { Scheduler } from './scheduler.js';
import type { Wheel } from './wheel.js';

/** Never sleeps longer than this, so that a living pinger is told from a stuck one. */
const LONGEST_SLEEP_MS = 250;
/** A turn later than this follows a stall: what arrived meanwhile is read before deadlines count. */
const STALL_MS = 20;
/** After a stall, how many rounds of the event loop may pass before deadlines count all the same. */
const MOST_ROUNDS = 100;
/** A ping is sent again at most this often at the pace at which pings begin (RFC 3261 17.1.2.2). */
const RESENDS_PER_PING = 4;

export interface LoopOptions {
  readonly clock: Clock;
  readonly timers: Wheel;
  readonly scheduler: Scheduler;
  readonly ring: (timer: number) => void;
  readonly beat: () => void;
  /** Counts messages that arrived. */
  readonly received: () => number;
  /** Runs once the event loop has read what the sockets hold. */
  readonly afterReads: (callback: () => void) => void;
}

export class Loop {
  readonly #options: LoopOptions;
  #cancel: (() => void) | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Turns now and goes on until stopped. */
  start(): void {
    this.#turn();
  }

  /** Makes sure that what is due next is not slept through. */
  wake(): void {
    this.wakeBy(this.#nextWake());
  }

  /** Makes sure that a turn is taken by then. */
  wakeBy(atMs: number): void {
    if (atMs < this.#wakeAt) this.#sleepUntil(atMs);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  readonly #awake = (): void => {
    const isLate = this.#options.clock.now() - this.#wakeAt > STALL_MS;
    if (isLate) this.#drain(this.#options.received(), MOST_ROUNDS);
    else this.#turn();
  };

  /** Lets the sockets be read until a round brings nothing more. */
  #drain(received: number, rounds: number): void {
    this.#options.afterReads(() => {
      const now = this.#options.received();
      if (now === received || rounds === 0) this.#turn();
      else this.#drain(now, rounds - 1);
    });
  }

  #turn(): void {
    if (this.#isStopped) return;
    const { clock, timers, scheduler, ring, beat } = this.#options;
    beat();
    timers.turn(clock.now(), RESENDS_PER_PING * scheduler.share, ring);
    scheduler.turn();
    this.#sleepUntil(this.#nextWake());
  }

  #nextWake(): number {
    const { clock, timers, scheduler } = this.#options;
    const now = clock.now();
    const wait = Math.min(timers.wait(now, LONGEST_SLEEP_MS), scheduler.wait(LONGEST_SLEEP_MS));
    return now + Math.max(wait, 1);
  }

  #sleepUntil(wakeAt: number): void {
    if (this.#isStopped) return;
    this.#cancel?.();
    this.#wakeAt = wakeAt;
    const delayMs = Math.max(wakeAt - this.#options.clock.now(), 0);
    this.#cancel = this.#options.clock.after(delayMs, this.#awake);
  }
}
