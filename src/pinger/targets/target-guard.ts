/**
 * Contains internal errors: each call into a target from a timer, a socket or the scheduler runs under
 * its guard. An error ends the target's pending ping without a verdict on the peer, and affects no
 * other target.
 */

import type { LocalAddress } from '../../shared/address.js';
import type { TargetSlot } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { FlowListener } from '../transport/transport.js';

export interface Guarded {
  readonly slot: TargetSlot;
  /** Ends the pending ping without an outcome. */
  giveUp(): void;
}

export class TargetGuard {
  readonly #faults: Faults;
  readonly #setCurrent: (index: number | undefined) => number | undefined;

  /**
   * @param setCurrent records which target the thread works for, undefined for none, and returns the
   *   previous one: if the thread dies, the supervisor finds the cause there.
   */
  constructor(faults: Faults, setCurrent: (index: number | undefined) => number | undefined) {
    this.#faults = faults;
    this.#setCurrent = setCurrent;
  }

  /** @param place for the log: `timer`, `transport`. */
  run(target: Guarded, place: string, work: () => void): void {
    const before = this.#setCurrent(target.slot.index);
    this.#faults.contain(place, work, () => target.giveUp());
    this.#setCurrent(before);
  }
}

/** Passes each report of a flow to its target under the guard. */
export class GuardedFlowListener implements FlowListener {
  readonly #target: Guarded & FlowListener;
  readonly #guard: TargetGuard;

  constructor(target: Guarded & FlowListener, guard: TargetGuard) {
    this.#target = target;
    this.#guard = guard;
  }

  ready(local: LocalAddress): void {
    this.#run(() => this.#target.ready(local));
  }

  waitingFor(what: string): void {
    this.#run(() => this.#target.waitingFor(what));
  }

  failed(failure: TransportFailure): void {
    this.#run(() => this.#target.failed(failure));
  }

  connectionLost(): void {
    this.#run(() => this.#target.connectionLost());
  }

  connected(phase: ConnectPhase, micros: number): void {
    this.#run(() => this.#target.connected(phase, micros));
  }

  secured(peer: TlsPeer): void {
    this.#run(() => this.#target.secured(peer));
  }

  #run(work: () => void): void {
    this.#guard.run(this.#target, 'transport', work);
  }
}
