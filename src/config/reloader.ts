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
  readonly onError: (message: string, during: 'load' | 'apply') => void;
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

  /** Waits for `work`, but not longer than `ms`; the work continues after that. */
  async #waitFor(work: Promise<void>, ms: number): Promise<void> {
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
      await this.#waitFor(applied, MAX_APPLY_MS);
      return undefined;
    } catch (error) {
      return this.#fail(error, during);
    } finally {
      busyMs ??= clock.now() - startMs;
      this.#earliestMs = clock.now() + Math.max(MIN_PAUSE_MS, PAUSE_PER_BUSY_TIME * busyMs);
    }
  }

  /** Reports an error. A bug in applying must not end a working process. */
  #fail(error: unknown, during: 'load' | 'apply'): string {
    const message = error instanceof Error ? error.message : String(error);
    this.#options.onError(message, during);
    return during === 'load' ? message : `internal error: ${message}`;
  }
}
