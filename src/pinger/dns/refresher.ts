/** Keeps what destinations resolve to up to date, each for itself. */

import type { Faults } from '../../shared/faults.js';
import type { Clock } from '../time/clock.js';
import { Pacer } from '../time/pacer.js';
import type { LocateFailure, LocateResult, LocateSuccess } from './locate.js';
import type { LocateQuery } from './location.js';

/** Names are looked up for the first time so long apart: each may take half a dozen queries. */
const FIRST_GAP_MS = 1;
/** Pause after the first failure; it doubles with each further one. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 30_000;

const INTERNAL_ERROR = 'internal error of the exporter; its log has it';

export interface Resolver {
  /** Never rejects. */
  locate(query: LocateQuery): Promise<LocateResult>;
}

export interface RefresherListener {
  located(id: number, result: LocateSuccess): void;
  /** Called for every failure, also while an earlier answer is still in use. */
  locateFailed(id: number, result: LocateFailure, isFirstInARow: boolean): void;
  /** A look-up is over, with all that it led to. */
  resolved(micros: number): void;
}

export interface TtlLimits {
  /** Bounds on how long an answer is used, milliseconds. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
}

export class Refresher {
  readonly #clock: Clock;
  readonly #resolver: Resolver;
  readonly #ttls: TtlLimits;
  readonly #faults: Faults;
  readonly #listener: RefresherListener;
  readonly #pace: Pacer;
  /** What stops the watch over each id. */
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
    this.#pace = new Pacer(clock, FIRST_GAP_MS);
  }

  add(id: number, query: LocateQuery): void {
    this.remove(id);
    let isStopped = false;
    let cancel = () => {};
    let retryMs = FIRST_RETRY_MS;
    const lookUp = async (): Promise<void> => {
      const beganAt = this.#clock.now();
      const result = await this.#locate(query);
      if (isStopped) return;
      this.#listener.resolved(Math.round((this.#clock.now() - beganAt) * 1000));
      const isFirst = retryMs === FIRST_RETRY_MS;
      if (result.kind === 'located' && result.lookupError === undefined) {
        retryMs = FIRST_RETRY_MS;
        again(this.#holdsMs(result));
      } else {
        again(retryMs);
        retryMs = Math.min(2 * retryMs, this.#longestRetryMs(result));
      }
      if (result.kind === 'located') this.#listener.located(id, result);
      else this.#listener.locateFailed(id, result, isFirst);
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
  async #locate(query: LocateQuery): Promise<LocateResult> {
    try {
      return await this.#resolver.locate(query);
    } catch (error) {
      this.#faults.report('look-up', error);
      return { kind: 'failed', reason: 'local', detail: INTERNAL_ERROR, errors: [INTERNAL_ERROR] };
    }
  }

  /** What never is answered, and hinders nothing, is not asked for more often than the rest. */
  #longestRetryMs(result: LocateResult): number {
    const isIdle = result.kind === 'located' && result.lookupError?.missing !== 'locations';
    return isIdle ? Math.max(this.#holdsMs(result), MAX_RETRY_MS) : MAX_RETRY_MS;
  }

  #holdsMs({ expiresAtMs }: LocateSuccess): number {
    const { minTtlMs, maxTtlMs } = this.#ttls;
    return Math.min(Math.max(expiresAtMs - this.#clock.now(), minTtlMs), maxTtlMs);
  }
}
