/** From a target's pings to the judge, the ledger and the scheduler. */

import type { TargetSlot } from '../shared/destination.js';
import type { ConnectPhase } from '../shared/ledger/cells.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { Outcome } from '../shared/outcome.js';
import type { Exchange } from '../shared/resolution.js';
import type { TlsPeer } from '../shared/tls.js';
import type { Judge } from './judge.js';
import { readable } from './readable.js';
import type { Scan } from './scanner.js';
import type { TargetUser } from './target.js';
import type { Watch } from './watch.js';

export interface WatchedTargetTools {
  readonly judge: Judge;
  readonly writer: LedgerWriter;
  /** The target may be pinged again, at this interval if that is longer than its own. */
  readonly done: (slot: TargetSlot, slowMs: number) => void;
}

/** Of so many targets the last messages are kept; those of more would take too much memory. */
const MOST_KEPT = 1 << 14;
const LONGEST_KEPT = 16 << 10;

export class WatchedTarget implements TargetUser {
  readonly traced: TargetUser['traced'];
  /** The last request, which lives on in its template, and what came back. */
  #sent: Uint8Array | undefined;
  #received: Uint8Array | undefined;
  readonly #watch: Watch;
  readonly #slot: TargetSlot;
  readonly #tools: WatchedTargetTools;

  constructor(watch: Watch, slot: TargetSlot, tools: WatchedTargetTools) {
    this.#watch = watch;
    this.#slot = slot;
    this.#tools = tools;
    this.traced = slot.index < MOST_KEPT ? (...message) => this.#keep(...message) : undefined;
  }

  /** The last messages that went to and fro, as text; empty where there were none. */
  get exchange(): Exchange {
    const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? '' : readable(bytes));
    return { sent: text(this.#sent), received: text(this.#received) };
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

  #keep(direction: 'sent' | 'received', bytes: Uint8Array): void {
    if (direction === 'sent') {
      this.#sent = bytes;
      this.#received = undefined;
      return;
    }
    // Of a piece of something large all of it would be kept.
    const isPiece = 2 * bytes.byteLength < bytes.buffer.byteLength;
    this.#received = isPiece ? bytes.slice(0, LONGEST_KEPT) : bytes;
  }

  #done(): void {
    const { judge, done } = this.#tools;
    done(this.#slot, judge.backoffMs(this.#watch, this.#slot));
  }
}
