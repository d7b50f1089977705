/** Destinations that owners add at run time. */

import { Journal } from '../platform/journal.js';
import { type ReadRecord, readJournal } from '../platform/journal-reader.js';
import type { Clock } from '../shared/clock.js';
import type { Destination } from '../shared/destination.js';
import type { LogEvent } from '../shared/log-events.js';
import type { LogLine } from '../shared/protocol.js';
import type { DestinationRegistry } from './registry.js';
import {
  type DestinationEntry,
  isJournalRecord,
  type JournalRecord,
  keyOf,
  type ReadEntry,
  RUNTIME_FILE,
  type RuntimeDestination,
  RuntimeDestinationError,
  type RuntimeDestinationId,
} from './runtime-destination.js';

/** The source of these claims. */
const RUN_TIME = 'run time';

export interface RuntimeDestinationsOptions {
  readonly registry: DestinationRegistry;
  /** The state directory; empty for none. */
  readonly directory: string;
  readonly readEntry: ReadEntry;
  readonly log: (line: LogLine) => void;
  readonly clock: Clock;
}

export class RuntimeDestinations {
  readonly #options: RuntimeDestinationsOptions;
  readonly #all = new Map<string, RuntimeDestination>();
  /** By name: the last change in the queue of changes to that name. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #journal: Journal | undefined;
  #readEntry: ReadEntry;
  /** Number of new destinations that are being written to disk and will need a row of the ledger. */
  #reserved = 0;

  constructor(options: RuntimeDestinationsOptions) {
    this.#options = options;
    this.#readEntry = options.readEntry;
  }

  /** Whether they survive a restart. */
  get arePersistent(): boolean {
    return this.#options.directory !== '';
  }

