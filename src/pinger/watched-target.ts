/** From a target's pings to the judge, the ledger and the scheduler. */

import type { TargetSlot } from '../shared/destination.js';
import type { ConnectPhase } from '../shared/ledger/cells.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { Outcome } from '../shared/outcome.js';
import type { TlsPeer } from '../shared/tls.js';
import type { Judge } from './judge.js';
import type { Scan } from './scanner.js';
import type { TargetUser } from './target.js';
import type { Watch } from './watch.js';

export interface WatchedTargetTools {
  readonly judge: Judge;
  readonly writer: LedgerWriter;
  /** The target may be pinged again, at this interval if that is longer than its own. */
  readonly done: (slot: TargetSlot, slowMs: number) => void;
}

export class WatchedTarget implements TargetUser {
  readonly traced = undefined;
  readonly #watch: Watch;
  readonly #slot: TargetSlot;
  readonly #tools: WatchedTargetTools;

  constructor(watch: Watch, slot: TargetSlot, tools: WatchedTargetTools) {
    this.#watch = watch;
    this.#slot = slot;
    this.#tools = tools;
  }

  ended(outcome: Outcome, retransmissions: number): void {
    this.#tools.judge.ended(this.#watch, this.#slot, outcome, retransmissions);
    this.#done();
  }

  discarded(): void {
    this.#done();
  }

  answeredLate(): void {
    this.#tools.writer.recordLateResponse(this.#slot);
  }

  responded(bytes: Uint8Array, scan: Scan): void {
    this.#tools.judge.learnServer(this.#watch, bytes, scan);
  }

  challenged(): void {
    this.#tools.writer.recordChallenge(this.#slot);
  }

  failedOver(): void {
    this.#tools.writer.recordFailover(this.#slot);
  }

  connected(phase: ConnectPhase, micros: number): void {
    this.#tools.writer.recordConnect(this.#slot, phase, Math.round(micros));
  }

  secured(peer: TlsPeer): void {
    this.#tools.judge.learnTls(this.#watch, this.#slot, peer);
  }

  #done(): void {
    const { judge, done } = this.#tools;
    done(this.#slot, judge.backoffMs(this.#watch, this.#slot));
  }
}
