/**
 * The steps that a target's pings are made of: each call into a target from a timer, a socket or the
 * schedule. A fault of ours in one ends the ping that is under way, says nothing of the peer, and
 * reaches nobody else.
 */

import type { LocalAddress } from '../../shared/address.js';
import type { TargetSlot } from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { FlowListener } from '../transport/transport.js';

/** What takes steps. */
export interface Steppable {
  readonly slot: TargetSlot;
  /** Ends the ping that is under way, without an outcome. */
  giveUp(): void;
}

export class Steps {
  readonly #faults: Faults;
  readonly #hold: (index: number | undefined) => number | undefined;

  /**
   * @param hold takes note of which target is being dealt with, undefined for none, and returns which
   *   one was: who looks for the reason of the thread's death finds it there.
   */
  constructor(faults: Faults, hold: (index: number | undefined) => number | undefined) {
    this.#faults = faults;
    this.#hold = hold;
  }

  /** @param place for the log: `timer`, `transport`. */
  run(target: Steppable, place: string, step: () => void): void {
    const before = this.#hold(target.slot.index);
    this.#faults.contain(place, step, () => target.giveUp());
    this.#hold(before);
  }
}

/** Tells a target of its flow, each time as a step. */
export class SteppingListener implements FlowListener {
  readonly #target: Steppable & FlowListener;
  readonly #steps: Steps;

  constructor(target: Steppable & FlowListener, steps: Steps) {
    this.#target = target;
    this.#steps = steps;
  }

  ready(local: LocalAddress): void {
    this.#run(() => this.#target.ready(local));
  }

  awaits(what: string): void {
    this.#run(() => this.#target.awaits(what));
  }

  failed(failure: TransportFailure): void {
    this.#run(() => this.#target.failed(failure));
  }

  lost(): void {
    this.#run(() => this.#target.lost());
  }

  connected(phase: ConnectPhase, micros: number): void {
    this.#run(() => this.#target.connected(phase, micros));
  }

  secured(peer: TlsPeer): void {
    this.#run(() => this.#target.secured(peer));
  }

  #run(step: () => void): void {
    this.#steps.run(this.#target, 'transport', step);
  }
}
