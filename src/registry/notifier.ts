/** Collects changes of the registry and notifies the listener at the end of each step. */

import type { RegisteredDestination } from '../shared/destination.js';

/** Is notified of changes of the list of destinations. */
export interface RegistryListener {
  /** These destinations are new or have new settings. */
  monitor(destinations: readonly RegisteredDestination[]): void;
  /** These have been removed; another destination may use the row of one soon. */
  unmonitor(destinations: readonly RegisteredDestination[]): void;
}

/** Number of destinations that are opened, changed or closed in one step. */
const STEP_SIZE = 200;

export class Notifier {
  readonly #listener: RegistryListener;
  readonly #monitored = new Set<RegisteredDestination>();
  #unmonitored: RegisteredDestination[] = [];

  constructor(listener: RegistryListener) {
    this.#listener = listener;
  }

  /** The destination is new or has new settings. */
  monitor(destination: RegisteredDestination): void {
    this.#monitored.add(destination);
  }

  unmonitor(destination: RegisteredDestination): void {
    this.#monitored.delete(destination);
    this.#unmonitored.push(destination);
  }

  notify(): void {
    const unmonitored = this.#unmonitored;
    const monitored = [...this.#monitored];
    this.#unmonitored = [];
    this.#monitored.clear();
    // In this order, because a freed row may already have a new destination.
    if (unmonitored.length > 0) this.#listener.unmonitor(unmonitored);
    if (monitored.length > 0) this.#listener.monitor(monitored);
  }

  /**
   * Returns a function that counts work, in units of one changed destination. When a step is full, it
   * notifies the listener and returns true.
   */
  stepCounter(): (cost: number) => boolean {
    let done = 0;
    return (cost) => {
      done += cost;
      if (done < STEP_SIZE) return false;
      done = 0;
      this.notify();
      return true;
    };
  }
}
