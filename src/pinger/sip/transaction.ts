/**
 * The non-INVITE client transaction, RFC 3261 17.1.2, with a configured deadline in place of timer F.
 *
 *     idle --no connection yet--> opening
 *       |                            |
 *       |  send; E, deadline         | the same; failure, deadline: completed
 *       v                            v
 *     trying ------------1xx---> proceeding
 *       |                            |
 *       |  200-699, failure,         | the same
 *       v  deadline                  v
 *     completed: nothing is sent, late responses are counted
 *
 * Timer K (17.1.2.2) needs no timer here: the transaction absorbs responses until the target's next ping
 * restarts it.
 */

import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import { T1_MS } from '../../shared/sip-timers.js';
import type { Clock } from '../time/clock.js';
import type { StallDetector } from '../time/stall-detector.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { DiscardedResponse } from './discarded-response.js';

/** RFC 3261 17.1.2.2: the maximum pause between retransmissions. */
const T2_MS = 4000;

/** The user of a transaction (RFC 3261 5). */
export interface TransactionUser {
  /** Sends the request, for the first time or again. @param nowMs monotonic. */
  transmit(isFirst: boolean, nowMs: number): void;
  /** A final response arrived after the deadline; called at most once per start. */
  answeredLate(): void;
}

/** What all transactions share. */
export interface TransactionTools {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly stallDetector: StallDetector;
}

/** How a transaction ends. `unobserved`: because of a stall it is unknown whether a response came in time. */
export type TransactionEnd = Outcome | 'unobserved';

type Phase = 'idle' | 'opening' | 'trying' | 'proceeding' | 'completed';

export class Transaction {
  readonly #tools: TransactionTools;
  readonly #index: number;
  readonly #user: TransactionUser;
  #phase: Phase = 'idle';
  // NaN, not 0: V8 then keeps these as doubles from the start.
  #startedAt = Number.NaN;
  #deadline = Number.NaN;
  /** Timer E: when it fires, and the pause that it was set for. */
  #resendAt = Number.POSITIVE_INFINITY;
  #pause = 0;
  #retransmissions = 0;
  #isLatePossible = false;
  /** The last response that was discarded. */
  #discarded: DiscardedResponse | undefined;

  /** @param index this transaction's timer in `timers`. */
  constructor(tools: TransactionTools, index: number, user: TransactionUser) {
    this.#tools = tools;
    this.#index = index;
    this.#user = user;
  }

  /** Whether a request was sent and its transaction has not ended. */
  get isPending(): boolean {
    return this.#phase === 'trying' || this.#phase === 'proceeding';
  }

  /** Whether the deadline has passed and no response has arrived since. */
  get awaitsLate(): boolean {
    return this.#isLatePossible;
  }

  /** Number of retransmissions since the last start. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** Waits up to `timeoutMs` for the connection that the request needs. */
  open(timeoutMs: number): void {
    this.#begin('opening', timeoutMs);
    this.#resendAt = Number.POSITIVE_INFINITY;
    this.#setTimer();
  }

  /** Sends the request. `timeoutMs` and the round-trip time count from now. */
  start(timeoutMs: number, isReliable: boolean): void {
    this.#startedAt = this.#begin('trying', timeoutMs);
    this.#pause = T1_MS;
    this.#resendAt = isReliable ? Number.POSITIVE_INFINITY : this.#startedAt + T1_MS;
    this.#user.transmit(true, this.#startedAt);
    if (this.isPending) this.#setTimer();
  }

  /**
   * Handles a response to this request, 100 to 699.
   *
   * @param atMs monotonic: when it arrived, if `isStamped` by the kernel; otherwise when it was read.
   * @param sentAtMs monotonic: when the request left, if the transport knows it more exactly than this
   *   transaction; NaN when it cannot be compared with `atMs`.
   * @returns how the transaction ended; undefined when it continues or had ended before.
   */
  receive(
    status: number,
    atMs = this.#tools.clock.now(),
    isStamped = false,
    sentAtMs = this.#startedAt,
  ): TransactionEnd | undefined {
    if (!this.isPending) {
      if (status >= 200) this.#takeLate();
      return undefined;
    }
    if (status >= 200) return this.#takeAnswer(status, atMs, isStamped, sentAtMs);
    // RFC 3261 17.1.2.2: timer E continues; after it has fired in this state, it fires every T2.
    this.#phase = 'proceeding';
    return undefined;
  }

