/**
 * The pinger's heartbeat: turns the transactions' timers and the scheduler, and sleeps between.
 */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from './clock.js';
import type { Scheduler } from './scheduler.js';
import type { StallDetector } from './stall-detector.js';
import type { TimerWheel } from './timer-wheel.js';

/** Never sleeps longer than this, so that a living pinger is told from a stuck one. */
const MAX_SLEEP_MS = 250;
/** The same while pings are under way, so that a stall does not hide in a sleep. */
const MAX_BUSY_SLEEP_MS = 50;
/**
 * After a stall, for how long, and for how many rounds of the event loop, the sockets may be read
 * before deadlines count all the same: a peer that sends without end would hold up all others.
 */
const MAX_DRAIN_MS = 100;
const MAX_ROUNDS = 100;
/** A ping is sent again at most this often at the pace at which pings begin (RFC 3261 17.1.2.2). */
const RESENDS_PER_PING = 4;

export interface PingLoopOptions {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly scheduler: Scheduler;
  readonly stallDetector: StallDetector;
  readonly faults: Faults;
  readonly onTimer: (timer: number) => void;
  readonly heartbeat: () => void;
  /** The thread stood still for so long. */
  readonly onStall: (ms: number) => void;
  /** Counts messages that arrived. */
  readonly received: () => number;
  /** Runs once the event loop has read what the sockets hold. */
  readonly afterReads: (callback: () => void) => void;
}

export class PingLoop {
  readonly #options: PingLoopOptions;
  #cancel: (() => void) | undefined;
  #wakeAt = Number.POSITIVE_INFINITY;
  #isStopped = false;

  constructor(options: PingLoopOptions) {
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
    const { stallDetector, clock, received } = this.#options;
    const isStall = stallDetector.check(clock.now());
    if (isStall) this.#drain(received(), MAX_ROUNDS, clock.now() + MAX_DRAIN_MS);
    return isStall;
  }

  /** Lets the sockets be read until a round brings nothing more. */
  #drain(received: number, rounds: number, untilMs: number): void {
    this.#options.afterReads(() => {
      const now = this.#options.received();
      const { stallDetector, clock, onStall } = this.#options;
      if (now !== received && rounds > 0 && clock.now() < untilMs) {
        this.#drain(now, rounds - 1, untilMs);
        return;
      }
      onStall(stallDetector.caughtUp(clock.now()));
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#isStopped) return;
    const { clock, timers, scheduler, stallDetector, faults, onTimer, heartbeat } = this.#options;
    stallDetector.expect(clock.now());
    faults.contain('heartbeat', heartbeat);
    faults.contain('timers', () =>
      timers.advance(clock.now(), RESENDS_PER_PING * scheduler.maxPingsPerTick, onTimer),
    );
    faults.contain('schedule', () => scheduler.tick());
    // The thread may have stood still in the middle of this.
    if (!this.#catchUp()) this.#sleepUntil(this.#nextWake());
  }

  #nextWake(): number {
    const { clock, timers, scheduler } = this.#options;
    const now = clock.now();
    const longest = timers.size > 0 ? MAX_BUSY_SLEEP_MS : MAX_SLEEP_MS;
    const wait = Math.min(timers.msUntilNext(now, longest), scheduler.msUntilNext(longest));
    return now + Math.max(wait, 1);
  }

  #sleepUntil(wakeAt: number): void {
    // While it catches up after a stall, the turn that follows sets the next sleep.
    if (this.#isStopped || this.#options.stallDetector.isCatchingUp) return;
    this.#cancel?.();
    this.#wakeAt = wakeAt;
    this.#options.stallDetector.expect(wakeAt);
    const delayMs = Math.max(wakeAt - this.#options.clock.now(), 0);
    this.#cancel = this.#options.clock.after(delayMs, this.#awake);
  }
}
