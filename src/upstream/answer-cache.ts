/** Keeps answers for some time, and lets those who ask the same share one answer. */

import type { Clock } from '../shared/clock.js';

/** How long a failure is kept, so that a server that fails is not asked by every page. */
const FAILURE_MS = 5_000;
const MAX_ANSWERS = 20_000;

interface Kept<T> {
  readonly answer: Promise<T>;
  untilMs: number;
}

export class AnswerCache<T> {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #keptMs: number;
  /** The oldest first. */
  readonly #kept = new Map<string, Kept<T>>();

  constructor(clock: Pick<Clock, 'now'>, keptMs: number) {
    this.#clock = clock;
    this.#keptMs = keptMs;
  }

  /** The kept answer, which may still be on its way or have failed; undefined without one. */
  get(key: string): Promise<T> | undefined {
    const kept = this.#kept.get(key);
    return kept !== undefined && this.#clock.now() < kept.untilMs ? kept.answer : undefined;
  }

  /** The kept answer, or a new one. */
  getOr(key: string, ask: () => Promise<T>): Promise<T> {
    const kept = this.get(key);
    if (kept !== undefined) return kept;
    const answer = ask();
    this.keep(key, answer);
    return answer;
  }

  /** Keeps an answer that may still be on its way. */
  keep(key: string, answer: Promise<T>): void {
    // Until it has arrived, it does not get older.
    const kept = { answer, untilMs: Infinity };
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_ANSWERS && oldest !== undefined) this.#kept.delete(oldest);
    answer.then(
      () => {
        kept.untilMs = this.#clock.now() + this.#keptMs;
      },
      () => {
        kept.untilMs = this.#clock.now() + Math.min(FAILURE_MS, this.#keptMs);
      },
    );
  }

  clear(): void {
    this.#kept.clear();
  }
}
