/** Destinations that were added at run time, each on behalf of an owner. */

import type { Destination } from '../shared/destination.js';
import type { LogLine } from '../shared/protocol.js';
import { type Entry, type ReadEntry, RuntimeDestinationError } from './entry.js';
import { Journal } from './journal.js';
import { readJournal } from './journal-reader.js';
import type { DestinationRegistry } from './registry.js';

/** The source of these claims. */
const RUN_TIME = 'run time';

interface Addition {
  readonly owner: string;
  /** That it has whatever becomes of the settings that it follows from. */
  readonly name: string;
  readonly entry: Entry;
}

type AdditionRecord =
  | ({ readonly op: 'add' } & Addition)
  | { readonly op: 'del'; readonly owner: string; readonly name: string };

export interface RuntimeDestinationsOptions {
  readonly registry: DestinationRegistry;
  /** Where they are kept; empty for nowhere. */
  readonly folder: string;
  readonly readEntry: ReadEntry;
  readonly log: (line: LogLine) => void;
  readonly now: () => Date;
}

export class RuntimeDestinations {
  readonly #options: RuntimeDestinationsOptions;
  readonly #all = new Map<string, Addition>();
  /** By name: the change under way, which the next one of that name waits for. */
  readonly #turns = new Map<string, Promise<unknown>>();
  #journal: Journal | undefined;
  #readEntry: ReadEntry;
  /** Destinations that are being written down, and are to have a row then. */
  #reserved = 0;

  constructor(options: RuntimeDestinationsOptions) {
    this.#options = options;
    this.#readEntry = options.readEntry;
  }

  /** Whether they survive a restart. */
  get areKept(): boolean {
    return this.#options.folder !== '';
  }

