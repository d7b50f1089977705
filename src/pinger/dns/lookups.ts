/**
 * Look-ups as the rest asks for them: an answer is used until its time is up, one look-up serves all
 * who want the same, and no more than a few are under way.
 */

import type { Clock } from '../clock.js';
import { type DnsAnswer, isCertain, type RecordType } from './records.js';

/** Look-ups under way at one moment. */
const MOST_AT_ONCE = 64;
/** Answers that are kept. */
const MOST_KEPT = 100_000;
/** How long it is believed that there is no such record. */
const ABSENT_MS = 5_000;

/** An answer, and the monotonic time until which it holds. */
export interface LookedUp {
  readonly answer: DnsAnswer;
  readonly untilMs: number;
}

/** Never rejects. */
export type LookUp = (name: string, type: RecordType) => Promise<LookedUp>;

interface Kept {
  readonly lookedUp: Promise<LookedUp>;
  /** Monotonic; infinite while the look-up is under way. */
  untilMs: number;
}

export class Lookups {
  readonly #clock: Clock;
  readonly #ask: (name: string, type: RecordType) => Promise<DnsAnswer>;
  readonly #kept = new Map<string, Kept>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(clock: Clock, ask: (name: string, type: RecordType) => Promise<DnsAnswer>) {
    this.#clock = clock;
    this.#ask = ask;
  }

  readonly lookUp: LookUp = (name, type) => {
    const key = `${type} ${name}`;
    const known = this.#kept.get(key);
    if (known !== undefined && this.#clock.now() < known.untilMs) return known.lookedUp;
    this.#makeRoom();
    const kept: Kept = {
      lookedUp: this.#inTurn(async () => {
        const answer = await this.#ask(name, type);
        kept.untilMs = this.#clock.now() + believedMs(answer);
        return { answer, untilMs: kept.untilMs };
      }),
      untilMs: Number.POSITIVE_INFINITY,
    };
    this.#kept.set(key, kept);
    return kept.lookedUp;
  };

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MOST_AT_ONCE) await new Promise<void>((go) => this.#waiting.push(go));
    this.#running++;
    try {
      return await work();
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Lets go of what is out of date, and of all when that is not enough. */
  #makeRoom(): void {
    if (this.#kept.size < MOST_KEPT) return;
    const now = this.#clock.now();
    for (const [key, { untilMs }] of this.#kept) if (untilMs <= now) this.#kept.delete(key);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
  }
}

function believedMs(answer: DnsAnswer): number {
  if (answer.kind === 'records') return answer.ttlSeconds * 1000;
  return isCertain(answer.reason) ? ABSENT_MS : 0;
}
