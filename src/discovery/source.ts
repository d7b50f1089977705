/** One discovery source: schedules its reads and keeps its health. */

import type { SourceSettings } from '../config/source-settings.js';
import type { Clock } from '../shared/clock.js';
import type { LogEvent } from '../shared/log-events.js';
import type { LogLine } from '../shared/protocol.js';
import type { SourceHealth } from '../status/health.js';
import type { Findings, Reconciled } from './found.js';
import type { Reader, ReadResult } from './reader.js';
import { RemarkLog } from './remark-log.js';
import { SourceError } from './source-error.js';

/** A changed file is read when it has not changed for this time, because it may be incomplete before. */
const SETTLED_MS = 1_000;

export interface SourceOptions {
  /** Resolves when the findings are monitored. */
  readonly onFindings: (findings: Findings) => Promise<unknown>;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class Source {
  readonly #settings: SourceSettings;
  readonly #reader: Reader;
  readonly #options: SourceOptions;
  readonly #closed = new AbortController();
  readonly #remarkLog: RemarkLog;
  #cancelTimer = () => {};
  #polling: Promise<void> | undefined;
  /** The stamp of the last result, and the stamp at the last check. */
  #readStamp = '';
  #seenStamp = '';
  #lastResult: ReadResult | undefined;
  #destinations = 0;
  #remarks = 0;
  /** The last error; empty while the source works. */
  #error = '';
  #failures = 0;
  #lastSuccessMs = 0;

  /** @param predecessor the previous source with this name; its findings stay in use until the first read. */
  constructor(
    settings: SourceSettings,
    reader: Reader,
    options: SourceOptions,
    predecessor?: Source,
  ) {
    this.#settings = settings;
    this.#reader = reader;
    this.#options = options;
    if (predecessor === undefined) {
      this.#remarkLog = new RemarkLog(settings.name, options.log);
      return;
    }
    this.#remarkLog = predecessor.#remarkLog;
    this.#destinations = predecessor.#destinations;
    this.#remarks = predecessor.#remarks;
  }

  get health(): SourceHealth {
    return {
      source: this.#settings.name,
      kind: this.#settings.kind,
      isUp: this.#error === '' && this.#lastSuccessMs > 0,
      destinations: this.#destinations,
      skipped: this.#remarks,
      failures: this.#failures,
      lastSuccessMs: this.#lastSuccessMs,
      error: this.#error,
    };
  }

  /** Starts to read the source at its interval. Resolves after the first read. */
  start(): Promise<void> {
    return this.#pollNow();
  }

  /**
   * Reads the source now if its files have changed. Resolves after that read. A server is read only at its
   * interval, because a slow server would delay every reload.
   */
  async refresh(): Promise<void> {
    if (this.#polling !== undefined) return this.#polling;
    if (!this.#hasChanged()) return;
    this.#cancelTimer();
    await this.#pollNow();
  }

  /** Reads the source now, unless it is being read. Resolves after that read. */
  readNow(): Promise<void> {
    if (this.#polling !== undefined) return this.#polling;
    this.#cancelTimer();
    return this.#closed.signal.aborted ? Promise.resolve() : this.#pollNow();
  }

  /** Stops reading. The findings stay in use. */
  close(): void {
    this.#closed.abort();
    this.#cancelTimer();
  }

  /** Records and logs the result of reconciling the findings. */
  report({ destinations, remarks, renamed, renamedDestinations }: Reconciled): void {
    this.#destinations = destinations;
    this.#remarks = remarks.length;
    this.#remarkLog.write(remarks);
    this.#remarkLog.writeRenamed(renamed);
    this.#remarkLog.writeRenamedDestinations(renamedDestinations);
  }

  #hasChanged(): boolean {
    try {
      const stamp = this.#reader.stamp();
      return stamp !== undefined && stamp !== this.#readStamp;
    } catch {
      return true;
    }
  }

  #pollNow(): Promise<void> {
    this.#polling = this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  /** Never rejects. */
  async #poll(): Promise<void> {
    try {
      const before = this.#reader.stamp() ?? '';
      this.#seenStamp = before;
      await this.#use(await this.#reader.read(this.#closed.signal));
      // The included files are known now. A file that changed during the read is read again.
      const after = this.#reader.stamp() ?? '';
      this.#readStamp = after.startsWith(before) ? after : '';
    } catch (error) {
      // The next read may succeed with the same stamp.
      this.#readStamp = '';
      const isExpected = error instanceof SourceError;
      const text = isExpected ? error.message : `internal error: ${String(error)}`;
      if (!this.#closed.signal.aborted) this.#fail(text);
    }
    this.#schedule(this.#settings.refreshMs);
  }

  #schedule(delayMs: number): void {
    if (this.#closed.signal.aborted) return;
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      const pauseMs = this.#pauseMs();
      if (pauseMs === undefined) void this.#pollNow();
      else this.#schedule(pauseMs);
    });
  }

  /** Time until the next check; undefined when the source must be read now. */
  #pauseMs(): number | undefined {
    let stamp: string | undefined;
    try {
      stamp = this.#reader.stamp();
    } catch {
      // The read reports the error.
    }
    if (stamp === undefined) return undefined;
    const isSettled = stamp === this.#seenStamp;
    this.#seenStamp = stamp;
    if (stamp === this.#readStamp) return this.#settings.refreshMs;
    return isSettled ? undefined : Math.min(SETTLED_MS, this.#settings.refreshMs);
  }

  async #use(result: ReadResult): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { errors, ...findings } = result;
    // Skipped entries may be valid now, because another source may have freed their names.
    const isDone = result === this.#lastResult && this.#remarks === 0;
    if (!isDone) await this.#options.onFindings(findings);
    if (this.#closed.signal.aborted) return;
    this.#lastResult = result;
    if (errors.length > 0) {
      this.#fail(errors.join('; '));
      return;
    }
    if (this.#error !== '') {
      this.#log('info', 'discovery_recovered', 'destination source is readable again', {});
    }
    this.#error = '';
    this.#lastSuccessMs = this.#options.clock.epoch();
  }

  /** Records an error, and logs it unless it is the same as the last one. */
  #fail(error: string): void {
    this.#failures++;
    if (error === this.#error) return;
    this.#error = error;
    const message = 'cannot read destination source; keeping previous destinations';
    this.#log('error', 'discovery_failed', message, { error });
  }

  #log(level: LogLine['level'], event: LogEvent, message: string, fields: LogLine['fields']): void {
    const source = this.#settings.name;
    this.#options.log({ level, event, message, fields: { source, ...fields } });
  }
}
