/** The log of state changes: it keeps the newest ones and calls listeners for each. */

import type { ChangeListener, StateChange } from './state-change.js';

/** Number of changes that are kept for clients that reconnect. */
const MAX_KEPT = 8_192;

/** Read access to the changes, which are numbered from 1. */
export interface ChangeSource {
  /** The number of the newest change; 0 before the first. */
  readonly newest: number;
  /** The number of the oldest change that is kept; `newest + 1` when none is. */
  readonly oldest: number;
  /** The number of the change with this ID; `oldest - 1` for an ID of another run. */
  numberOf(id: string): number;
  /** Up to `max` changes after the one with this number, the oldest first. */
  after(number: number, max: number): readonly StateChange[];
  /** Calls `listener` for each further change. Returns a function that unsubscribes. */
  subscribe(listener: ChangeListener): () => void;
}

export class StateChangeLog implements ChangeSource {
  /** Distinguishes the IDs of this run of the process from those of others. */
  readonly #run: string;
  readonly #onError: (error: unknown) => void;
  /** A ring buffer: the change with the number n is at n % MAX_KEPT. */
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

  get newest(): number {
    return this.#newest;
  }

  get oldest(): number {
    return Math.max(this.#newest - MAX_KEPT, 0) + 1;
  }

  add(changes: readonly Omit<StateChange, 'id'>[]): void {
    for (const change of changes) {
      const added = { id: `${this.#run}-${++this.#newest}`, ...change };
      this.#kept[this.#newest % MAX_KEPT] = added;
      for (const listener of this.#listeners) this.#call(listener, added);
    }
  }

  numberOf(id: string): number {
    const [run, text = ''] = id.split('-');
    if (run !== this.#run || !/^\d{1,15}$/.test(text)) return this.oldest - 1;
    return Math.min(Math.max(Number(text), this.oldest - 1), this.#newest);
  }

  after(number: number, max: number): readonly StateChange[] {
    const first = Math.max(number + 1, this.oldest);
    const count = Math.min(Math.max(this.#newest - first + 1, 0), max);
    return Array.from({ length: count }, (_, i) => this.#kept[(first + i) % MAX_KEPT]).filter(
      (change) => change !== undefined,
    );
  }

  subscribe(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
      this.#failing.delete(listener);
    };
  }

  /** Contains the error of a listener, so that it affects neither other listeners nor the caller. */
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
