/** One target: its pings, the hops that a ping fails over to, and late responses. */

import type { LocalAddress } from '../../shared/address.js';
import type { PingSettings, TargetSlot } from '../../shared/destination.js';
import type { CallId } from '../../shared/ledger/exemplar-writer.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { SipUri } from '../../shared/uri.js';
import { WITHOUT_BRANCH } from '../sip/discarded-response.js';
import { isBranch } from '../sip/request.js';
import type { Scan } from '../sip/scanner.js';
import type { TransactionEnd } from '../sip/transaction.js';
import type { FlowListener } from '../transport/transport.js';
import { Attempt, type AttemptListener, type AttemptTools } from './attempt.js';
import { Failover, type NextHop } from './failover.js';
import { GuardedFlowListener, type TargetGuard } from './target-guard.js';

/** Dependencies that all targets share. */
export interface TargetTools extends AttemptTools {
  readonly guard: TargetGuard;
}

/** Receives the events of a target's pings. */
export interface TargetListener extends AttemptListener {
  /** A ping ended. Each ping causes one call of `ended`, `unobserved` or `faulted`. */
  ended(outcome: Outcome, retransmissions: number, call: CallId | undefined): void;
  /** A ping ended during a stall of this thread, so it is unknown whether a response came in time. */
  unobserved(): void;
  /** An internal error occurred in work for this target; the pending ping has ended. */
  faulted(): void;
  /** A well-formed response to one of this target's pings arrived. */
  responded(bytes: Uint8Array, scan: Scan): void;
  /** A hop failed, and the same ping tries the next one. */
  failedOver(): void;
  /** A phase of setting up a connection is complete; `micros` is NaN if this thread stalled meanwhile. */
  connected(phase: ConnectPhase, micros: number): void;
  /** The peer has shown its certificate. */
  secured(peer: TlsPeer): void;
}

export interface TargetOptions {
  readonly slot: TargetSlot;
  readonly uri: SipUri;
  readonly settings: PingSettings;
  /** The first hop, and those that a ping fails over to (RFC 3263 4.3). */
  readonly hops: readonly [NextHop, ...NextHop[]];
  /** The target is pinged once. */
  readonly isForOnce: boolean;
  readonly tools: TargetTools;
  readonly listener: TargetListener;
}