  /** Handles a malformed response with the request's branch. Returns the same as `receive`. */
  receiveMalformed(detail: string): Outcome | undefined {
    if (!this.isPending) return undefined;
    return this.#end({ kind: 'failed', reason: 'malformed', detail });
  }

  /** Notes a discarded response: a valid one may still arrive before the deadline. */
  noteDiscarded(discarded: DiscardedResponse): void {
    this.#discarded = discarded;
  }

  /** The transport could not deliver the request (RFC 3261 17.1.4). Returns the same as `receive`. */
  fail(failure: TransportFailure): Outcome | undefined {
    return this.isPending ? this.#end({ kind: 'failed', ...failure }) : undefined;
  }

  /** The timer fired: the deadline, or timer E. Returns the same as `receive`. */
  timerFired(): TransactionEnd | undefined {
    const isOpening = this.#phase === 'opening';
    if (!isOpening && !this.isPending) return undefined;
    const now = this.#tools.clock.now();
    if (now >= this.#deadline) {
      // The sockets have been read, so a response in time would be known. But a stall may have delayed a
      // retransmission or a step of a handshake that would have led to a response.
      const isSendMissing = isOpening || this.#resendAt < this.#deadline;
      if (isSendMissing && this.#tools.stallDetector.covers(this.#deadline))
        return this.#endUnobserved();
      return this.#timeOut(!isOpening);
    }
    if (now < this.#resendAt) {
      this.#setTimer();
      return undefined;
    }
    this.#pause = this.#phase === 'proceeding' ? T2_MS : Math.min(2 * this.#pause, T2_MS);
    this.#resendAt = now + this.#pause;
    this.#retransmissions++;
    this.#setTimer();
    this.#user.transmit(false, now);
    return undefined;
  }

  /** Ends the transaction without an outcome. */
  abandon(): void {
    this.#phase = 'completed';
    this.#isLatePossible = false;
    this.#tools.timers.clear(this.#index);
  }

  #begin(phase: Phase, timeoutMs: number): number {
    const now = this.#tools.clock.now();
    this.#phase = phase;
    this.#discarded = undefined;
    this.#retransmissions = 0;
    this.#isLatePossible = false;
    this.#deadline = now + timeoutMs;
    return now;
  }

  #takeAnswer(code: number, atMs: number, isStamped: boolean, sentAtMs: number): TransactionEnd {
    // Only the kernel knows when a response arrived that waited in the socket during a stall.
    const isBlurred = !isStamped && this.#tools.stallDetector.isCatchingUp;
    if (atMs < this.#deadline) {
      const rttMicros = Math.max(Math.round((atMs - sentAtMs) * 1000), 0);
      const isKnown = !isBlurred && !Number.isNaN(rttMicros);
      return this.#end({ kind: 'answered', code, rttMicros: isKnown ? rttMicros : undefined });
    }
    if (isBlurred) return this.#endUnobserved();
    const end = this.#timeOut(true);
    this.#takeLate();
    return end;
  }

  #timeOut(isLatePossible: boolean): Outcome {
    this.#isLatePossible = isLatePossible;
    return this.#end({ kind: 'failed', reason: 'timeout', ...this.#discarded });
  }

  #endUnobserved(): 'unobserved' {
    this.abandon();
    return 'unobserved';
  }

  #end(outcome: Outcome): Outcome {
    this.#phase = 'completed';
    this.#tools.timers.clear(this.#index);
    return outcome;
  }

  #takeLate(): void {
    if (!this.#isLatePossible) return;
    this.#isLatePossible = false;
    this.#user.answeredLate();
  }

  #setTimer(): void {
    this.#tools.timers.set(this.#index, Math.min(this.#resendAt, this.#deadline));
  }
}
