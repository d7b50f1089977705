/** Assigns rows of the ledger to targets. */

import type { DestinationSlot, TargetSlot } from '../../shared/destination.js';
import { LEDGER_CAPACITY } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { ResolvedTargets } from '../../shared/protocol.js';
import { locationOfKey, targetKey } from './candidates.js';

export class TargetRows {
  readonly #writer: LedgerWriter;
  readonly #free: number[] = [];
  /** By destination index: the targets of an earlier pinger, whose rows can be continued. */
  readonly #previous: Map<number, ResolvedTargets>;

  constructor(writer: LedgerWriter, previousTargets: readonly ResolvedTargets[]) {
    this.#writer = writer;
    this.#previous = new Map(previousTargets.map((entry) => [entry.destination.index, entry]));
    const taken = new Set(
      previousTargets.flatMap(({ targets }) => targets.map(({ slot }) => slot.index)),
    );
    for (let i = writer.targetsUsed - 1; i >= 0; i--) if (!taken.has(i)) this.#free.push(i);
  }

  /**
   * The rows that an earlier pinger used for this destination, by `targetKey`; a second call returns
   * none. Targets that must not be pinged are omitted: their addresses came from the network.
   */
  adopt(destination: DestinationSlot): Map<string, TargetSlot> {
    const previous = this.#previous.get(destination.index);
    this.#previous.delete(destination.index);
    const isSame = previous?.destination.generation === destination.generation;
    const adopted = new Map<string, TargetSlot>();
    for (const { transport, address, slot } of previous?.targets ?? []) {
      const location = isSame ? locationOfKey(`${transport} ${address}`) : undefined;
      const key = location === undefined ? '' : targetKey(location);
      if (location === undefined || adopted.has(key)) this.release(slot);
      else adopted.set(key, slot);
    }
    return adopted;
  }

  /** Frees the rows that an earlier pinger used for a destination that is gone. */
  disown(destination: DestinationSlot): void {
    for (const slot of this.adopt(destination).values()) this.release(slot);
  }

  /** A row for a new target; undefined when the ledger is full. */
  take(): TargetSlot | undefined {
    const index = this.#free.pop() ?? this.#writer.targetsUsed;
    return index < LEDGER_CAPACITY ? this.#writer.openTarget(index) : undefined;
  }

  release(slot: TargetSlot): void {
    this.#free.push(slot.index);
  }
}