export class Target implements FlowListener {
  readonly #options: TargetOptions;
  readonly #failover: Failover;
  readonly #attempt: Attempt;
  /** Monotonic time by which the whole ping must end, where there is more than one hop. */
  #pingDeadline = Number.NaN;
  /** How the request of this ping came back to the exporter; empty when it did not. */
  #loop = '';
  /** Branch of the previous ping; undefined once a response to it is not expected any more. */
  #lateBranch: Uint8Array | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
    const { hops, isForOnce, settings, tools } = options;
    const flowListener = new GuardedFlowListener(this, tools.guard);
    this.#failover = new Failover(hops, flowListener, {
      isForOnce,
      isSingle: settings.resolve === 'all',
    });
    this.#attempt = new Attempt(options, this.#failover);
  }

  get slot(): TargetSlot {
    return this.#options.slot;
  }

  /** A ping has begun and not ended. */
  get isBusy(): boolean {
    return this.#attempt.isPending;
  }

  /** Replaces the hops after the first, from the next ping on. */
  reroute(others: readonly NextHop[]): void {
    this.#failover.setOthers(others);
  }

  ping(): void {
    this.#failover.begin();
    this.#loop = '';
    this.#pingDeadline = this.#options.tools.clock.now() + this.#options.settings.timeoutMs;
    this.#attempt.begin();
  }

  /** The target's timer fired. */
  timerFired(): void {
    this.#end(this.#attempt.timerFired());
  }

  /**
   * Handles a response to the current or the previous ping. Returns false when it belongs to neither or
   * must be discarded.
   *
   * @param atMs monotonic: when it arrived, if `isStamped`; otherwise when it was read.
   */
  receive(bytes: Uint8Array, scan: Scan, atMs: number, isStamped = false): boolean {
    const { end } = scan.branch;
    if (this.#attempt.hasBranch(bytes, end))
      return this.#receiveCurrent(bytes, scan, atMs, isStamped);
    return this.#isLate(bytes, end) && this.#receiveLate(bytes, scan);
  }

  /**
   * Handles a response in which the branch of the current ping ends at `branchEnd`, but at a wrong or
   * unreadable place. Returns false when the branch is another one, or the response is discarded.
   */
  receiveBroken(bytes: Uint8Array, scan: Scan, branchEnd: number): boolean {
    if (!this.#attempt.hasBranch(bytes, branchEnd)) return false;
    const { listener, tools } = this.#options;
    listener.received(bytes, this.#failover, tools.clock.now(), scan.ok ? scan.status : 0);
    if (scan.ok) {
      this.#attempt.noteDiscarded(this.#attempt.discardOf(bytes, scan) ?? WITHOUT_BRANCH);
      return false;
    }
    this.#end(this.#attempt.receiveMalformed(bytes));
    return true;
  }

  /** Whether the branch that ends at `end` is that of the last request or of the previous ping. */
  isOwnBranch(bytes: Uint8Array, end: number): boolean {
    return this.#attempt.hasBranch(bytes, end) || this.#isLate(bytes, end);
  }

  /** The last request arrived unchanged at the exporter: the address is the exporter's own. */
  receiveOwn(): boolean {
    const detail = 'the request came back to the exporter itself';
    this.#end(this.#attempt.fail({ reason: 'refused', detail }));
    return true;
  }

  /** The last request arrived at the exporter through a proxy (RFC 3261 16.3: a loop). */
  receiveLooped(from: string): boolean {
    this.#loop = `the request looped back through ${from}`;
    return true;
  }

  /** Ends the pending ping. The next one builds its request from scratch and opens a new flow. */
  giveUp(): void {
    try {
      this.#attempt.reset();
      this.#failover.reset();
    } finally {
      this.#options.listener.faulted();
    }
  }

  close(): void {
    this.#attempt.abandon();
    this.#failover.close();
  }

  ready(local: LocalAddress): void {
    if (!this.#attempt.isPreparing) return;
    this.#lateBranch = this.#attempt.lateBranch;
    this.#attempt.ready(local, this.#hopTimeoutMs());
  }

  waitingFor(what: string): void {
    if (this.#attempt.isPreparing) this.#attempt.awaits(what, this.#hopTimeoutMs());
  }

  failed(failure: TransportFailure): void {
    this.#end(this.#attempt.fail(failure));
  }

  connectionLost(): void {
    this.#attempt.reconnect();
  }

  connected(phase: ConnectPhase, micros: number): void {
    const { tools, listener } = this.#options;
    listener.connected(phase, tools.stallDetector.isCatchingUp ? Number.NaN : micros);
  }

  secured(peer: TlsPeer): void {
    this.#options.listener.secured(peer);
  }

  #receiveCurrent(bytes: Uint8Array, scan: Scan, atMs: number, isStamped: boolean): boolean {
    const { listener } = this.#options;
    listener.received(bytes, this.#failover, atMs, scan.ok ? scan.status : 0);
    const discarded = this.#attempt.discardOf(bytes, scan);
    if (discarded !== undefined) {
      this.#attempt.noteDiscarded(discarded);
      return false;
    }
    if (!scan.ok) {
      this.#end(this.#attempt.receiveMalformed(bytes));
      return true;
    }
    this.#end(this.#attempt.receive(bytes, scan.status, atMs, isStamped));
    listener.responded(bytes, scan);
    return true;
  }

  #receiveLate(bytes: Uint8Array, scan: Scan): boolean {
    const { listener } = this.#options;
    if (this.#attempt.discardOf(bytes, scan) !== undefined) return false;
    listener.received(bytes, this.#failover, Number.NaN, scan.ok ? scan.status : 0);
    if (!scan.ok) return false;
    if (scan.status >= 200) {
      this.#lateBranch = undefined;
      listener.answeredLate();
    }
    listener.responded(bytes, scan);
    return true;
  }

  #isLate(bytes: Uint8Array, branchEnd: number): boolean {
    return this.#lateBranch !== undefined && isBranch(this.#lateBranch, 0, bytes, branchEnd);
  }

  /** Timeout of the current hop: the whole timeout of the ping, or its share of the time left. */
  #hopTimeoutMs(): number {
    if (this.#failover.isSingle) return this.#options.settings.timeoutMs;
    const leftMs = this.#pingDeadline - this.#options.tools.clock.now();
    return Math.max(leftMs / this.#failover.hopsLeft, 1);
  }

  /** Handles the end of an attempt; undefined when it continues. */
  #end(end: TransactionEnd | undefined): void {
    if (end === undefined) return;
    const { listener } = this.#options;
    if (end === 'unobserved') {
      this.#failover.flow.pingEnded(undefined);
      listener.unobserved();
      return;
    }
    const outcome = this.#failover.explain(end, this.#loop);
    this.#failover.flow.pingEnded(outcome.kind === 'answered');
    if (this.#failOver(outcome)) return;
    const { retransmissions, call } = this.#attempt;
    listener.ended(outcome, retransmissions, call);
  }

  /** Tries the next hop within the same ping (RFC 3263 4.3). Returns false when the ping has ended. */
  #failOver(outcome: Outcome): boolean {
    const isTimeUp = this.#options.tools.clock.now() >= this.#pingDeadline;
    if (isTimeUp || !this.#failover.next(outcome)) return false;
    this.#loop = '';
    this.#options.listener.failedOver();
    this.#attempt.beginAgain();
    return true;
  }
}
