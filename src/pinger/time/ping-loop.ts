/**
 * The pinger's heartbeat: turns the transactions' timers and the scheduler, and sleeps between.
 */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from './clock.js';
import type { Scheduler } from './scheduler.js';
import type { Vigil } from './stall-detector.js';
import type { Wheel } from './timer-wheel.js';

/** Never sleeps longer than this, so that a living pinger is told from a stuck one. */
const LONGEST_SLEEP_MS = 250;
/** The same while pings are under way, so that a stall does not hide in a sleep. */
const LONGEST_BUSY_SLEEP_MS = 50;
/**
 * After a stall, for how long, and for how many rounds of the event loop, the sockets may be read
 * before deadlines count all the same: a peer that sends without end would hold up all others.
 */
const LONGEST_DRAIN_MS = 100;
const MOST_ROUNDS = 100;
/** A ping is sent again at most this often at the pace at which pings begin (RFC 3261 17.1.2.2). */
const RESENDS_PER_PING = 4;

export interface LoopOptions {
  readonly clock: Clock;
  readonly timers: Wheel;
  readonly scheduler: Scheduler;
  readonly vigil: Vigil;
  readonly faults: Faults;
  readonly ring: (timer: number) => void;
  readonly beat: () => void;
  /** The thread stood still for so long. */
  readonly onStall: (ms: number) => void;
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
    if (atMs < this.#wakeAt) this.#sleepUntil(Math.max(atMs, this.#options.clock.now()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  readonly #awake = (): void => {
    this.#cancel = undefined;
    if (!this.#catchUp()) this.#turn();
  };

  /** After a stall: reads what lies in the sockets before anything else. True when there was one. */
  #catchUp(): boolean {
    const { vigil, clock, received } = this.#options;
    const isStall = vigil.look(clock.now());
    if (isStall) this.#drain(received(), MOST_ROUNDS, clock.now() + LONGEST_DRAIN_MS);
    return isStall;
  }

  /** Lets the sockets be read until a round brings nothing more. */
  #drain(received: number, rounds: number, untilMs: number): void {
    this.#options.afterReads(() => {
      const now = this.#options.received();
      const { vigil, clock, onStall } = this.#options;
      if (now !== received && rounds > 0 && clock.now() < untilMs) {
        this.#drain(now, rounds - 1, untilMs);
        return;
      }
      onStall(vigil.caughtUp(clock.now()));
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#isStopped) return;
    const { clock, timers, scheduler, vigil, faults, ring, beat } = this.#options;
    vigil.expect(clock.now());
    faults.contain('heartbeat', beat);
    faults.contain('timers', () =>
      timers.turn(clock.now(), RESENDS_PER_PING * scheduler.share, ring),
    );
    faults.contain('schedule', () => scheduler.turn());
    // The thread may have stood still in the middle of this.
    if (!this.#catchUp()) this.#sleepUntil(this.#nextWake());
  }

  #nextWake(): number {
    const { clock, timers, scheduler } = this.#options;
    const now = clock.now();
    const longest = timers.size > 0 ? LONGEST_BUSY_SLEEP_MS : LONGEST_SLEEP_MS;
    const wait = Math.min(timers.wait(now, longest), scheduler.wait(longest));
    return now + Math.max(wait, 1);
  }

  #sleepUntil(wakeAt: number): void {
    // While it catches up after a stall, the turn that follows sets the next sleep.
    if (this.#isStopped || this.#options.vigil.isCatchingUp) return;
    this.#cancel?.();
    this.#wakeAt = wakeAt;
    this.#options.vigil.expect(wakeAt);
    const delayMs = Math.max(wakeAt - this.#options.clock.now(), 0);
    this.#cancel = this.#options.clock.after(delayMs, this.#awake);
  }
}
