/** Resolves the host of each destination, and again when the last result expires. */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from '../time/clock.js';
import { Pacer } from '../time/pacer.js';
import type { LocateFailure, LocateResult, LocateSuccess } from './locate.js';
import type { LocateQuery } from './location.js';

/** Pause between the first lookups of two names; each may need half a dozen queries. */
const FIRST_LOOKUP_GAP_MS = 1;
/** Pause after the first failure; doubles with each further one. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

const INTERNAL_ERROR = 'internal error of the exporter; see its log';

export interface Resolver {
  /** Rejects only on an internal error. */
  locate(query: LocateQuery): Promise<LocateResult>;
}

export interface RefresherListener {
  located(id: number, result: LocateSuccess): void;
  /** Called for every failure, also while an earlier result is still in use. */
  locateFailed(id: number, result: LocateFailure, isFirstInARow: boolean): void;
  /** A search has ended, successfully or not. @param micros its duration. */
  resolved(micros: number): void;
}

export interface TtlLimits {
  /** Limits on how long a result is used, milliseconds. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
}

export class Refresher {
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #ttls: TtlLimits;
  readonly #faults: Faults;
  readonly #listener: RefresherListener;
  readonly #pacer: Pacer;
  /** By ID: a function that stops its refreshes. */
  readonly #stops = new Map<number, () => void>();

  constructor(
    clock: Clock,
    resolver: Resolver,
    ttls: TtlLimits,
    faults: Faults,
    listener: RefresherListener,
  ) {
    this.#clock = clock;
    this.#resolver = resolver;
    this.#ttls = ttls;
    this.#faults = faults;
    this.#listener = listener;
    this.#pacer = new Pacer(clock, FIRST_LOOKUP_GAP_MS);
  }

  add(id: number, query: LocateQuery): void {
    this.remove(id);
    let isStopped = false;
    let cancel = () => {};
    let retryMs = FIRST_RETRY_MS;
    const refresh = async (): Promise<void> => {
      const startedAtMs = this.#clock.now();
      const result = await this.#locate(query);
      if (isStopped) return;
      const tookMs = this.#clock.now() - startedAtMs;
      const isFirst = retryMs === FIRST_RETRY_MS;
      // Before the listener is called: if it throws, the next lookup comes all the same.
      if (result.kind === 'located' && result.lookupError === undefined) {
        retryMs = FIRST_RETRY_MS;
        scheduleNext(this.#validMs(result));
      } else {
        scheduleNext(retryMs);
        retryMs = Math.min(2 * retryMs, this.#maxRetryMs(result));
      }
      if (result.kind === 'located') this.#listener.located(id, result);
      else this.#listener.locateFailed(id, result, isFirst);
      this.#listener.resolved(Math.round(tookMs * 1000));
    };
    const run = () => void this.#faults.containAsync('result of a lookup', refresh);
    const scheduleNext = (delayMs: number) => {
      cancel = this.#clock.after(delayMs, run);
    };
    this.#stops.set(id, () => {
      isStopped = true;
      cancel();
    });
    cancel = this.#pacer.enqueue(true, run);
  }

  remove(id: number): void {
    this.#stops.get(id)?.();
    this.#stops.delete(id);
  }

  close(): void {
    for (const stop of this.#stops.values()) stop();
    this.#stops.clear();
  }

  /** Reports an internal error as a local one, because it says nothing about the name. */
  async #locate(query: LocateQuery): Promise<LocateResult> {
    try {
      return await this.#resolver.locate(query);
    } catch (error) {
      this.#faults.report('lookup', error);
      return { kind: 'failed', reason: 'local', detail: INTERNAL_ERROR, errors: [INTERNAL_ERROR] };
    }
  }

  /** An unanswered lookup that is not needed is repeated no more often than the others. */
  #maxRetryMs(result: LocateResult): number {
    const isUsable = result.kind === 'located' && result.lookupError?.missing !== 'locations';
    return isUsable ? Math.max(this.#validMs(result), MAX_RETRY_MS) : MAX_RETRY_MS;
  }

  #validMs({ expiresAtMs }: LocateSuccess): number {
    const { minTtlMs, maxTtlMs } = this.#ttls;
    return Math.min(Math.max(expiresAtMs - this.#clock.now(), minTtlMs), maxTtlMs);
  }
}
