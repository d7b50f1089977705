/** Verdicts that changed: the last of them are kept, and listeners hear of each. */

import type { ChangeListener, StateChange } from './state-change.js';

/** How many are kept for listeners that come back. */
const KEPT = 8_192;

export class StateChangeLog {
  /** Of this run of the process. */
  readonly #run: string;
  readonly #onError: (error: unknown) => void;
  /** A ring: the change with the number n is at n % KEPT. */
  readonly #kept: StateChange[] = [];
  readonly #listeners = new Set<ChangeListener>();
  /** Listeners whose last call threw. */
  readonly #failing = new Set<ChangeListener>();
  #newest = 0;

  /**
   * @param startedAtMs wall clock.
   * @param onError called when a listener throws, once until it works again.
   */
  constructor(startedAtMs: number, onError: (error: unknown) => void = () => {}) {
    this.#run = startedAtMs.toString(36);
    this.#onError = onError;
  }

  /** The number of the newest change; 0 before the first. */
  get newest(): number {
    return this.#newest;
  }

  /** The number of the oldest change that is kept; one after the newest when there is none. */
  get oldest(): number {
    return Math.max(this.#newest - KEPT, 0) + 1;
  }

  add(changes: readonly Omit<StateChange, 'id'>[]): void {
    for (const change of changes) {
      const added = { id: `${this.#run}-${++this.#newest}`, ...change };
      this.#kept[this.#newest % KEPT] = added;
      for (const listener of this.#listeners) this.#call(listener, added);
    }
  }

  /** The number of the change with this id; before the oldest when it is not of this run. */
  numberOf(id: string): number {
    const [run, text = ''] = id.split('-');
    if (run !== this.#run || !/^\d{1,15}$/.test(text)) return this.oldest - 1;
    return Math.min(Math.max(Number(text), this.oldest - 1), this.#newest);
  }

  /** Up to `most` of the kept changes after the one with this number, the oldest first. */
  after(number: number, most: number): readonly StateChange[] {
    const first = Math.max(number + 1, this.oldest);
    const count = Math.min(Math.max(this.#newest - first + 1, 0), most);
    return Array.from({ length: count }, (_, i) => this.#kept[(first + i) % KEPT]).filter(
      (change) => change !== undefined,
    );
  }

  /** Calls `listener` for each change from now on, until the function that it returns is called. */
  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#failing.delete(listener);
    };
  }

  /** One listener that throws is no concern of the others, nor of whoever adds changes. */
  #call(listener: ChangeListener, change: StateChange): void {
    try {
      listener(change);
      this.#failing.delete(listener);
    } catch (error) {
      if (this.#failing.has(listener)) return;
      this.#failing.add(listener);
      this.#onError(error);
    }
  }
}
