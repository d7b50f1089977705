/** The main loop of the pinger: fires timers, starts pings that are due, and sleeps until the next. */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from './clock.js';
import type { Scheduler } from './scheduler.js';
import type { StallDetector } from './stall-detector.js';
import type { TimerWheel } from './timer-wheel.js';

/** Longest sleep. Each wake-up is a heartbeat, with which the supervisor detects a stuck pinger. */
const MAX_SLEEP_MS = 250;
/** Longest sleep while pings are in flight: a stall within a sleep is not detected. */
const MAX_BUSY_SLEEP_MS = 50;
/** Shortest pause between two reads of polled sockets while a response is expected. */
const MIN_POLL_MS = 2;
/**
 * Pause between two reads of polled sockets while no response is expected: every second heartbeat. Requests
 * of others wait for at most T1, after which they would be retransmitted (RFC 3261 17.1.2.2).
 */
const IDLE_POLL_MS = 400;
/**
 * After a stall, the sockets are read for at most this time and this many rounds of the event loop
 * before deadlines count again; without a limit, a peer that floods would block all others.
 */
const MAX_DRAIN_MS = 100;
const MAX_DRAIN_ROUNDS = 100;
/** Timers that fire per started ping: over UDP, a ping is retransmitted a few times (RFC 3261 17.1.2.2). */
const TIMERS_PER_PING = 4;

/** Sockets that do not wake the event loop: each tick reads and writes them. */
export interface PolledSockets {
  /** Time of the last send, monotonic milliseconds. */
  readonly lastSentMs: number;
  /** Reads all datagrams that have arrived. */
  drain(): void;
  /** Sends all queued datagrams. */
  flush(): void;
}

export interface PingLoopOptions {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly scheduler: Scheduler;
  readonly stallDetector: StallDetector;
  readonly faults: Faults;
  readonly onTimer: (id: number) => void;
  readonly heartbeat: () => void;
  readonly onStall: (durationMs: number) => void;
  /** Number of messages received so far. */
  readonly received: () => number;
  /** Calls back after the event loop has read from the sockets once. */
  readonly afterReads: (callback: () => void) => void;
  readonly sockets?: PolledSockets | undefined;
}

export class PingLoop {
  readonly #options: PingLoopOptions;
  #cancel: (() => void) | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;
  #drainedAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;
  #isTicking = false;

  constructor(options: PingLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#tick();
  }

  /** Shortens the current sleep if something is due earlier. */
  wake(): void {
    this.wakeBy(this.#nextWake());
  }

  /** Sends what is queued in the polled sockets soon: they do not wake the event loop themselves. */
  flushSoon(): void {
    if (this.#isTicking) return;
    queueMicrotask(() => this.#options.sockets?.flush());
    this.wakeBy(this.#options.clock.now() + MIN_POLL_MS);
  }

  /** Ensures that a tick happens by this time. */
  wakeBy(atMs: number): void {
    if (this.#isTicking) return;
    if (atMs < this.#wakeAtMs) this.#sleepUntil(Math.max(atMs, this.#options.clock.now()));
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
  }

  readonly #onWake = (): void => {
    this.#cancel = undefined;
    if (!this.#catchUp()) this.#tick();
  };

  /** After a stall, reads the sockets before anything else. Returns true when there was a stall. */
  #catchUp(): boolean {
    const { stallDetector, clock, received } = this.#options;
    const isStall = stallDetector.check(clock.now());
    if (isStall) this.#drain(received(), MAX_DRAIN_ROUNDS, clock.now() + MAX_DRAIN_MS);
    return isStall;
  }

  /** Reads the sockets until a round brings no more messages. */
  #drain(received: number, roundsLeft: number, deadlineMs: number): void {
    this.#options.afterReads(() => {
      const { stallDetector, clock, onStall } = this.#options;
      const receivedNow = this.#options.received();
      if (receivedNow !== received && roundsLeft > 0 && clock.now() < deadlineMs) {
        this.#drain(receivedNow, roundsLeft - 1, deadlineMs);
        return;
      }
      onStall(stallDetector.caughtUp(clock.now()));
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#isStopped) return;
    const { clock, timers, scheduler, stallDetector, faults, onTimer, heartbeat } = this.#options;
    const { sockets } = this.#options;
    this.#isTicking = true;
    stallDetector.expect(clock.now());
    faults.contain('heartbeat', heartbeat);
    // Before the timers: a response that arrived in time must be read before its deadline fires.
    if (sockets !== undefined) this.#drainPolled(sockets);
    faults.contain('timers', () =>
      timers.advance(clock.now(), TIMERS_PER_PING * scheduler.maxPingsPerTick, onTimer),
    );
    faults.contain('schedule', () => scheduler.tick());
    if (sockets !== undefined) faults.contain('send', () => sockets.flush());
    this.#isTicking = false;
    // The thread may have stalled during this tick.
    if (!this.#catchUp()) this.#sleepUntil(this.#nextWake());
  }

  /** Late and stray datagrams can wait. */
  #drainPolled(sockets: PolledSockets): void {
    const { clock, timers, faults } = this.#options;
    const now = clock.now();
    const isQuiet = timers.size === 0 && now - sockets.lastSentMs >= IDLE_POLL_MS;
    if (isQuiet && now - this.#drainedAtMs < IDLE_POLL_MS) return;
    this.#drainedAtMs = now;
    faults.contain('receive', () => sockets.drain());
  }

  #nextWake(): number {
    const { clock, timers, scheduler } = this.#options;
    const now = clock.now();
    const maxSleepMs = timers.size > 0 ? this.#maxBusySleepMs(now) : MAX_SLEEP_MS;
    const sleepMs = Math.min(
      timers.msUntilNext(now, maxSleepMs),
      scheduler.msUntilNext(maxSleepMs),
    );
    const { tickMs } = scheduler;
    if (tickMs === 1) return now + Math.max(sleepMs, 1);
    const dueMs = Math.max(now + sleepMs, (Math.floor(now / tickMs) + 1) * tickMs);
    return Math.ceil(dueMs / tickMs) * tickMs;
  }

  /** Polled sockets are read often just after a send, when an answer is likely, and then less often. */
  #maxBusySleepMs(now: number): number {
    const { sockets } = this.#options;
    if (sockets === undefined) return MAX_BUSY_SLEEP_MS;
    return Math.min(Math.max(now - sockets.lastSentMs, MIN_POLL_MS), MAX_BUSY_SLEEP_MS);
  }

  #sleepUntil(wakeAtMs: number): void {
    // While catching up after a stall, the tick that follows sets the next sleep.
    if (this.#isStopped || this.#options.stallDetector.isCatchingUp) return;
    this.#cancel?.();
    this.#wakeAtMs = wakeAtMs;
    this.#options.stallDetector.expect(wakeAtMs);
    const delayMs = Math.max(wakeAtMs - this.#options.clock.now(), 0);
    this.#cancel = this.#options.clock.after(delayMs, this.#onWake);
  }
}
