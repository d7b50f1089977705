/**
 * Contains internal errors: an exception ends only the work that threw it. Each one is counted; they are
 * logged with their stack, at most once a minute per line of code.
 */

import type { LogLine } from './protocol.js';

/** Minimum time between two log lines about errors from one line of code. */
const LOG_INTERVAL_MS = 60_000;

export interface FaultsOptions {
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Called for each internal error. */
  readonly onFault?: () => void;
  readonly log: (line: LogLine) => void;
}

export class Faults {
  readonly #options: FaultsOptions;
  #count = 0;
  /** By place and line of code: the time of the last log line, and the errors not logged since. */
  readonly #places = new Map<string, { loggedAtMs: number; unlogged: number }>();

  constructor(options: FaultsOptions) {
    this.#options = options;
  }

  /** Number of internal errors so far. */
  get count(): number {
    return this.#count;
  }

  /**
   * Runs `work`; if it throws, reports the error and calls `onFault`.
   *
   * @param place names the work for the log; one of a few fixed texts.
   */
  contain(place: string, work: () => void, onFault?: () => void): void {
    try {
      work();
    } catch (error) {
      this.report(place, error);
      if (onFault !== undefined) this.contain(`${place}, cleanup`, onFault);
    }
  }

  /** As {@link contain}, for asynchronous work. Never rejects. */
  async containAsync(
    place: string,
    work: () => Promise<void>,
    onFault?: () => void,
  ): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.report(place, error);
      if (onFault !== undefined) this.contain(`${place}, cleanup`, onFault);
    }
  }

  /** Counts and logs an error. Never throws. */
  report(place: string, error: unknown): void {
    this.#count++;
    try {
      this.#options.onFault?.();
      this.#log(place, error);
    } catch {
      // The counter or the log failed, and there is no other way to report the error.
    }
  }

  #log(place: string, error: unknown): void {
    const now = this.#options.now();
    const stack = stackOf(error);
    // The line of code, not the message, which may contain anything.
    const key = `${place} ${/\n\s+at .*/.exec(stack)?.[0] ?? ''}`;
    const known = this.#places.get(key);
    if (known !== undefined && now - known.loggedAtMs < LOG_INTERVAL_MS) {
      known.unlogged++;
      return;
    }
    this.#places.set(key, { loggedAtMs: now, unlogged: 0 });
    this.#options.log({
      level: 'error',
      event: 'internal_error',
      message: 'internal error (a bug; please report it); only the work that caused it is lost',
      fields: { place, unlogged: known?.unlogged ?? 0, error: stack },
    });
  }
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
