/**
 * Contains faults of our own: what is thrown ends the work that it came up in, and nothing else. Each
 * is counted, and logged with its stack, once a minute for each place that it is thrown from.
 */

import type { LogLine } from './protocol.js';

/** What is thrown from one place is logged at most this often. */
const LOG_INTERVAL_MS = 60_000;

export interface FaultsOptions {
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Called for each fault. */
  readonly onFault?: () => void;
  readonly log: (line: LogLine) => void;
}

export class Faults {
  readonly #options: FaultsOptions;
  #count = 0;
  /** By place and line of the code: when it was last logged, and how many were not logged since. */
  readonly #places = new Map<string, { loggedAtMs: number; unlogged: number }>();

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /**
   * Does `work`; what it throws is reported, and then `onFault` is called.
   *
   * @param place where in the program this is: one of few words, for the log.
   */
  contain(place: string, work: () => void, onFault?: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(place, error);
      if (onFault !== undefined) this.contain(`${place}, giving up`, onFault);
    }
  }

  /** As {@link contain}, for work that takes time. Never rejects. */
  async containAsync(
    place: string,
    work: () => Promise<void>,
    onFault?: () => void,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.report(place, error);
      if (onFault !== undefined) this.contain(`${place}, giving up`, onFault);
    }
  }

  /** Takes note of something that was thrown. Never throws. */
  report(place: string, error: unknown): void {
    this.#count++;
    try {
      this.#options.onFault?.();
      this.#log(place, error);
    } catch {
      // Whatever takes counts and lines is broken itself: there is nobody left to tell.
    }
  }

  #log(place: string, error: unknown): void {
    const now = this.#options.now();
    const stack = stackOf(error);
    // A line of the code, not the message: that may hold anything.
    const key = `${place} ${/\n\s+at .*/.exec(stack)?.[0] ?? ''}`;
    const known = this.#places.get(key);
    if (known !== undefined && now - known.loggedAtMs < LOG_INTERVAL_MS) {
      known.unlogged++;
      return;
    }
    this.#places.set(key, { loggedAtMs: now, unlogged: 0 });
    this.#options.log({
      level: 'error',
      message: 'internal error; the work that it came up in ended, everything else goes on',
      fields: { place, unlogged: known?.unlogged ?? 0, error: stack },
    });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
