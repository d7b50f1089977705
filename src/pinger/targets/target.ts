/** One target: the flow to it, its transaction, and the request that is sent again and again. */

import { isSameAddress, type LocalAddress } from '../../shared/address.js';
import type { PingSettings, TargetSlot } from '../../shared/destination.js';
import type { Files } from '../../shared/file-contents.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import { type Outcome, type TransportFailure, whileAwaiting } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { SipUri } from '../../shared/uri.js';
import { Authenticator } from '../sip/authenticator.js';
import { challengeSourceOf } from '../sip/digest.js';
import { discardReason, WITHOUT_BRANCH } from '../sip/discarded-response.js';
import { malformedResponseDetail } from '../sip/malformed-response.js';
import type { RandomHex } from '../sip/random-hex.js';
import {
  branchOf,
  isBranch,
  isBranchOf,
  type PingTemplate,
  pingTemplate,
  requestUri,
  stamp,
  stampAgain,
} from '../sip/request.js';
import type { Scan } from '../sip/scanner.js';
import { Transaction, type TransactionUser } from '../sip/transaction.js';
import type { Clock } from '../time/clock.js';
import type { StallDetector } from '../time/stall-detector.js';
import type { TimerWheel } from '../time/timer-wheel.js';
import type { FlowListener } from '../transport/transport.js';
import { Failover, type NextHop } from './failover.js';
import { SteppingListener, type Steps } from './steps.js';

const CNONCE_BYTES = 8;

/** What all targets share. */
export interface TargetTools {
  readonly clock: Clock;
  readonly timers: TimerWheel;
  readonly stallDetector: StallDetector;
  readonly randomHex: RandomHex;
  readonly files: Files;
  readonly steps: Steps;
}

/** Told how pings go. */
export interface TargetListener {
  /** A ping ended; this or `discarded` is called once for each. */
  ended(outcome: Outcome, retransmissions: number): void;
  /** A ping ended, and how is not known. */
  discarded(): void;
  /** A fault of ours came up in a step of this target's; a ping that was under way has ended. */
  faulted(): void;
  answeredLate(): void;
  /** A well-formed response to one of this target's pings came. */
  responded(bytes: Uint8Array, scan: Scan): void;
  /** A challenge came that is met within the same ping. */
  challenged(): void;
  /** A way failed, and the same ping takes the next one. */
  failedOver(): void;
  /** A phase of a connection's coming about is over; NaN when we stood still meanwhile. */
  connected(phase: ConnectPhase, micros: number): void;
  /** The peer has shown its certificate. */
  secured(peer: TlsPeer): void;
  /** A message went out or came in. The bytes of one that went out are used for the next. */
  traced(direction: 'sent' | 'received', bytes: Uint8Array): void;
}

export interface TargetOptions {
  /** Its number: of its row in the ledger and of its timer. */
  readonly slot: TargetSlot;
  readonly uri: SipUri;
  readonly settings: PingSettings;
  /** The way to it, and those that a ping takes when that fails (RFC 3263 4.3); at least one. */
  readonly routes: readonly [NextHop, ...NextHop[]];
  /** It will be pinged once. */
  readonly isForOnce: boolean;
  readonly tools: TargetTools;
  readonly listener: TargetListener;
}

