/** The targets that are pinged, by their numbers: those of the ledger's rows, and behind them those of probes. */

import type { Faults } from '../../shared/faults.js';
import { LEDGER_CAPACITY } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { Scheduler } from '../time/scheduler.js';
import type { Target } from './target.js';
import type { TargetGuard } from './target-guard.js';

export interface TargetsOptions {
  readonly writer: LedgerWriter;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly guard: TargetGuard;
  /** Makes sure that the thread is awake at a monotonic time. */
  readonly wakeBy: (atMs: number) => void;
}

export class Targets {
  readonly #options: TargetsOptions;
  readonly #watched: (Target | undefined)[] = [];
  /** Their numbers follow those of the ledger's rows. */
  readonly #probed: (Target | undefined)[] = [];
  /** 1 for each watched target whose ping has begun and not ended. */
  readonly #isPinging = new Uint8Array(LEDGER_CAPACITY);

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  at(slot: number): Target | undefined {
    return slot < LEDGER_CAPACITY ? this.#watched[slot] : this.#probed[slot - LEDGER_CAPACITY];
  }

  /** Pings it from now on; `name` decides its phase. */
  add(target: Target, name: string, intervalMs: number): void {
    this.#watched[target.slot.index] = target;
    this.#options.scheduler.add(target.slot.index, name, intervalMs);
  }

  remove(target: Target): void {
    const { index } = target.slot;
    this.#end(index);
    this.#options.scheduler.remove(index);
    this.#watched[index] = undefined;
    target.close();
  }

  /** Puts the target of a probe where its messages and its timer find it, or takes it away. */
  placeProbed(slot: number, target: Target | undefined): void {
    this.#probed[slot - LEDGER_CAPACITY] = target;
  }

  /** The scheduler says that it is time. */
  ping(slot: number, latenessMs: number): void {
    const { writer, faults, guard } = this.#options;
    const target = this.#watched[slot];
    if (target === undefined) return;
    faults.contain('lateness', () => writer.recordLateness(Math.round(latenessMs * 1000)));
    writer.addInFlight(1);
    this.#isPinging[slot] = 1;
    guard.run(target, 'ping', () => target.ping());
  }

  /** A timer rang. */
  ring(slot: number): void {
    const target = this.at(slot);
    if (target !== undefined) this.#options.guard.run(target, 'timer', () => target.ring());
  }

  /** A ping of a watched target has ended; the next is no sooner than after `slowMs`, or so. */
  done(slot: number, slowMs: number): void {
    const { scheduler, wakeBy } = this.#options;
    if (this.#end(slot)) wakeBy(scheduler.done(slot, slowMs));
  }

  close(): void {
    for (const target of this.#watched) target?.close();
  }

  /** False when no ping was under way. */
  #end(slot: number): boolean {
    if (this.#isPinging[slot] !== 1) return false;
    this.#isPinging[slot] = 0;
    this.#options.writer.addInFlight(-1);
    return true;
  }
}
