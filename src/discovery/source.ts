/** One source of destinations: when it is looked at, and what came of it. */

import type { SourceSettings } from '../config/source-settings.js';
import type { LogLine } from '../shared/protocol.js';
import type { SourceHealth } from '../status/health.js';
import type { Findings, Skipped, Taken } from './found.js';
import type { Look, Reader } from './reader.js';
import { SourceError } from './source-error.js';

/** A file that has changed is read once it stays as it is for so long: it may be half written. */
const SETTLED_MS = 1_000;
/** What is skipped is logged one by one up to so many. */
const MAX_LINES = 20;
/** So many of what was skipped are remembered, to log only what is new. */
const MAX_REMEMBERED = 1_000;

export interface SourceOptions {
  /** Resolves once they are watched. */
  readonly onFindings: (findings: Findings) => Promise<void>;
  readonly log: (line: LogLine) => void;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export class Source {
  readonly #settings: SourceSettings;
  readonly #reader: Reader;
  readonly #options: SourceOptions;
  readonly #closed = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  /** As it was when it was last read, and when it was last looked at. */
  #read = '';
  #seen = '';
  #taken: Look | undefined;
  #destinations = 0;
  #skippedCount = 0;
  /** The first of them, each as a line. */
  #skipped: ReadonlySet<string> = new Set();
  /** Labels of which it was logged that metrics have them under another name. */
  #renamed = new Set<string>();
  #detail = '';
  #failures = 0;
  #lastSuccessMs = 0;

  constructor(settings: SourceSettings, reader: Reader, options: SourceOptions) {
    this.#settings = settings;
    this.#reader = reader;
    this.#options = options;
  }

  get health(): SourceHealth {
    return {
      source: this.#settings.name,
      isUp: this.#detail === '' && this.#lastSuccessMs > 0,
      destinations: this.#destinations,
      skipped: this.#skippedCount,
      failures: this.#failures,
      lastSuccessMs: this.#lastSuccessMs,
    };
  }

  /** From one of the same name, whose findings stay in use until there are others. */
  takeOver(before: Source): void {
    this.#destinations = before.#destinations;
    this.#skippedCount = before.#skippedCount;
    this.#skipped = before.#skipped;
    this.#renamed = before.#renamed;
  }

  /** Looks at once, and again and again from then on. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#lookNow();
  }

  /**
   * Looks now if its files are others than when they were last read. (A server is asked at its own
   * interval: one that is slow would hold up every reload.) Resolves after that look.
   */
  async refresh(): Promise<void> {
    if (this.#looking !== undefined) return this.#looking;
    if (!this.#hasChanged()) return;
    clearTimeout(this.#timer);
    await this.#lookNow();
  }

  #hasChanged(): boolean {
    try {
      const stamp = this.#reader.stamp();
      return stamp !== undefined && stamp !== this.#read;
    } catch {
      return true;
    }
  }

  #lookNow(): Promise<void> {
    this.#looking = this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** What it said stands; nobody tells of it any more. */
  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    try {
      const before = this.#reader.stamp() ?? '';
      this.#seen = before;
      await this.#take(await this.#reader.read(this.#closed.signal));
      // Files that the file includes are known by now; what has changed meanwhile is read once more.
      const after = this.#reader.stamp() ?? '';
      this.#read = after.startsWith(before) ? after : '';
    } catch (error) {
      // It may be readable the next time, with the same stamp.
      this.#read = '';
      const isExpected = error instanceof SourceError;
      const text = isExpected ? error.message : `internal error: ${String(error)}`;
      if (!this.#closed.signal.aborted) this.#fail(text);
    }
    this.#wait(this.#settings.refreshMs);
  }

  #wait(ms: number): void {
    if (this.#closed.signal.aborted) return;
    this.#timer = setTimeout(() => {
      const pauseMs = this.#pauseMs();
      if (pauseMs === undefined) void this.#lookNow();
      else this.#wait(pauseMs);
    }, ms);
  }

  /** How long it need not be read; undefined when it has to be. */
  #pauseMs(): number | undefined {
    let stamp: string | undefined;
    try {
      stamp = this.#reader.stamp();
    } catch {
      // The look says what is wrong.
    }
    if (stamp === undefined) return undefined;
    const isSettled = stamp === this.#seen;
    this.#seen = stamp;
    if (stamp === this.#read) return this.#settings.refreshMs;
    return isSettled ? undefined : Math.min(SETTLED_MS, this.#settings.refreshMs);
  }

  async #take(look: Look): Promise<void> {
    if (this.#closed.signal.aborted) return;
    const { found, skipped, errors } = look;
    // What was skipped may be possible by now.
    const isDone = look === this.#taken && this.#skippedCount === 0;
    if (!isDone) await this.#options.onFindings({ found, skipped });
    if (this.#closed.signal.aborted) return;
    this.#taken = look;
    if (errors.length > 0) {
      this.#fail(errors.join('; '));
      return;
    }
    if (this.#detail !== '') this.#log('info', 'a source of destinations is right again', {});
    this.#detail = '';
    this.#lastSuccessMs = this.#options.now();
  }

  /** The same as before is told once. */
  #fail(detail: string): void {
    this.#failures++;
    if (detail === this.#detail) return;
    this.#detail = detail;
    const message = 'a source of destinations is wrong; what it said before stays in use';
    this.#log('error', message, { error: detail });
  }

  /** What became of its findings: how many are watched, and what is not, which is told where it is news. */
  report({ destinations, skipped, renamed }: Taken): void {
    this.#destinations = destinations;
    const first = skipped.slice(0, MAX_REMEMBERED);
    const news = first.filter((one) => !this.#skipped.has(lineOf(one)));
    this.#skippedCount = skipped.length;
    this.#skipped = new Set(first.map(lineOf));
    for (const { place, reason } of news.slice(0, MAX_LINES)) {
      this.#log('warn', 'skipped', { place, reason });
    }
    const more = news.length + skipped.length - first.length - MAX_LINES;
    if (news.length > 0 && more > 0) this.#log('warn', 'skipped more', { count: more });
    this.#reportRenamed(renamed);
  }

  /** Once for each label: every target of the source may have it. */
  #reportRenamed(renamed: Taken['renamed']): void {
    for (const [label, exposed] of renamed) {
      if (this.#renamed.has(label) || this.#renamed.size >= MAX_REMEMBERED) continue;
      this.#renamed.add(label);
      this.#log('warn', 'a label has another name in the metrics', { label, exposed });
    }
  }

  #log(level: LogLine['level'], message: string, fields: LogLine['fields']): void {
    this.#options.log({ level, message, fields: { source: this.#settings.name, ...fields } });
  }
}

function lineOf({ place, reason }: Skipped): string {
  return `${place} ${reason}`;
}
