/** Verdicts that became others: the last of them, and whoever wants to hear of the next. */

import type { ChangeListener, StateChange } from '../shared/changes.js';

/** How many are kept for those who come back. */
const KEPT = 1024;

export class Changes {
  /** Of this run of the process. */
  readonly #run: string;
  readonly #kept: StateChange[] = [];
  readonly #listeners = new Set<ChangeListener>();
  #count = 0;

  /** @param startedAtMs wall clock. */
  constructor(startedAtMs: number) {
    this.#run = startedAtMs.toString(36);
  }

  add(changes: readonly Omit<StateChange, 'id'>[]): void {
    for (const change of changes) {
      const told = { id: `${this.#run}-${++this.#count}`, ...change };
      this.#kept.push(told);
      if (this.#kept.length > KEPT) this.#kept.shift();
      for (const listener of this.#listeners) listener(told);
    }
  }

  /** What is kept of the changes after the one with this id; all of them when it is not of this run. */
  since(id: string): readonly StateChange[] {
    const [run, count] = id.split('-');
    if (run !== this.#run || !/^\d{1,15}$/.test(count ?? '')) return [...this.#kept];
    const missed = this.#count - Number(count);
    return missed <= 0 ? [] : this.#kept.slice(-missed);
  }

  /** Calls `listener` for each change from now on, until the function that it returns is called. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
