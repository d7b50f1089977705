/** One attempt to ping a target over one next hop: the wait for a connection, the request, its deadline. */

import type { LocalAddress } from '../../shared/address.js';
import type { PingSettings, TargetSlot } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import type { CallId } from '../../shared/ledger/exemplar-writer.js';
import {
  type Outcome,
  type TransportFailure,
  type TransportName,
  whileAwaiting,
} from '../../shared/outcome.js';
import type { SipUri } from '../../shared/uri.js';
import { challengeSourceOf } from '../sip/digest.js';
import type { DiscardedResponse } from '../sip/discarded-response.js';
import { malformedResponseDetail } from '../sip/malformed-response.js';
import type { RandomHex } from '../sip/random-hex.js';
import { retryAfterMs } from '../sip/retry-after.js';
import type { Scan } from '../sip/scanner.js';
import { Transaction, type TransactionEnd, type TransactionUser } from '../sip/transaction.js';
import type { Clock } from '../time/clock.js';
import type { StallDetector } from '../time/stall-detector.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { Endpoint, Flow } from '../transport/transport.js';
import { PingRequest } from './ping-request.js';

/** Dependencies that all attempts share. */
export interface AttemptTools {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly stallDetector: StallDetector;
  readonly randomHex: RandomHex;
  readonly files: Files;
}

export interface AttemptListener {
  /** A challenge is answered within the same ping. */
  challenged(): void;
  /** A final response arrived after the deadline; called at most once per request. */
  answeredLate(): void;
  /** A request is sent, for the first time or again. The next ping overwrites its bytes. */
  sent(bytes: Uint8Array, hop: CurrentHop, atMs: number, isFirst: boolean): void;
  /**
   * A response was received; its bytes are valid during the call. `atMs` is NaN for one to the ping
   * before, and `status` 0 for a malformed one.
   */
  received(bytes: Uint8Array, hop: CurrentHop, atMs: number, status: number): void;
}

/** The next hop that the ping uses now. */
export interface CurrentHop {
  readonly transportName: TransportName;
  readonly endpoint: Endpoint;
  readonly flow: Flow;
}

export interface AttemptOptions {
  /** Its index is that of the target's ledger row and of its timer. */
  readonly slot: TargetSlot;
  readonly uri: SipUri;
  readonly settings: PingSettings;
  readonly tools: AttemptTools;
  readonly listener: AttemptListener;
}

/** One object serves all pings of a target, one after the other, to save allocations. */
export class Attempt implements TransactionUser {
  readonly #options: AttemptOptions;
  readonly #hop: CurrentHop;
  readonly #transaction: Transaction;
  readonly #request: PingRequest;
  #local: LocalAddress | undefined;
  #isPreparing = false;
  /** What the flow waits for while it prepares; empty while the exporter itself causes the delay. */
  #awaited = '';
  /** Count over all requests of the ping. */
  #retransmissions = 0;
  /** Monotonic time by which the request must be answered, challenges included. */
  #deadline = Number.NaN;

  /** @param options kept, not copied: there are as many attempts as targets. */
  constructor(options: AttemptOptions, hop: CurrentHop) {
    this.#options = options;
    this.#hop = hop;
    this.#transaction = new Transaction(options.tools, options.slot.index, this);
    this.#request = new PingRequest(options);
  }

  /** The attempt waits for its flow. */
  get isPreparing(): boolean {
    return this.#isPreparing;
  }

  /** The attempt has begun and not ended. */
  get isPending(): boolean {
    return this.#isPreparing || this.#transaction.isPending;
  }

  /** Where the Call-ID of its last request is; undefined when none was sent. */
  get call(): CallId | undefined {
    return this.#request.call;
  }

  /** Number of retransmissions in the whole ping. */
  get retransmissions(): number {
    return this.#retransmissions;
  }

  /** A copy of the branch of the last request; undefined unless a response to it would be late. */
  get lateBranch(): Uint8Array | undefined {
    return this.#transaction.awaitsLate ? this.#request.branch : undefined;
  }

  /** Starts a ping. The flow answers with `ready` or `fail`, maybe before this returns. */
  begin(): void {
    this.#retransmissions = 0;
    this.#request.begin();
    this.#prepare();
  }

  /** Continues the same ping over another hop, with a new branch (RFC 3263 4.3). */
  beginAgain(): void {
    this.#request.drop();
    this.#request.begin();
    this.#prepare();
  }

  /** Repeats the request over a new connection, because the last one may not have delivered it. */
  reconnect(): void {
    this.#transaction.abandon();
    this.#prepare();
  }

  /** The flow can send; the response is due `timeoutMs` from now. */
  ready(local: LocalAddress, timeoutMs: number): void {
    this.#isPreparing = false;
    this.#local = local;
    this.#deadline = this.#options.tools.clock.now() + timeoutMs;
    this.#send(local, timeoutMs);
  }

