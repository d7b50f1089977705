/**
 * The non-INVITE client transaction, RFC 3261 17.1.2, with a deadline of our own in place of timer F.
 *
 *     idle --no connection yet--> opening
 *       |                            |
 *       |  send; E, deadline         | the same; failure, deadline: completed
 *       v                            v
 *     trying ------------1xx---> proceeding
 *       |                            |
 *       |  200-699, failure,         | the same
 *       v  deadline                  v
 *     completed: nothing is sent, late answers are counted
 *
 * Timer K (17.1.2.2) needs no timer here: the transaction stays to absorb answers until the next
 * ping of its target takes its place.
 */

import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import type { Clock } from '../time/clock.js';
import type { StallDetector } from '../time/stall-detector.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { DiscardedResponse } from './discarded-response.js';

/** RFC 3261 17.1.1.1: the estimate of the round-trip time. */
export const T1_MS = 500;
/** RFC 3261 17.1.2.2: the longest pause between retransmissions. */
export const T2_MS = 4000;

/** What a transaction asks of the one who started it. */
export interface TransactionUser {
  /** Puts the request on the wire, for the first time or again. */
  transmit(isFirst: boolean): void;
  /** Called once for each start that is not discarded. */
  ended(outcome: Outcome, retransmissions: number): void;
  /** How it ended is not known: the deadline passed while the thread stood still. */
  discarded(): void;
  /** An answer that came after the deadline; called at most once for each start. */
  answeredLate(): void;
}

type Phase = 'idle' | 'opening' | 'trying' | 'proceeding' | 'completed';

export class Transaction {
  readonly #clock: Clock;
  readonly #timers: TimerWheel;
  readonly #timer: number;
  readonly #user: TransactionUser;
  readonly #stallDetector: StallDetector;
  #phase: Phase = 'idle';
  // NaN, not 0: V8 then keeps these as doubles from the start.
  #startedAt = Number.NaN;
  #deadline = Number.NaN;
  /** Timer E: when to send again, and the pause that led there. */
  #resendAt = Number.POSITIVE_INFINITY;
  #pause = 0;
  #retransmissions = 0;
  #isLatePossible = false;
  /** The last response that had to be discarded. */
  #discarded: DiscardedResponse | undefined;

  /** @param timer the id of this transaction's timer in `timers`. */
  constructor(
    clock: Clock,
    timers: TimerWheel,
    timer: number,
    user: TransactionUser,
    stallDetector: StallDetector,
  ) {
    this.#clock = clock;
    this.#timers = timers;
    this.#timer = timer;
    this.#user = user;
    this.#stallDetector = stallDetector;
  }

  /** A request is out and its end has not been told yet. */
  get isPending(): boolean {
    return this.#phase === 'trying' || this.#phase === 'proceeding';
  }

  /** The deadline went by and no answer has come since. */
  get awaitsLate(): boolean {
    return this.#isLatePossible;
  }

  /** Waits for a connection that the request needs, `timeoutMs` from now. */
  open(timeoutMs: number): void {
    this.#phase = 'opening';
    this.#discarded = undefined;
    this.#retransmissions = 0;
    this.#isLatePossible = false;
    this.#deadline = this.#clock.now() + timeoutMs;
    this.#resendAt = Number.POSITIVE_INFINITY;
    this.#setTimer();
  }

  /** Sends the request. `timeoutMs` counts from now, where the round-trip time begins too. */
  start(timeoutMs: number, isReliable: boolean): void {
    this.#phase = 'trying';
    this.#discarded = undefined;
    this.#retransmissions = 0;
    this.#isLatePossible = false;
    this.#startedAt = this.#clock.now();
    this.#deadline = this.#startedAt + timeoutMs;
    this.#pause = T1_MS;
    this.#resendAt = isReliable ? Number.POSITIVE_INFINITY : this.#startedAt + T1_MS;
    this.#user.transmit(true);
    if (this.isPending) this.#setTimer();
  }

  /** A response to this request, 100 to 699, that was taken from the socket at `atMs`. */
  receive(status: number, atMs = this.#clock.now()): void {
    if (!this.isPending) {
      if (status >= 200) this.#takeLate();
    } else if (status < 200) {
      // RFC 3261 17.1.2.2: timer E runs on; once it has rung in this state, it rings every T2.
      this.#phase = 'proceeding';
    } else {
      this.#takeAnswer(status, atMs);
    }
  }

  /** An answer that carries our branch and cannot be understood. */
  receiveMalformed(detail: string): void {
    if (this.isPending) this.#end({ kind: 'failed', reason: 'malformed', detail });
  }

  /** A response that had to be discarded: a better one may come until the deadline. */
  discard(why: DiscardedResponse): void {
    this.#discarded = why;
  }

  /** The transport could not deliver (RFC 3261 17.1.4). */
  fail(failure: TransportFailure): void {
    if (this.isPending) this.#end({ kind: 'failed', ...failure });
  }

  /** The timer rang: the deadline, or timer E. */
  ring(): void {
    const isOpening = this.#phase === 'opening';
    if (!isOpening && !this.isPending) return;
    const now = this.#clock.now();
    if (now >= this.#deadline) {
      // All that came was read before this, so no answer is no answer; but a retransmission, or a
      // step of a handshake, that could not go out while we stood still might have brought one.
      const isSendMissing = isOpening || this.#resendAt < this.#deadline;
      if (isSendMissing && this.#stallDetector.covers(this.#deadline)) this.#discard();
      else this.#timeOut(!isOpening);
      return;
    }
    if (now >= this.#resendAt) {
      this.#pause = this.#phase === 'proceeding' ? T2_MS : Math.min(2 * this.#pause, T2_MS);
      this.#resendAt = now + this.#pause;
      this.#retransmissions++;
      this.#setTimer();
      this.#user.transmit(false);
      return;
    }
    this.#setTimer();
  }

  /** Ends without a word. */
  abandon(): void {
    this.#phase = 'completed';
    this.#isLatePossible = false;
    this.#timers.clear(this.#timer);
  }

  /** An answer that lay in the socket during a stall came at a time that nobody knows. */
  #takeAnswer(code: number, atMs: number): void {
    const isBlurred = this.#stallDetector.isCatchingUp;
    if (atMs < this.#deadline) {
      const rttMicros = isBlurred ? undefined : Math.round((atMs - this.#startedAt) * 1000);
      this.#end({ kind: 'answered', code, rttMicros });
    } else if (isBlurred) {
      this.#discard();
    } else {
      this.#timeOut(true);
      this.#takeLate();
    }
  }

  #timeOut(isLatePossible: boolean): void {
    this.#isLatePossible = isLatePossible;
    this.#end({ kind: 'failed', reason: 'timeout', ...this.#discarded });
  }

  #discard(): void {
    this.abandon();
    this.#user.discarded();
  }

  #end(outcome: Outcome): void {
    this.#phase = 'completed';
    this.#timers.clear(this.#timer);
    this.#user.ended(outcome, this.#retransmissions);
  }

  #takeLate(): void {
    if (!this.#isLatePossible) return;
    this.#isLatePossible = false;
    this.#user.answeredLate();
  }

  #setTimer(): void {
    this.#timers.set(this.#timer, Math.min(this.#resendAt, this.#deadline));
  }
}
