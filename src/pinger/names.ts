/** Keeps host names resolved, each for itself. */

import type { Address } from './addresses.js';
import type { Clock } from './clock.js';
import type { Resolver } from './resolver.js';

/** Bounds on how long an answer is used before the name is looked up again. */
const SHORTEST_MS = 5_000;
const LONGEST_MS = 300_000;
/** Pause after the first failure; it doubles with each further one. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

export interface NamesUser {
  resolved(id: number, addresses: readonly Address[]): void;
  /** Called for every failure, also while an earlier answer is still in use. */
  unresolved(id: number, why: string, isFirstInARow: boolean): void;
}

export class Names {
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #user: NamesUser;
  /** What stops the watch over the name of each id. */
  readonly #stops = new Map<number, () => void>();

  constructor(clock: Clock, resolver: Resolver, user: NamesUser) {
    this.#clock = clock;
    this.#resolver = resolver;
    this.#user = user;
  }

  add(id: number, name: string): void {
    this.remove(id);
    let isStopped = false;
    let cancel = () => {};
    let retryMs = FIRST_RETRY_MS;
    const lookup = async (): Promise<void> => {
      const resolution = await this.#resolver.lookup(name);
      if (isStopped) return;
      if (resolution.kind === 'resolved') {
        retryMs = FIRST_RETRY_MS;
        const { ttlMs } = resolution;
        again(Math.min(Math.max(ttlMs, SHORTEST_MS), LONGEST_MS));
        this.#user.resolved(id, resolution.addresses);
      } else {
        const isFirst = retryMs === FIRST_RETRY_MS;
        again(retryMs);
        retryMs = Math.min(2 * retryMs, LONGEST_RETRY_MS);
        this.#user.unresolved(id, resolution.why, isFirst);
      }
    };
    const again = (delayMs: number) => {
      cancel = this.#clock.after(delayMs, () => void lookup());
    };
    this.#stops.set(id, () => {
      isStopped = true;
      cancel();
    });
    void lookup();
  }

  remove(id: number): void {
    this.#stops.get(id)?.();
    this.#stops.delete(id);
  }

  close(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }
}