export class Target implements FlowListener, TransactionUser {
  readonly #options: TargetOptions;
  readonly #failover: Failover;
  readonly #transaction: Transaction;
  readonly #authenticator: Authenticator | undefined;
  #template: PingTemplate | undefined;
  /** The template is of a request that can begin a ping: it has no credentials, and the number 1. */
  #isPlain = false;
  #local: LocalAddress | undefined;
  #isPreparing = false;
  /** What the flow waits for while it prepares; empty while that is for us. */
  #awaited = '';
  /** Requests of this ping so far, and what they were sent again. */
  #requests = 0;
  #retransmissions = 0;
  /** Of the request that is out, and, where there is more than one way, of the whole ping. */
  #deadline = Number.NaN;
  #pingDeadline = Number.NaN;
  /** The answer that is being taken. */
  #answer: Uint8Array | undefined;
  /** By which way the request of this ping came back to us; empty when it did not. */
  #loop = '';
  /** Branch of the ping before, while an answer to it would be a late one. */
  #lateBranch: Uint8Array | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
    const { slot, routes, isForOnce, settings } = options;
    const { clock, timers, stallDetector, randomHex, files } = options.tools;
    const flowListener = new SteppingListener(this, options.tools.steps);
    this.#failover = new Failover(routes, flowListener, {
      isForOnce,
      isSingle: settings.resolve === 'all',
    });
    this.#transaction = new Transaction(clock, timers, slot.index, this, stallDetector);
    if (settings.auth === undefined) return;
    const newCnonce = () => randomHex.hex(CNONCE_BYTES);
    this.#authenticator = new Authenticator(settings.auth, files, newCnonce);
  }

  get slot(): TargetSlot {
    return this.#options.slot;
  }

  /** From the next ping on, these follow the first way. */
  reroute(others: readonly NextHop[]): void {
    this.#failover.follow(others);
  }

  /** A ping has begun and its end has not been told. */
  get isBusy(): boolean {
    return this.#isPreparing || this.#transaction.isPending;
  }

  ping(): void {
    this.#failover.begin();
    this.#requests = 0;
    this.#retransmissions = 0;
    this.#loop = '';
    this.#pingDeadline = this.#options.tools.clock.now() + this.#options.settings.timeoutMs;
    this.#authenticator?.startPing();
    this.#prepare();
  }

  /** The transaction's timer rang. */
  ring(): void {
    this.#transaction.ring();
  }

  /**
   * Takes a response that may be for the present ping or the one before; false when it is not, or
   * when it must be dropped.
   */
  receive(bytes: Uint8Array, scan: Scan, atMs: number): boolean {
    const template = this.#template;
    if (template === undefined) return false;
    const { end } = scan.branch;
    const isCurrent = isBranchOf(template, bytes, end);
    if (!isCurrent && !this.#isLate(bytes, end)) return false;
    const discarded = discardReason(bytes, scan, template, this.#failover.transportName);
    if (isCurrent || discarded === undefined) this.#options.listener.traced('received', bytes);
    if (discarded !== undefined) {
      if (isCurrent) this.#transaction.discard(discarded);
      return false;
    }
    if (!scan.ok) {
      if (isCurrent) this.#transaction.receiveMalformed(malformedResponseDetail(bytes));
      return isCurrent;
    }
    if (isCurrent) this.#take(bytes, scan.status, atMs);
    else if (scan.status >= 200) this.#takeLate();
    this.#options.listener.responded(bytes, scan);
    return true;
  }

  /** What the ping used is made again for the next one. */
  giveUp(): void {
    this.#isPreparing = false;
    this.#template = undefined;
    this.#answer = undefined;
    try {
      this.#transaction.abandon();
      this.#failover.reset();
    } finally {
      this.#options.listener.faulted();
    }
  }

  /**
   * Takes a response in which the branch of the present ping ends at `branchEnd`, but not where it
   * belongs, or not where it can be read; false when it is another branch, or must be dropped.
   */
  receiveBroken(bytes: Uint8Array, scan: Scan, branchEnd: number): boolean {
    const template = this.#template;
    if (template === undefined || !isBranchOf(template, bytes, branchEnd)) return false;
    this.#options.listener.traced('received', bytes);
    if (scan.ok) {
      const discarded =
        discardReason(bytes, scan, template, this.#failover.transportName) ?? WITHOUT_BRANCH;
      this.#transaction.discard(discarded);
      return false;
    }
    this.#transaction.receiveMalformed(malformedResponseDetail(bytes));
    return true;
  }

  /** Whether the branch that ends there is that of the last request, or of the one before. */
  isOwnBranch(bytes: Uint8Array, end: number): boolean {
    const template = this.#template;
    if (template === undefined) return false;
    return isBranchOf(template, bytes, end) || this.#isLate(bytes, end);
  }

  /** The last request arrived at us as it was sent: nobody but us is there. */
  receiveOwn(): boolean {
    this.#transaction.fail({ reason: 'refused', detail: 'the request came back to ourselves' });
    return true;
  }

  /** The last request arrived at us by way of another (RFC 3261 16.3: a loop). */
  receiveLooped(from: string): boolean {
    this.#loop = `the request came back to us by way of ${from}`;
    return true;
  }

  close(): void {
    this.#transaction.abandon();
    this.#isPreparing = false;
    this.#failover.close();
  }

  ready(local: LocalAddress): void {
    if (!this.#isPreparing) return;
    this.#isPreparing = false;
    if (!isSameAddress(this.#local, local)) this.#template = undefined;
    this.#local = local;
    const timeoutMs = this.#patienceMs();
    this.#deadline = this.#options.tools.clock.now() + timeoutMs;
    this.#request(local, timeoutMs);
  }

  awaits(what: string): void {
    if (!this.#isPreparing) return;
    if (this.#awaited === '') this.#transaction.open(this.#patienceMs());
    this.#awaited = what;
  }

  failed(failure: TransportFailure): void {
    if (this.#isPreparing) {
      this.#transaction.abandon();
      this.ended({ kind: 'failed', ...failure }, 0);
    } else {
      this.#transaction.fail(failure);
    }
  }

  lost(): void {
    this.#transaction.abandon();
    this.#prepare();
  }

  connected(phase: ConnectPhase, micros: number): void {
    // A stall of ours is no part of how long it took.
    const { tools, listener } = this.#options;
    listener.connected(phase, tools.stallDetector.isCatchingUp ? Number.NaN : micros);
  }

  secured(peer: TlsPeer): void {
    this.#options.listener.secured(peer);
  }

  transmit(isFirst: boolean): void {
    if (this.#template === undefined) return;
    this.#options.listener.traced('sent', this.#template.bytes);
    if (isFirst) this.#failover.flow.send(this.#template.bytes);
    else this.#failover.flow.resend(this.#template.bytes);
  }

  ended(outcome: Outcome, retransmissions: number): void {
    this.#retransmissions += retransmissions;
    const awaited = this.#isPreparing ? whileAwaiting(outcome, this.#awaited) : outcome;
    const told = this.#failover.explain(awaited, this.#loop);
    this.#isPreparing = false;
    const met = told.kind === 'answered' ? this.#meet(told) : told;
    if (met === undefined) return;
    this.#failover.flow.rest(met.kind === 'answered');
    if (this.#failOver(met)) return;
    this.#options.listener.ended(met, this.#retransmissions);
  }

  discarded(): void {
    this.#isPreparing = false;
    this.#failover.flow.rest(undefined);
    this.#options.listener.discarded();
  }

  answeredLate(): void {
    this.#options.listener.answeredLate();
  }

  #prepare(): void {
    this.#isPreparing = true;
    this.#awaited = '';
    this.#failover.flow.prepare();
  }

  /** How long the present way may take: all the time, or its share of what is left. */
  #patienceMs(): number {
    if (this.#failover.isSingle) return this.#options.settings.timeoutMs;
    const leftMs = this.#pingDeadline - this.#options.tools.clock.now();
    return Math.max(leftMs / this.#failover.left, 1);
  }

  /** The same ping takes the next way, with a new branch (RFC 3263 4.3). */
  #failOver(outcome: Outcome): boolean {
    const isTimeUp = this.#options.tools.clock.now() >= this.#pingDeadline;
    if (isTimeUp || !this.#failover.next(outcome)) return false;
    this.#template = undefined;
    this.#requests = 0;
    this.#loop = '';
    this.#authenticator?.startPing();
    this.#options.listener.failedOver();
    this.#prepare();
    return true;
  }

  /** Sends the next request of this ping. */
  #request(local: LocalAddress, timeoutMs: number): void {
    const { uri, settings, slot, tools } = this.#options;
    const transport = this.#failover.transportName;
    const before = this.#template;
    const credentials =
      this.#authenticator?.headers(settings.method, requestUri(uri, settings)) ?? [];
    const isAgain = this.#requests++ > 0;
    const isPlain = credentials.length === 0 && !isAgain;
    if (before === undefined || !isPlain || !this.#isPlain) {
      this.#template = pingTemplate({
        ...{ uri, transport, settings, local, slot: slot.index },
        ...{ cseq: this.#requests, credentials },
      });
      this.#isPlain = isPlain;
    }
    this.#lateBranch =
      before !== undefined && this.#transaction.awaitsLate ? branchOf(before) : undefined;
    if (this.#template === undefined) return;
    if (isAgain && before !== undefined) stampAgain(this.#template, before, tools.randomHex);
    else stamp(this.#template, tools.randomHex);
    this.#transaction.start(timeoutMs, this.#failover.flow.isReliable);
  }

  #take(bytes: Uint8Array, status: number, atMs: number): void {
    this.#answer = bytes;
    this.#transaction.receive(status, atMs);
    this.#answer = undefined;
  }

  /** Meets a challenge with another request of the same ping; else returns how the ping ended. */
  #meet(answered: Outcome & { readonly kind: 'answered' }): Outcome | undefined {
    const asker = challengeSourceOf(answered.code);
    if (asker === undefined || this.#answer === undefined || this.#local === undefined) {
      return answered;
    }
    if (this.#authenticator === undefined) {
      return { ...answered, detail: 'no credentials are configured' };
    }
    const leftMs = this.#deadline - this.#options.tools.clock.now();
    const why = this.#authenticator.takeChallenge(asker, this.#answer);
    if (why !== undefined || leftMs <= 0) {
      return { ...answered, detail: why ?? 'no time was left to meet the challenge' };
    }
    this.#options.listener.challenged();
    this.#request(this.#local, leftMs);
    return undefined;
  }

  #isLate(bytes: Uint8Array, branchEnd: number): boolean {
    return this.#lateBranch !== undefined && isBranch(this.#lateBranch, 0, bytes, branchEnd);
  }

  #takeLate(): void {
    this.#lateBranch = undefined;
    this.#options.listener.answeredLate();
  }
}
