/**
 * The pinger's debug lines: SIP messages, DNS queries, connections. What one turn of the event loop
 * brings crosses to the main thread in one message, and no second brings more lines than the main
 * thread can write.
 */

import type { DebugSettings, LogLine } from '../../shared/protocol.js';

/** Lines in a second; further ones are dropped and counted. */
const MAX_LINES_PER_SECOND = 10_000;
/** Characters of whole messages in a second, at the trace level. */
const MAX_CHARACTERS_PER_SECOND = 8 << 20;

/** Whose pings a line is about. */
export interface DebugSubject {
  readonly name: string;
  /** Canonical. */
  readonly uri: string;
}

export interface DebugLogOptions {
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Calls back at the end of this turn of the event loop. */
  readonly afterReads: (callback: () => void) => void;
  readonly post: (lines: readonly LogLine[]) => void;
}

export class DebugLog {
  readonly #options: DebugLogOptions;
  #isOn = false;
  #isTrace = false;
  /** Names and canonical URIs; undefined for all destinations. */
  #destinations: ReadonlySet<string> | undefined;
  /** Hosts that destinations with debug lines are looked up by. */
  readonly #hosts = new Set<string>();
  #lines: LogLine[] = [];
  #written = 0;
  #dropped = 0;
  #secondStartMs = Number.NEGATIVE_INFINITY;
  #linesLeft = 0;
  #charactersLeft = 0;

  constructor(options: DebugLogOptions) {
    this.#options = options;
  }

  /** Some lines are written. The only check that a message costs while none are. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Lines are written for everything, also for what belongs to no destination. */
  get isForAll(): boolean {
    return this.#isOn && this.#destinations === undefined;
  }

  /** Lines have the whole text of messages. */
  get isTrace(): boolean {
    return this.#isTrace;
  }

  /** Lines so far, dropped ones included. */
  get written(): number {
    return this.#written;
  }

  /** Applies new settings; {@link addHost} follows for each destination. */
  configure({ level, destinations }: DebugSettings): void {
    this.#isOn = level !== undefined;
    this.#isTrace = level === 'trace';
    this.#destinations = destinations.length === 0 ? undefined : new Set(destinations);
    this.#hosts.clear();
  }

  /** The destination is looked up by this host. */
  addHost(subject: DebugSubject, host: string): void {
    if (this.#destinations !== undefined && this.covers(subject)) this.#hosts.add(host);
  }

  /** Whether lines are written for this destination. */
  covers(subject: DebugSubject | undefined): boolean {
    if (!this.#isOn || this.#destinations === undefined) return this.#isOn;
    if (subject === undefined) return false;
    return this.#destinations.has(subject.name) || this.#destinations.has(subject.uri);
  }

  /** Whether lines are written for look-ups of this host. */
  coversHost(host: string): boolean {
    return this.#isOn && (this.#destinations === undefined || this.#hosts.has(host));
  }

  /** For callers that have checked that it is covered. */
  write(line: LogLine): void {
    this.#written++;
    this.#startSecond();
    this.#charactersLeft -= String(line.fields['content'] ?? '').length;
    if (this.#linesLeft <= 0 || this.#charactersLeft < 0) {
      this.#dropped++;
      return;
    }
    this.#linesLeft--;
    this.#add(line);
  }

  #startSecond(): void {
    const now = this.#options.now();
    if (now - this.#secondStartMs < 1000) return;
    this.#secondStartMs = now;
    this.#linesLeft = MAX_LINES_PER_SECOND;
    this.#charactersLeft = MAX_CHARACTERS_PER_SECOND;
    if (this.#dropped === 0) return;
    const lines = this.#dropped;
    this.#dropped = 0;
    this.#add({
      level: 'warn',
      event: 'debug_lines_dropped',
      message: 'too many debug lines in a second; some are dropped. Set log.destination',
      fields: { lines },
    });
  }

  #add(line: LogLine): void {
    this.#lines.push(line);
    if (this.#lines.length > 1) return;
    this.#options.afterReads(() => {
      const lines = this.#lines;
      this.#lines = [];
      this.#options.post(lines);
    });
  }
}
