/**
 * Reloads the configuration. Only one reload runs and only one waits: all calls during a reload share the
 * next one. There is a pause between two reloads.
 */

import type { Clock } from '../shared/clock.js';

/** Shortest pause between two reloads. */
const MIN_PAUSE_MS = 100;
/** Length of the pause as a multiple of the time that the last reload kept the thread busy. */
const PAUSE_PER_BUSY_TIME = 4;
/** Maximum wait for slow sources before the next reload may start. */
const MAX_APPLY_MS = 30_000;

export interface ReloaderOptions<Loaded> {
  readonly clock: Pick<Clock, 'now' | 'after'>;
  /** Reads the configuration. Throws when it is invalid; then nothing changes. */
  readonly load: () => Loaded;
  /** Applies the configuration. Resolves when every source in use has been read or has failed. */
  readonly apply: (loaded: Loaded) => Promise<void>;
  /** The configuration is invalid (`load`), or applying it failed, which is a bug (`apply`). */
  readonly onError: (error: ReloadError) => void;
}

export interface ReloadError {
  readonly message: string;
  readonly during: 'load' | 'apply';
  /** A later reload has started, so this one says nothing about the configuration in force. */
  readonly isOutdated: boolean;
}

/** Resolves with the errors of the configuration, or with undefined when it is applied. */
type Answer = Promise<string | undefined>;

export class Reloader<Loaded> {
  readonly #options: ReloaderOptions<Loaded>;
  #running: Answer | undefined;
  #next: Answer | undefined;
  /** Monotonic, milliseconds: no reload starts earlier. */
  #earliestMs = Number.NEGATIVE_INFINITY;
  #isClosed = false;
  /** Counts the reloads. */
  #lastRun = 0;
  #endPause = () => {};

  constructor(options: ReloaderOptions<Loaded>) {
    this.#options = options;
  }

  /** Applies the first configuration, which is already loaded. Never rejects. */
  start(loaded: Loaded): Answer {
    this.#running = this.#run(() => loaded);
    return this.#running;
  }

  /** Requests a reload, or joins the one that waits. Never rejects. */
  reload(): Answer {
    this.#next ??= this.#waitForTurn();
    return this.#next;
  }

  /** Prevents further reloads. Pending calls are answered. */
  close(): void {
    this.#isClosed = true;
    this.#endPause();
  }

  async #waitForTurn(): Answer {
    await this.#running;
    await this.#pause();
    // A later call gets the reload after this one.
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

  /** Waits for `work`, at most `ms`. It continues after that; its failure is then a late error. */
  #waitFor(work: Promise<void>, ms: number, onLateError: (error: unknown) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let isLate = false;
      const cancel = this.#options.clock.after(ms, () => {
        isLate = true;
        resolve();
      });
      const end = (settle: () => void) => {
        cancel();
        settle();
      };
      work.then(
        () => end(resolve),
        (error: unknown) => end(() => (isLate ? onLateError(error) : reject(error))),
      );
    });
  }

  async #run(load: () => Loaded): Answer {
    const { clock, apply } = this.#options;
    const run = ++this.#lastRun;
    const startMs = clock.now();
    let during: ReloadError['during'] = 'load';
    let busyMs: number | undefined;
    const fail = (error: unknown) => this.#fail(error, during, run !== this.#lastRun);
    try {
      const loaded = load();
      during = 'apply';
      const applied = apply(loaded);
      busyMs = clock.now() - startMs;
      await this.#waitFor(applied, MAX_APPLY_MS, fail);
      return undefined;
    } catch (error) {
      return fail(error);
    } finally {
      busyMs ??= clock.now() - startMs;
      this.#earliestMs = clock.now() + Math.max(MIN_PAUSE_MS, PAUSE_PER_BUSY_TIME * busyMs);
    }
  }

  /** Reports an error. A bug in applying must not end a working process. */
  #fail(error: unknown, during: ReloadError['during'], isOutdated: boolean): string {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onError({ message, during, isOutdated });
    return during === 'load' ? message : `internal error: ${message}`;
  }
}