  /** The flow waits for the peer; the first such wait starts a deadline of `timeoutMs`. */
  awaits(what: string, timeoutMs: number): void {
    if (this.#awaited === '') this.#transaction.open(timeoutMs);
    this.#awaited = what;
  }

  /** The flow cannot deliver. Returns how the attempt ended; undefined when none was pending. */
  fail(failure: TransportFailure): TransactionEnd | undefined {
    if (!this.#isPreparing) return this.#settle(this.#transaction.fail(failure));
    this.#isPreparing = false;
    this.#transaction.abandon();
    return { kind: 'failed', ...failure };
  }

  /** The timer fired. Returns how the attempt ended; undefined when it continues. */
  timerFired(): TransactionEnd | undefined {
    return this.#settle(this.#transaction.timerFired());
  }

  /** Whether the branch that ends at `branchEnd` is that of the last request. */
  hasBranch(bytes: Uint8Array, branchEnd: number): boolean {
    return this.#request.hasBranch(bytes, branchEnd);
  }

  /** Why a response with the branch of a request must be discarded; undefined to accept it. */
  discardOf(bytes: Uint8Array, scan: Scan): DiscardedResponse | undefined {
    return this.#request.discardOf(bytes, scan, this.#hop.transportName);
  }

  /** A response was discarded: the attempt ends with this unless a valid one arrives in time. */
  noteDiscarded(discarded: DiscardedResponse): void {
    this.#transaction.noteDiscarded(discarded);
  }

  /** Handles a response to the last request. Returns how the attempt ended; undefined when it continues. */
  receive(
    bytes: Uint8Array,
    status: number,
    atMs: number,
    isStamped: boolean,
  ): TransactionEnd | undefined {
    const { sentAtMs: sent } = this.#hop.flow;
    // With the kernel's time of one end only, the round-trip time is unknown.
    const sentAtMs = sent === undefined || isStamped ? sent : Number.NaN;
    const end = this.#settle(this.#transaction.receive(status, atMs, isStamped, sentAtMs));
    if (end === undefined || end === 'unobserved' || end.kind !== 'answered') return end;
    // RFC 3261 21.5.4: only in a 503 does Retry-After tell when the peer can be used again.
    if (end.code === 503) return { ...end, retryAfterMs: retryAfterMs(bytes) };
    return this.#answerChallenge(end, bytes);
  }

  /** Handles a malformed response to the last request. Returns how the attempt ended. */
  receiveMalformed(bytes: Uint8Array): TransactionEnd | undefined {
    return this.#settle(this.#transaction.receiveMalformed(malformedResponseDetail(bytes)));
  }

  /** Ends the attempt without an outcome. */
  abandon(): void {
    this.#isPreparing = false;
    this.#transaction.abandon();
  }

  /** Ends the attempt without an outcome. The next ping builds its request from scratch. */
  reset(): void {
    this.#request.drop();
    this.abandon();
  }

  transmit(isFirst: boolean, nowMs: number): void {
    const { bytes } = this.#request;
    if (bytes === undefined) return;
    const hop = this.#hop;
    this.#options.listener.sent(bytes, hop, nowMs, isFirst);
    if (isFirst) hop.flow.send(bytes);
    else hop.flow.resend(bytes);
  }

  answeredLate(): void {
    this.#options.listener.answeredLate();
  }

  #prepare(): void {
    this.#isPreparing = true;
    this.#awaited = '';
    this.#hop.flow.prepare();
  }

  /** Sends the next request. */
  #send(local: LocalAddress, timeoutMs: number): void {
    const hop = this.#hop;
    this.#request.next(local, hop.transportName);
    this.#transaction.start(timeoutMs, hop.flow.isReliable);
  }

  #settle(end: TransactionEnd | undefined): TransactionEnd | undefined {
    if (end === undefined) return undefined;
    this.#retransmissions += this.#transaction.retransmissions;
    if (!this.#isPreparing) return end;
    this.#isPreparing = false;
    return end === 'unobserved' ? end : whileAwaiting(end, this.#awaited);
  }

  /** Answers a challenge with another request. Returns how the attempt ended if it cannot. */
  #answerChallenge(
    answered: Outcome & { readonly kind: 'answered' },
    response: Uint8Array,
  ): Outcome | undefined {
    const source = challengeSourceOf(answered.code);
    if (source === undefined || this.#local === undefined) return answered;
    const leftMs = this.#deadline - this.#options.tools.clock.now();
    const problem = this.#request.takeChallenge(source, response);
    if (problem !== undefined || leftMs <= 0) {
      return { ...answered, detail: problem ?? 'no time was left to answer the challenge' };
    }
    this.#options.listener.challenged();
    this.#send(this.#local, leftMs);
    return undefined;
  }
}
