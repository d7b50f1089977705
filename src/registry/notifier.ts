/** Collects what has changed in the registry, and notifies its listener at the end of each step. */

import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';

/** Notified of changes to the list of destinations. */
export interface RegistryListener {
  /** These are new, or have other settings. */
  watch(destinations: readonly RegisteredDestination[]): void;
  unwatch(slots: readonly DestinationSlot[]): void;
}

/** Destinations that are opened, changed or closed in one step. */
const STEP_SIZE = 200;

export class Notifier {
  readonly #listener: RegistryListener;
  readonly #watched = new Set<RegisteredDestination>();
  #unwatched: DestinationSlot[] = [];

  constructor(listener: RegistryListener) {
    this.#listener = listener;
  }

  /** The destination is new, or has other settings. */
  watch(destination: RegisteredDestination): void {
    this.#watched.add(destination);
  }

  unwatch(destination: RegisteredDestination): void {
    this.#watched.delete(destination);
    this.#unwatched.push(destination.slot);
  }

  notify(): void {
    const unwatched = this.#unwatched;
    const watched = [...this.#watched];
    this.#unwatched = [];
    this.#watched.clear();
    // In this order: a freed row may have a new tenant already.
    if (unwatched.length > 0) this.#listener.unwatch(unwatched);
    if (watched.length > 0) this.#listener.watch(watched);
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
