/** Collects what has changed in the registry, and notifies its listener at the end of each step. */

import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';

/** Notified of changes to the list of destinations. */
export interface RegistryListener {
  /** These are new, or have other settings. */
  monitor(destinations: readonly RegisteredDestination[]): void;
  unmonitor(slots: readonly DestinationSlot[]): void;
}

/** Destinations that are opened, changed or closed in one step. */
const STEP_SIZE = 200;

export class Notifier {
  readonly #listener: RegistryListener;
  readonly #monitored = new Set<RegisteredDestination>();
  #unmonitored: DestinationSlot[] = [];

  constructor(listener: RegistryListener) {
    this.#listener = listener;
  }

  /** The destination is new, or has other settings. */
  monitor(destination: RegisteredDestination): void {
    this.#monitored.add(destination);
  }

  unmonitor(destination: RegisteredDestination): void {
    this.#monitored.delete(destination);
    this.#unmonitored.push(destination.slot);
  }

  notify(): void {
    const unmonitored = this.#unmonitored;
    const monitored = [...this.#monitored];
    this.#unmonitored = [];
    this.#monitored.clear();
    // In this order: a freed row may have a new tenant already.
    if (unmonitored.length > 0) this.#listener.unmonitor(unmonitored);
    if (monitored.length > 0) this.#listener.monitor(monitored);
  }

  /**
   * Counts work in destinations. The result is called with the cost of each piece of work; it
   * notifies the listener and returns true when a step is full.
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
