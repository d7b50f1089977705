/** One source of destinations: when it is looked at, and what came of it. */

import type { Findings, Skipped } from '../shared/found.js';
import type { LogLine } from '../shared/protocol.js';
import type { SourceHealth, SourceSettings } from '../shared/sources.js';
import type { Look, Reader } from './reader.js';
import { SourceError } from './source-error.js';

/** A file that has changed is read once it stays as it is for so long: it may be half written. */
const SETTLED_MS = 1_000;
/** What is skipped is logged one by one up to so many. */
const MOST_LINES = 20;

export interface SourceOptions {
  readonly onFindings: (findings: Findings) => void;
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
  /** As it was when it was last read, and when it was last looked at. */
  #read = '';
  #seen = '';
  #taken: Look | undefined;
  #destinations = 0;
  #skipped: readonly Skipped[] = [];
  #trouble = '';
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
      isUp: this.#trouble === '' && this.#lastSuccessMs > 0,
      destinations: this.#destinations,
      skipped: this.#skipped.length,
      failures: this.#failures,
      lastSuccessMs: this.#lastSuccessMs,
    };
  }

  /** From one of the same name, whose findings stay in use until there are others. */
  takeOver(before: Source): void {
    this.#destinations = before.#destinations;
    this.#skipped = before.#skipped;
  }

  /** Looks at once, and again and again from then on. Resolves after the first look. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** What it said stands; nobody tells of it any more. */
  close(): void {
    this.#closed.abort();
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const before = this.#reader.stamp() ?? '';
    this.#seen = before;
    try {
      this.#take(await this.#reader.read(this.#closed.signal));
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
      const stamp = this.#reader.stamp();
      if (stamp === undefined) return void this.#look();
      const isSettled = stamp === this.#seen;
      this.#seen = stamp;
      if (stamp === this.#read) this.#wait(this.#settings.refreshMs);
      else if (isSettled) void this.#look();
      else this.#wait(Math.min(SETTLED_MS, this.#settings.refreshMs));
    }, ms);
  }

  #take(look: Look): void {
    if (this.#closed.signal.aborted) return;
    const { found, skipped, troubles } = look;
    // What was skipped may be possible by now.
    const isDone = look === this.#taken && this.#skipped.length === 0;
    if (!isDone) this.#options.onFindings({ found, skipped });
    this.#taken = look;
    if (troubles.length > 0) {
      this.#fail(troubles.join('; '));
      return;
    }
    if (this.#trouble !== '') this.#log('info', 'a source of destinations is right again', {});
    this.#trouble = '';
    this.#lastSuccessMs = this.#options.now();
  }

  /** The same as before is told once. */
  #fail(trouble: string): void {
    this.#failures++;
    if (trouble === this.#trouble) return;
    this.#trouble = trouble;
    const message = 'a source of destinations is wrong; what it said before stays in use';
    this.#log('error', message, { error: trouble });
  }

  /** What became of its findings: how many are watched, and what is not, which is told where it is news. */
  report(destinations: number, skipped: readonly Skipped[]): void {
    this.#destinations = destinations;
    const known = new Set(this.#skipped.map(lineOf));
    const news = skipped.filter((one) => !known.has(lineOf(one)));
    this.#skipped = skipped;
    for (const { place, reason } of news.slice(0, MOST_LINES)) {
      this.#log('warn', 'skipped', { place, reason });
    }
    const more = news.length - MOST_LINES;
    if (more > 0) this.#log('warn', 'skipped more', { count: more });
  }

  #log(level: LogLine['level'], message: string, fields: LogLine['fields']): void {
    this.#options.log({ level, message, fields: { source: this.#settings.name, ...fields } });
  }
}

function lineOf({ place, reason }: Skipped): string {
  return `${place} ${reason}`;
}