  /** Monitors the destinations of the journal. @throws StateDirectoryError when the directory cannot be used. */
  async start(): Promise<void> {
    const { directory, clock } = this.#options;
    if (directory === '') return;
    const file = { directory, ...RUNTIME_FILE };
    const { records, corruption, exposure } = readJournal(file);
    const unknown = this.#replay(records);
    if (exposure !== undefined) {
      this.#log('warn', 'state_dir_exposed', 'other users can change the content of state_dir', {
        exposure,
      });
    }
    if (corruption !== undefined) {
      const message = 'state file is corrupt; monitoring the destinations that could be read';
      const fields = { error: corruption, destinations: this.#all.size };
      this.#log('error', 'state_file_corrupt', message, fields);
    }
    if (unknown.length > 0) {
      const message = 'state file has records that this version does not know; keeping them';
      this.#log('warn', 'state_records_unknown', message, { records: unknown.length });
    }
    this.#journal = new Journal({
      ...{ file, unknown, clock, isCorrupt: corruption !== undefined },
      all: () => [...this.#all.values()].map((destination) => ({ op: 'add', ...destination })),
      count: () => this.#all.size,
      onCopied: (copy) =>
        this.#log('warn', 'state_file_copied', 'copied the corrupt state file', { copy }),
    });
    await this.#startJournal(this.#journal);
    this.use(this.#readEntry);
  }

  async #startJournal(journal: Journal): Promise<void> {
    try {
      await journal.start();
    } catch (error) {
      // The destinations that were read are monitored. Each addition tries to write again.
      const message = 'cannot write the state file; refusing additions at run time until it can';
      this.#log('error', 'state_file_unwritable', message, { error: String(error) });
    }
  }

  /** Reads all entries again with `readEntry`, and further ones too. */
  use(readEntry: ReadEntry): void {
    this.#readEntry = readEntry;
    const claims = [...this.#all.values()].flatMap((one) => {
      try {
        return [{ owner: one.owner, destination: this.#read(one) }];
      } catch (error) {
        this.#logSkipped(one, reasonOf(error));
        return [];
      }
    });
    for (const { claim, reason } of this.#options.registry.set(RUN_TIME, claims)) {
      this.#logSkipped({ owner: claim.owner, name: claim.destination.name }, reason);
    }
  }

  /**
   * Adds a destination. Resolves when it is on disk and monitored: with 1 when it was added, with -2 when
   * the owner already has it (Kamailio's codes).
   *
   * @throws RuntimeDestinationError when it cannot be added.
   */
  async add(owner: string, entry: DestinationEntry): Promise<1 | -2> {
    const { name } = this.#readNew(entry);
    return this.#enqueue(name, () => this.#checkAndAdd({ owner, name, entry }));
  }

  /** Removes the destinations with these names that `owner` added. Resolves with their number when that is on disk. */
  async remove(owner: string, names: readonly string[]): Promise<number> {
    return this.#removeAll(names.map((name) => ({ owner, name })));
  }

  /** Removes all destinations, or all that `owner` added. */
  async flush(owner?: string): Promise<number> {
    const all = [...this.#all.values()].filter((one) => owner === undefined || one.owner === owner);
    return this.#removeAll(all);
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  /** Runs changes of one name one after the other; changes of different names may share a write. */
  async #enqueue<T>(name: string, change: () => Promise<T>): Promise<T> {
    const last = (this.#queues.get(name) ?? Promise.resolve()).then(change, change);
    this.#queues.set(name, last);
    try {
      return await last;
    } finally {
      if (this.#queues.get(name) === last) this.#queues.delete(name);
    }
  }

  /** Checks, appends to the journal, applies. */
  async #checkAndAdd(added: RuntimeDestination): Promise<1 | -2> {
    const { registry } = this.#options;
    const { owner, name, entry } = added;
    const claim = { owner, destination: this.#readNew({ ...entry, name }) };
    const acceptance = registry.wouldAccept(claim, this.#reserved);
    if (acceptance.kind === 'held') return -2;
    if (acceptance.kind === 'refused') throw failure(name, acceptance.reason);
    const takesRow = registry.named(name) === undefined;
    let refusal: string | undefined;
    if (takesRow) this.#reserved++;
    try {
      await this.#write({ op: 'add', ...added }, () => {
        this.#all.set(keyOf(added), added);
        refusal = this.#apply(added);
      });
    } finally {
      if (takesRow) this.#reserved--;
    }
    if (refusal === undefined) return 1;
    // During the write, a source took the name or the last row, or a reload changed the settings.
    throw failure(name, `stored, but not monitored until this is solved: ${refusal}`);
  }

  /** Monitors a destination. Returns why it cannot be monitored; undefined when it is. */
  #apply(added: RuntimeDestination): string | undefined {
    try {
      const claim = { owner: added.owner, destination: this.#read(added) };
      return this.#options.registry.add(RUN_TIME, claim)?.reason;
    } catch (error) {
      return reasonOf(error);
    }
  }

  async #removeAll(all: readonly RuntimeDestinationId[]): Promise<number> {
    const known = all.filter((one) => this.#all.has(keyOf(one)));
    const removed = await Promise.all(
      known.map((one) => this.#enqueue(one.name, () => this.#removeOne(one))),
    );
    return removed.filter(Boolean).length;
  }

  /** Returns false when it was removed meanwhile. */
  async #removeOne({ owner, name }: RuntimeDestinationId): Promise<boolean> {
    const key = keyOf({ owner, name });
    if (!this.#all.has(key)) return false;
    await this.#write({ op: 'del', owner, name }, () => {
      this.#all.delete(key);
      this.#options.registry.remove(RUN_TIME, owner, name);
    });
    return true;
  }

  /** @param apply called when the record is on disk, but not when it cannot be written. */
  async #write(record: JournalRecord, apply: () => void): Promise<void> {
    if (this.#journal === undefined) {
      apply();
      return;
    }
    try {
      await this.#journal.append(record, apply);
    } catch (error) {
      const reason = `cannot write the state file: ${reasonOf(error)}`;
      throw new RuntimeDestinationError(reason, { cause: error });
    }
  }

  /** Returns the lines of the records that this version does not know. */
  #replay(records: readonly ReadRecord[]): readonly string[] {
    const unknown: string[] = [];
    for (const { value, line } of records) {
      if (!isJournalRecord(value)) unknown.push(line);
      else if (value.op === 'del') this.#all.delete(keyOf(value));
      else {
        const { owner, name, entry } = value;
        this.#all.set(keyOf(value), { owner, name, entry });
      }
    }
    return unknown;
  }

  #read({ entry, name }: RuntimeDestination): Destination {
    return this.#readEntry({ ...entry, name });
  }

  #readNew(entry: DestinationEntry): Destination {
    try {
      return this.#readEntry(entry);
    } catch (error) {
      const reason = reasonOf(error).replaceAll('\n', '; ');
      throw new RuntimeDestinationError(reason, { cause: error });
    }
  }

  #logSkipped({ owner, name }: RuntimeDestinationId, error: string): void {
    const message = 'destination added at run time is not monitored; it stays stored';
    this.#log('error', 'runtime_destination_skipped', message, { owner, destination: name, error });
  }

  #log(level: LogLine['level'], event: LogEvent, message: string, fields: LogLine['fields']): void {
    this.#options.log({ level, event, message, fields });
  }
}

function failure(name: string, reason: string): RuntimeDestinationError {
  return new RuntimeDestinationError(`${name}: ${reason}`);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
