/** All targets by index: monitored ones have the index of their ledger row, those of probes follow. */

import type { Faults } from '../../shared/faults.js';
import { LEDGER_CAPACITY } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { Pause, Scheduler } from '../time/scheduler.js';
import type { Target } from './target.js';
import type { TargetGuard } from './target-guard.js';

export interface TargetsOptions {
  readonly writer: LedgerWriter;
  readonly scheduler: Scheduler;
  readonly faults: Faults;
  readonly guard: TargetGuard;
  /** Wakes the thread by this monotonic time, milliseconds. */
  readonly wakeBy: (atMs: number) => void;
}

export class Targets {
  readonly #options: TargetsOptions;
  readonly #monitored: (Target | undefined)[] = [];
  /** The first one has the index `LEDGER_CAPACITY`. */
  readonly #probed: (Target | undefined)[] = [];
  /** 1 for each monitored target whose ping has begun and not ended. */
  readonly #isPinging = new Uint8Array(LEDGER_CAPACITY);

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  at(index: number): Target | undefined {
    return index < LEDGER_CAPACITY ? this.#monitored[index] : this.#probed[index - LEDGER_CAPACITY];
  }

  /** Starts to ping the target. The hash of `name` determines when within the interval. */
  add(target: Target, name: string, intervalMs: number): void {
    this.#monitored[target.slot.index] = target;
    this.#options.scheduler.add(target.slot.index, name, intervalMs);
  }

  remove(target: Target): void {
    const { index } = target.slot;
    this.#end(index);
    this.#options.scheduler.remove(index);
    this.#monitored[index] = undefined;
    target.close();
  }

  /** Registers the target of a probe for messages and timers; undefined removes it. */
  setProbed(index: number, target: Target | undefined): void {
    this.#probed[index - LEDGER_CAPACITY] = target;
  }

  /** The scheduler calls this when a ping is due. */
  ping(index: number, latenessMs: number): void {
    const { writer, faults, guard } = this.#options;
    const target = this.#monitored[index];
    if (target === undefined) return;
    faults.contain('lateness', () => writer.recordLateness(Math.round(latenessMs * 1000)));
    writer.addInFlight(1);
    this.#isPinging[index] = 1;
    guard.run(target, 'ping', () => target.ping());
  }

  /** The timer with this index fired. */
  timerFired(index: number): void {
    const target = this.at(index);
    if (target !== undefined) this.#options.guard.run(target, 'timer', () => target.timerFired());
  }

  /** A ping of a monitored target has ended. The next one follows after this pause. */
  done(index: number, pause: Pause): void {
    const { scheduler, wakeBy } = this.#options;
    if (this.#end(index)) wakeBy(scheduler.done(index, pause));
  }

  close(): void {
    for (const target of this.#monitored) target?.close();
  }

  /** Returns false when no ping was pending. */
  #end(index: number): boolean {
    if (this.#isPinging[index] !== 1) return false;
    this.#isPinging[index] = 0;
    this.#options.writer.addInFlight(-1);
    return true;
  }
}
