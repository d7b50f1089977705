/**
 * Reloads the configuration: one reload at a time, and at most one that waits. All callers
 * during one reload share the next one, so any number of calls costs one reload after another, with
 * a pause between them.
 */

import type { Clock } from '../shared/clock.js';

/** Shortest pause between two reloads. */
const MIN_PAUSE_MS = 100;
/** The pause is this many times as long as the last reload kept the thread busy. */
const PAUSE_PER_BUSY_TIME = 4;
/** A source that takes longer to answer does not keep the next reload waiting. */
const MAX_APPLY_MS = 30_000;

export interface ReloaderOptions<Loaded> {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Reads the configuration. Throws when it is invalid, and then nothing changes. */
  readonly load: () => Loaded;
  /** Puts it into effect. Resolves once every source in use has been read, or has failed once. */
  readonly apply: (loaded: Loaded) => Promise<void>;
  /** The configuration is invalid, or applying it failed, which is an internal error. */
  readonly onFault: (message: string, during: 'load' | 'apply') => void;
}

/** Resolves with the problems of the configuration; with undefined when it is in effect. */
type Answer = Promise<string | undefined>;

export class Reloader<Loaded> {
  readonly #options: ReloaderOptions<Loaded>;
  #running: Answer | undefined;
  #next: Answer | undefined;
  /** Monotonic, milliseconds: no reload starts before. */
  #earliestMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  #endPause = () => {};

  constructor(options: ReloaderOptions<Loaded>) {
    this.#options = options;
  }

  /** Puts into effect what is loaded already, before any reload. */
  start(loaded: Loaded): Answer {
    this.#running = this.#run(() => loaded);
    return this.#running;
  }

  /** Reloads; shares the reload that waits, if one does. Never rejects. */
  reload(): Answer {
    this.#next ??= this.#waitForTurn();
    return this.#next;
  }

  /** Starts no further reload; each caller that waits for one gets an answer. */
  close(): void {
    this.#isClosed = true;
    this.#endPause();
  }

  async #waitForTurn(): Answer {
    await this.#running;
    await this.#pause();
    // From here on, what is asked for is the reload after this one.
    this.#running = this.#next;
    this.#next = undefined;
    return this.#isClosed ? 'the exporter is stopping' : this.#run(this.#options.load);
  }

  #pause(): Promise<void> {
    const { clock } = this.#options;
    const ms = this.#earliestMs - clock.now();
    if (this.#isClosed || ms <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = clock.after(ms, resolve);
      this.#endPause = () => {
        cancel();
        resolve();
      };
    });
  }

  /** Waits for `work`, but no longer than `ms`; after that it goes on by itself. */
  async #atMost(ms: number, work: Promise<void>): Promise<void> {
    let cancel = () => {};
    const timeout = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(ms, resolve);
    });
    await Promise.race([work, timeout]).finally(cancel);
  }

  async #run(load: () => Loaded): Answer {
    const { clock, apply } = this.#options;
    const startMs = clock.now();
    let during: 'load' | 'apply' = 'load';
    let busyMs: number | undefined;
    try {
      const loaded = load();
      during = 'apply';
      const applied = apply(loaded);
      busyMs = clock.now() - startMs;
      await this.#atMost(MAX_APPLY_MS, applied);
      return undefined;
    } catch (error) {
      return this.#fail(error, during);
    } finally {
      busyMs ??= clock.now() - startMs;
      this.#earliestMs = clock.now() + Math.max(MIN_PAUSE_MS, PAUSE_PER_BUSY_TIME * busyMs);
    }
  }

  /** An internal error does not end the process either. */
  #fail(error: unknown, during: 'load' | 'apply'): string {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onFault(message, during);
    return during === 'load' ? message : `internal error: ${message}`;
  }
}
