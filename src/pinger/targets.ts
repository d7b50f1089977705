/** Every target that there is, by its number: those that are pinged again and again, and those of probes. */

import { LEDGER_CAPACITY } from '../shared/ledger/cells.js';
import type { LedgerWriter } from '../shared/ledger/writer.js';
import type { Scheduler } from './scheduler.js';
import type { Target } from './target.js';

export class Targets {
  readonly #writer: LedgerWriter;
  readonly #scheduler: Scheduler;
  readonly #wakeBy: (atMs: number) => void;
  readonly #watched: (Target | undefined)[] = [];
  /** Their numbers follow those of the ledger's rows. */
  readonly #probed: (Target | undefined)[] = [];

  /** @param wakeBy makes sure that the thread is awake at a monotonic time. */
  constructor(writer: LedgerWriter, scheduler: Scheduler, wakeBy: (atMs: number) => void) {
    this.#writer = writer;
    this.#scheduler = scheduler;
    this.#wakeBy = wakeBy;
  }

  at(slot: number): Target | undefined {
    return slot < LEDGER_CAPACITY ? this.#watched[slot] : this.#probed[slot - LEDGER_CAPACITY];
  }

  /** Pings it from now on; `name` decides its phase. */
  add(target: Target, name: string, intervalMs: number): void {
    this.#watched[target.slot.index] = target;
    this.#scheduler.add(target.slot.index, name, intervalMs);
  }

  remove(target: Target): void {
    if (target.isBusy) this.#writer.addInFlight(-1);
    target.close();
    this.#scheduler.remove(target.slot.index);
    this.#watched[target.slot.index] = undefined;
  }

  /** Puts the target of a probe where its messages and its timer find it, or takes it away. */
  placeProbed(slot: number, target: Target | undefined): void {
    this.#probed[slot - LEDGER_CAPACITY] = target;
  }

  /** The scheduler says that it is time. */
  ping(slot: number, latenessMs: number): void {
    this.#writer.recordLateness(Math.round(latenessMs * 1000));
    this.#writer.addInFlight(1);
    this.#watched[slot]?.ping();
  }

  /** A ping of a watched target has ended; the next is no sooner than after `slowMs`, or so. */
  done(slot: number, slowMs: number): void {
    this.#writer.addInFlight(-1);
    this.#wakeBy(this.#scheduler.done(slot, slowMs));
  }

  close(): void {
    for (const target of this.#watched) target?.close();
  }
}
