/**
 * The pinger's debug lines: SIP messages, DNS queries, connections. The lines of one turn of the event
 * loop are sent to the main thread in one message, and their rate is limited to what the main thread can
 * write.
 */

import type { DebugSettings, LogLine } from '../../shared/protocol.js';

/** Further lines in a second are dropped and counted. */
const MAX_LINES_PER_SECOND = 10_000;
/** Characters of SIP messages per second, at the trace level. */
const MAX_CHARACTERS_PER_SECOND = 8 << 20;

/** The destination that a line is about. */
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
  /** Hosts of destinations with debug lines, as they are resolved. */
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

  /** Whether any lines are written. The only check per message while debug lines are off. */
  get isOn(): boolean {
    return this.#isOn;
  }

  /** Whether lines are written for everything, including messages that belong to no destination. */
  get isForAll(): boolean {
    return this.#isOn && this.#destinations === undefined;
  }

  /** Whether lines contain the whole text of messages. */
  get isTrace(): boolean {
    return this.#isTrace;
  }

  /** Number of lines so far, including dropped ones. */
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

  /** Adds the host that the destination is resolved by. */
  addHost(subject: DebugSubject, host: string): void {
    if (this.#destinations !== undefined && this.covers(subject)) this.#hosts.add(host);
  }

  /** Whether lines are written for this destination. */
  covers(subject: DebugSubject | undefined): boolean {
    if (!this.#isOn || this.#destinations === undefined) return this.#isOn;
    if (subject === undefined) return false;
    return this.#destinations.has(subject.name) || this.#destinations.has(subject.uri);
  }

  /** Whether lines are written for DNS lookups of this host. */
  coversHost(host: string): boolean {
    return this.#isOn && (this.#destinations === undefined || this.#hosts.has(host));
  }

  /** Writes a line. The caller has checked that it is covered. */
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
