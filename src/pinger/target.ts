/** One target: the flow to it, its transaction, and the request that is sent again and again. */

import type { PingSettings, TargetSlot } from '../shared/destination.js';
import type { Outcome, TransportFailure } from '../shared/outcome.js';
import type { SipUri } from '../shared/uri.js';
import type { Clock } from './clock.js';
import type { Entropy } from './entropy.js';
import {
  branchOf,
  isBranch,
  isBranchOf,
  type PingTemplate,
  pingTemplate,
  stamp,
} from './message.js';
import { is, isBarringBlanks, type Scan } from './scanner.js';
import { Transaction, type TransactionUser } from './transaction.js';
import type { Endpoint, Flow, FlowUser, LocalAddress, Transport } from './transport/transport.js';
import type { Vigil } from './vigil.js';
import type { Wheel } from './wheel.js';

export interface TargetOptions {
  readonly slot: TargetSlot;
  readonly uri: SipUri;
  readonly settings: PingSettings;
  readonly endpoint: Endpoint;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly timers: Wheel;
  readonly vigil: Vigil;
  readonly entropy: Entropy;
  /** A ping ended; this or `onDiscarded` is called once for each. */
  readonly onEnded: (outcome: Outcome, retransmissions: number) => void;
  /** A ping ended, and how is not known. */
  readonly onDiscarded: () => void;
  readonly onLate: () => void;
  /** A well-formed response to one of this target's pings came. */
  readonly onResponse: (bytes: Uint8Array, scan: Scan) => void;
}

export class Target implements FlowUser, TransactionUser {
  readonly #options: TargetOptions;
  readonly #flow: Flow;
  readonly #transaction: Transaction;
  #template: PingTemplate | undefined;
  #local: LocalAddress | undefined;
  #isPreparing = false;
  /** Branch of the ping before, while an answer to it would be a late one. */
  #lateBranch: Uint8Array | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
    const { clock, timers, slot, transport, endpoint, vigil } = options;
    this.#flow = transport.open(endpoint, this);
    this.#transaction = new Transaction(clock, timers, slot.index, this, vigil);
  }

  get slot(): TargetSlot {
    return this.#options.slot;
  }

  /** A ping has begun and its end has not been told. */
  get isBusy(): boolean {
    return this.#isPreparing || this.#transaction.isPending;
  }

  ping(): void {
    this.#isPreparing = true;
    this.#flow.prepare();
  }

  /** The transaction's timer rang. */
  ring(): void {
    this.#transaction.ring();
  }

  /**
   * Takes a response whose branch names this target, which came at `atMs`. False when it is not ours
   * after all.
   */
  receive(bytes: Uint8Array, scan: Scan, atMs: number): boolean {
    const template = this.#template;
    if (template === undefined) return false;
    const { branch, sentBy, cseqMethod } = scan;
    const isCurrent = isBranchOf(template, bytes, branch.end);
    if (!isCurrent && !this.#isLate(bytes, branch.end)) return false;
    // RFC 3261 18.1.2 and 8.1.3.3: with another sent-by, or more than one Via, it was not for us.
    if (scan.vias !== 1 || !isBarringBlanks(bytes, sentBy, template.sentBy)) return false;
    if (scan.isCutOff) return false;
    if (!scan.ok) {
      if (isCurrent) this.#transaction.receiveMalformed();
      return isCurrent;
    }
    if (!is(bytes, cseqMethod.start, cseqMethod.end, template.method)) return false;
    if (isCurrent) this.#transaction.receive(scan.status, atMs);
    else if (scan.status >= 200) this.#takeLate();
    this.#options.onResponse(bytes, scan);
    return true;
  }

  close(): void {
    this.#transaction.abandon();
    this.#isPreparing = false;
    this.#flow.close();
  }

  ready(local: LocalAddress): void {
    if (!this.#isPreparing) return;
    this.#isPreparing = false;
    const { uri, settings, slot, entropy } = this.#options;
    if (this.#template === undefined || !isSame(this.#local, local)) {
      this.#local = local;
      this.#template = pingTemplate({ uri, settings, local, slot: slot.index });
    }
    this.#lateBranch = this.#transaction.awaitsLate ? branchOf(this.#template) : undefined;
    stamp(this.#template, entropy);
    this.#transaction.start(settings.timeoutMs, this.#flow.isReliable);
  }

  failed(reason: TransportFailure): void {
    if (this.#isPreparing) {
      this.#isPreparing = false;
      this.#options.onEnded({ kind: 'failed', reason }, 0);
    } else {
      this.#transaction.fail(reason);
    }
  }

  transmit(isFirst: boolean): void {
    if (this.#template === undefined) return;
    if (isFirst) this.#flow.send(this.#template.bytes);
    else this.#flow.resend(this.#template.bytes);
  }

  ended(outcome: Outcome, retransmissions: number): void {
    this.#flow.rest(outcome.kind === 'answered');
    this.#options.onEnded(outcome, retransmissions);
  }

  discarded(): void {
    this.#flow.rest(true);
    this.#options.onDiscarded();
  }

  answeredLate(): void {
    this.#options.onLate();
  }

  #isLate(bytes: Uint8Array, branchEnd: number): boolean {
    return this.#lateBranch !== undefined && isBranch(this.#lateBranch, 0, bytes, branchEnd);
  }

  #takeLate(): void {
    this.#lateBranch = undefined;
    this.#options.onLate();
  }
}

function isSame(a: LocalAddress | undefined, b: LocalAddress): boolean {
  return a?.address === b.address && a.port === b.port;
}
