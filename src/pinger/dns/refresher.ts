/** Keeps what destinations resolve to up to date, each for itself. */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from '../time/clock.js';
import { Pace } from '../time/pacer.js';
import type { Located, Location, Sought, Unlocated } from './locate.js';

/** Names are looked up for the first time so long apart: each may take half a dozen queries. */
const FIRST_GAP_MS = 1;
/** Pause after the first failure; it doubles with each further one. */
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

const INTERNAL_ERROR = 'internal error of the exporter; its log has it';

export interface Resolver {
  /** Never rejects. */
  locate(sought: Sought): Promise<Location>;
}

export interface NamesUser {
  located(id: number, location: Located): void;
  /** Called for every failure, also while an earlier answer is still in use. */
  unlocated(id: number, location: Unlocated, isFirstInARow: boolean): void;
  /** A look-up is over, with all that it led to. */
  took(micros: number): void;
}

export interface Ttls {
  /** Bounds on how long an answer is used, milliseconds. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
}

export class Names {
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #ttls: Ttls;
  readonly #faults: Faults;
  readonly #user: NamesUser;
  readonly #pace: Pace;
  /** What stops the watch over each id. */
  readonly #stops = new Map<number, () => void>();

  constructor(clock: Clock, resolver: Resolver, ttls: Ttls, faults: Faults, user: NamesUser) {
    this.#clock = clock;
    this.#resolver = resolver;
    this.#ttls = ttls;
    this.#faults = faults;
    this.#user = user;
    this.#pace = new Pace(clock, FIRST_GAP_MS);
  }

  add(id: number, sought: Sought): void {
    this.remove(id);
    let isStopped = false;
    let cancel = () => {};
    let retryMs = FIRST_RETRY_MS;
    const lookUp = async (): Promise<void> => {
      const beganAt = this.#clock.now();
      const location = await this.#locate(sought);
      if (isStopped) return;
      this.#user.took(Math.round((this.#clock.now() - beganAt) * 1000));
      const isFirst = retryMs === FIRST_RETRY_MS;
      if (location.kind === 'located' && location.doubt === undefined) {
        retryMs = FIRST_RETRY_MS;
        again(this.#holdsMs(location));
      } else {
        again(retryMs);
        retryMs = Math.min(2 * retryMs, this.#longestRetryMs(location));
      }
      if (location.kind === 'located') this.#user.located(id, location);
      else this.#user.unlocated(id, location, isFirst);
    };
    const again = (delayMs: number) => {
      cancel = this.#clock.after(delayMs, () => void lookUp());
    };
    this.#stops.set(id, () => {
      isStopped = true;
      cancel();
    });
    cancel = this.#pace.begin(true, () => void lookUp());
  }

  remove(id: number): void {
    this.#stops.get(id)?.();
    this.#stops.delete(id);
  }

  close(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }

  /** A fault of ours in a look-up says nothing of the name. */
  async #locate(sought: Sought): Promise<Location> {
    try {
      return await this.#resolver.locate(sought);
    } catch (error) {
      this.#faults.report('look-up', error);
      return { kind: 'failed', reason: 'local', why: INTERNAL_ERROR, troubles: [INTERNAL_ERROR] };
    }
  }

  /** What never is answered, and hinders nothing, is not asked for more often than the rest. */
  #longestRetryMs(location: Location): number {
    const isIdle = location.kind === 'located' && location.doubt?.missing !== 'places';
    return isIdle ? Math.max(this.#holdsMs(location), LONGEST_RETRY_MS) : LONGEST_RETRY_MS;
  }

  #holdsMs({ untilMs }: Located): number {
    const { minTtlMs, maxTtlMs } = this.#ttls;
    return Math.min(Math.max(untilMs - this.#clock.now(), minTtlMs), maxTtlMs);
  }
}
