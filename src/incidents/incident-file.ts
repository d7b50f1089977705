/**
 * The incidents in the state directory. Each line is an incident as JSON, and the last line with an id counts:
 * a damaged line costs only what it says. What cannot be written stays in memory, and is written later.
 */

import { Journal } from '../platform/journal.js';
import { readJournal } from '../platform/journal-reader.js';
import type { Clock } from '../shared/clock.js';
import type { LogEvent } from '../shared/log-events.js';
import type { LogLine } from '../shared/protocol.js';
import { type Incident, incidentView, readIncident } from './incident.js';

const FILE = {
  name: 'incidents.jsonl',
  format: 'sip-keepalive-exporter incidents',
  version: 1,
} as const;
/** Time from one write to the next. */
const PAUSE_MS = 1_000;
/** After a write of more lines it is longer: thousands of destinations may flap for hours. */
const MAX_LINES_PER_SECOND = 5_000;
/** Number of lines that are written at once, so that other work can run in between. */
const BATCH = 1_000;
/** The same after a write that failed. */
const RETRY_MS = 10_000;

export interface IncidentFileOptions {
  readonly directory: string;
  /** All incidents that are kept, and their number. */
  readonly all: () => readonly Incident[];
  readonly count: () => number;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class IncidentFile {
  readonly #options: IncidentFileOptions;
  readonly #changed = new Set<Incident>();
  #journal: Journal | undefined;
  /** Whether the file does not have all incidents besides those that have changed. */
  #isBehind = true;
  #hasFailed = false;
  /** When it may be written again: monotonic. */
  #dueMs = 0;
  /** Undefined unless a write is planned. */
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;

  constructor(options: IncidentFileOptions) {
    this.#options = options;
  }

  /** Reads the file and begins to write it. Whatever the directory contains, it throws nothing. */
  start(): readonly Incident[] {
    const { directory, all, count, clock } = this.#options;
    const file = { directory, ...FILE };
    try {
      const { records, corruption, isOnlyTorn } = readJournal(file);
      const read = records.map(({ value }) => readIncident(value, clock));
      const incidents = read.filter((incident) => incident !== undefined);
      const unread = read.length - incidents.length;
      // A crash during a write tears the last line: that is no reason to keep a copy of the file.
      const isCorrupt = (corruption !== undefined && !isOnlyTorn) || unread > 0;
      if (isCorrupt) this.#reportCorrupt(corruption, unread, incidents.length);
      this.#journal = new Journal({
        ...{ file, unknown: [], isCorrupt, clock, count },
        all: () => all().map((incident) => this.#record(incident)),
        onCopied: (copy) =>
          this.#log('warn', 'state_file_copied', 'copied the corrupt file of incidents', { copy }),
      });
      this.#schedule();
      return [...new Map(incidents.map((incident) => [incident.id, incident])).values()];
    } catch (error) {
      const message =
        'cannot read the file of incidents; it is left as it is, and those of this run are not stored';
      this.#log('warn', 'state_file_unreadable', message, { error: String(error) });
      return [];
    }
  }

  /** The incident has begun or ended. */
  changed(incident: Incident): void {
    this.#changed.add(incident);
    if (this.#journal !== undefined) this.#schedule();
  }

  /** The incident is not kept any more. */
  forget(incident: Incident): void {
    this.#changed.delete(incident);
  }

  /** Writes what has changed. */
  async close(): Promise<void> {
    await this.#writing;
    this.#cancelTimer?.();
    await this.#write();
    this.#cancelTimer?.();
    await this.#journal?.close();
    this.#journal = undefined;
  }

  #schedule(): void {
    if (this.#writing !== undefined || this.#cancelTimer !== undefined) return;
    const { clock } = this.#options;
    this.#cancelTimer = clock.after(Math.max(this.#dueMs - clock.now(), 0), () => {
      this.#cancelTimer = undefined;
      this.#writing = this.#write();
    });
  }

  /** Never rejects. */
  async #write(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.now();
    const changed = [...this.#changed];
    this.#changed.clear();
    this.#dueMs = startedMs + Math.max(PAUSE_MS, (changed.length / MAX_LINES_PER_SECOND) * 1000);
    try {
      await (this.#isBehind ? this.#journal?.start() : this.#append(changed));
      this.#succeeded();
    } catch (error) {
      this.#dueMs = startedMs + RETRY_MS;
      this.#failed(error);
    }
    this.#writing = undefined;
    if (this.#isBehind || this.#changed.size > 0) this.#schedule();
  }

  async #append(changed: readonly Incident[]): Promise<void> {
    for (let at = 0; at < changed.length; at += BATCH) {
      const records = changed.slice(at, at + BATCH).map((incident) => this.#record(incident));
      await this.#journal?.appendAll(records, () => {});
    }
  }

  /** Becomes text only when the journal writes it, which it does in slices. */
  #record(incident: Incident): object {
    return { toJSON: () => incidentView(incident, this.#options.clock.now()) };
  }

  #succeeded(): void {
    this.#isBehind = false;
    if (!this.#hasFailed) return;
    this.#hasFailed = false;
    const message = 'the file of incidents can be written again';
    this.#log('info', 'state_file_recovered', message, {});
  }

  #failed(error: unknown): void {
    this.#isBehind = true;
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const message = 'cannot write the file of incidents; they are kept in memory until it can';
    this.#log('warn', 'state_file_unwritable', message, { error: String(error) });
  }

  #reportCorrupt(corruption: string | undefined, unread: number, incidents: number): void {
    const unknown = unread === 0 ? [] : [`${unread} lines are no incidents of this version`];
    const error = [...(corruption === undefined ? [] : [corruption]), ...unknown].join('; ');
    const message = 'the file of incidents is corrupt; those that could be read are kept';
    this.#log('warn', 'state_file_corrupt', message, { error, incidents });
  }

  #log(level: LogLine['level'], event: LogEvent, message: string, fields: LogLine['fields']): void {
    this.#options.log({ level, event, message, fields });
  }
}