  /** Watches what was kept. @throws StateFolderError when the folder cannot be used. */
  async start(): Promise<void> {
    const { folder, log, now } = this.#options;
    if (folder === '') return;
    const { records, damage, exposure } = readJournal(folder);
    const unknown: string[] = [];
    for (const { value, line } of records) {
      if (isRecord(value)) this.#replay(value);
      else unknown.push(line);
    }
    if (exposure !== undefined) {
      log({
        level: 'warn',
        message: 'others may change what state_dir holds',
        fields: { exposure },
      });
    }
    if (damage !== undefined) {
      const fields = { error: damage, destinations: this.#all.size };
      log({ level: 'error', message: 'what was added at run time is damaged', fields });
    }
    if (unknown.length > 0) {
      const message = 'records that this version does not know are kept as they are';
      log({ level: 'warn', message, fields: { records: unknown.length } });
    }
    this.#journal = new Journal({
      ...{ folder, unknown, now, isDamaged: damage !== undefined },
      all: () => [...this.#all.values()].map((addition) => ({ op: 'add', ...addition })),
      count: () => this.#all.size,
      onSetAside: (copy) =>
        log({ level: 'warn', message: 'the damaged file was copied aside', fields: { copy } }),
    });
    try {
      await this.#journal.start();
    } catch (error) {
      // What is there is read, and watched; the next addition tries again, and is refused if it fails.
      const fields = { error: String(error) };
      log({ level: 'error', message: 'what is added at run time cannot be written down', fields });
    }
    this.use(this.#readEntry);
  }

  /** Entries are read in this way from now on. */
  use(readEntry: ReadEntry): void {
    this.#readEntry = readEntry;
    const claims = [...this.#all.values()].flatMap((addition) => {
      try {
        return [{ owner: addition.owner, destination: this.#read(addition) }];
      } catch (error) {
        this.#skip(addition, error instanceof Error ? error.message : String(error));
        return [];
      }
    });
    for (const { claim, why } of this.#options.registry.set(RUN_TIME, claims)) {
      this.#skip({ owner: claim.owner, name: claim.destination.name }, why);
    }
  }

  /**
   * Watches one more, and resolves once that is kept: 1 when it was added, -2 when the owner has it
   * already (Kamailio's codes).
   *
   * @throws AdditionError when it cannot be.
   */
  async add(owner: string, entry: Entry): Promise<1 | -2> {
    const { name } = this.#readNew(entry);
    return this.#inTurn(name, () => this.#addOne({ owner, name, entry }));
  }

  /**
   * Lets go of those of these names that `owner` added; resolves once that is kept, with how many
   * they were.
   */
  async remove(owner: string, names: readonly string[]): Promise<number> {
    return this.#removeAll(names.map((name) => ({ owner, name })));
  }

  /** Lets go of all that was added, or all that `owner` added. */
  async flush(owner?: string): Promise<number> {
    const all = [...this.#all.values()].filter((one) => owner === undefined || one.owner === owner);
    return this.#removeAll(all);
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  /** Changes of one name come one after the other; those of different names may share a write. */
  async #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(name) ?? Promise.resolve()).then(change, change);
    this.#turns.set(name, turn);
    try {
      return await turn;
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name);
    }
  }

  /** Checks, writes down, and then watches. */
  async #addOne(addition: Addition): Promise<1 | -2> {
    const { registry } = this.#options;
    const { owner, name, entry } = addition;
    const claim = { owner, destination: this.#readNew({ ...entry, name }) };
    if (registry.isHeld(claim)) return -2;
    const isNew = registry.named(name) === undefined;
    const why = registry.whyRefused(claim, this.#reserved);
    if (why !== undefined) throw new RuntimeDestinationError(`${name}: ${why}`);
    let refused: string | undefined;
    if (isNew) this.#reserved++;
    try {
      await this.#keep({ op: 'add', ...addition }, () => {
        this.#all.set(keyOf(addition), addition);
        refused = this.#watch(addition);
      });
    } finally {
      if (isNew) this.#reserved--;
    }
    if (refused === undefined) return 1;
    // A source of destinations took the name, or the last row, while this was being written down.
    await this.#keep({ op: 'del', owner, name }, () => this.#all.delete(keyOf(addition)));
    throw new RuntimeDestinationError(`${name}: ${refused}`);
  }

  /** Why it cannot be watched; undefined when it is. */
  #watch(addition: Addition): string | undefined {
    try {
      const claim = { owner: addition.owner, destination: this.#read(addition) };
      return this.#options.registry.add(RUN_TIME, claim)?.why;
    } catch (error) {
      // The settings have changed meanwhile, and it no longer fits them.
      return error instanceof Error ? error.message : String(error);
    }
  }

  async #removeAll(all: readonly Pick<Addition, 'owner' | 'name'>[]): Promise<number> {
    const known = all.filter((one) => this.#all.has(keyOf(one)));
    const removed = await Promise.all(
      known.map((one) => this.#inTurn(one.name, () => this.#removeOne(one))),
    );
    return removed.filter(Boolean).length;
  }

  /** False when somebody else has removed it meanwhile. */
  async #removeOne({ owner, name }: Pick<Addition, 'owner' | 'name'>): Promise<boolean> {
    const key = keyOf({ owner, name });
    if (!this.#all.has(key)) return false;
    await this.#keep({ op: 'del', owner, name }, () => {
      this.#all.delete(key);
      this.#options.registry.remove(RUN_TIME, owner, name);
    });
    return true;
  }

  /** @param apply called once the record is kept, and never when it is not. */
  async #keep(record: AdditionRecord, apply: () => void): Promise<void> {
    if (this.#journal === undefined) {
      apply();
      return;
    }
    try {
      await this.#journal.append(record, apply);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new RuntimeDestinationError(`could not be written down: ${why}`, { cause: error });
    }
  }

  #replay(record: AdditionRecord): void {
    if (record.op === 'del') this.#all.delete(keyOf(record));
    else
      this.#all.set(keyOf(record), { owner: record.owner, name: record.name, entry: record.entry });
  }

  #read({ entry, name }: Addition): Destination {
    return this.#readEntry({ ...entry, name });
  }

  #readNew(entry: Entry): Destination {
    try {
      return this.#readEntry(entry);
    } catch (error) {
      const why = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error);
      throw new RuntimeDestinationError(why, { cause: error });
    }
  }

  #skip({ owner, name }: Pick<Addition, 'owner' | 'name'>, error: string): void {
    const fields = { owner, destination: name, error };
    this.#options.log({
      level: 'error',
      message: 'what was added at run time is not watched; it is kept',
      fields,
    });
  }
}

function keyOf({ owner, name }: { readonly owner: string; readonly name: string }): string {
  return `${owner}\n${name}`;
}

function isRecord(value: unknown): value is AdditionRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { op, owner, name, entry } = Object.fromEntries(Object.entries(value));
  if (typeof owner !== 'string' || typeof name !== 'string') return false;
  return op === 'del' || (op === 'add' && typeof entry === 'object' && entry !== null);
}
