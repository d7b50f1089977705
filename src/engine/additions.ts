/** Destinations that were added at run time, each on behalf of an owner. */

import { AdditionError, type Entry } from '../shared/additions.js';
import type { Destination } from '../shared/destination.js';
import type { LogLine } from '../shared/protocol.js';
import type { Wanted } from './intake.js';
import { Journal, readJournal } from './journal.js';
import type { Roster } from './roster.js';

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

export interface AdditionsOptions {
  readonly roster: Roster;
  /** Where they are kept; empty for nowhere. */
  readonly folder: string;
  readonly readEntry: Wanted['readEntry'];
  readonly log: (line: LogLine) => void;
  readonly now: () => Date;
}

export class Additions {
  readonly #options: AdditionsOptions;
  readonly #all = new Map<string, Addition>();
  readonly #journal: Journal | undefined;
  #readEntry: Wanted['readEntry'];

  constructor(options: AdditionsOptions) {
    const { folder } = options;
    this.#options = options;
    this.#readEntry = options.readEntry;
    const all = () => [...this.#all.values()].map((addition) => ({ op: 'add', ...addition }));
    this.#journal =
      folder === '' ? undefined : new Journal({ folder, all, count: () => this.#all.size });
  }

  /** Whether they survive a restart. */
  get areKept(): boolean {
    return this.#journal !== undefined;
  }

  /** Watches what was kept. @throws Error when the folder cannot be used. */
  async start(): Promise<void> {
    const { folder, log, now } = this.#options;
    if (this.#journal === undefined) return;
    const { records, damage } = readJournal(folder, now());
    let unknown = 0;
    for (const record of records) {
      if (isRecord(record)) this.#replay(record);
      else unknown++;
    }
    if (damage !== undefined || unknown > 0) {
      const error = damage ?? `${unknown} records are none that this version knows`;
      const fields = { error, destinations: this.#all.size };
      log({ level: 'error', message: 'what was added at run time is damaged', fields });
    }
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
  use(readEntry: Wanted['readEntry']): void {
    this.#readEntry = readEntry;
    const claims = [...this.#all.values()].flatMap((addition) => {
      try {
        return [{ owner: addition.owner, destination: this.#read(addition) }];
      } catch (error) {
        this.#skip(addition, error instanceof Error ? error.message : String(error));
        return [];
      }
    });
    for (const { claim, why } of this.#options.roster.set(RUN_TIME, claims)) {
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
    const destination = this.#readNew(entry);
    const { roster } = this.#options;
    const { name } = destination;
    const known = roster.named(name);
    const isSame = known?.destination.uri === destination.uri;
    if (isSame && known.owners.includes(owner)) return -2;
    const addition: Addition = { owner, name, entry };
    const refused = roster.add(RUN_TIME, { owner, destination });
    if (refused !== undefined) throw new AdditionError(`${name}: ${refused.why}`);
    this.#all.set(keyOf(addition), addition);
    await this.#keep({ op: 'add', ...addition }, () => {
      this.#all.delete(keyOf(addition));
      roster.remove(RUN_TIME, owner, name);
    });
    return 1;
  }

  /**
   * Lets go of those of these names that `owner` added; resolves once that is kept, with how many
   * they were.
   */
  async remove(owner: string, names: readonly string[]): Promise<number> {
    const gone = names.filter((name) => this.#all.has(keyOf({ owner, name })));
    await Promise.all(gone.map((name) => this.#removeOne({ owner, name })));
    return gone.length;
  }

  /** Lets go of all that was added, or all that `owner` added. */
  async flush(owner?: string): Promise<number> {
    const all = [...this.#all.values()].filter((one) => owner === undefined || one.owner === owner);
    await Promise.all(all.map((one) => this.#removeOne(one)));
    return all.length;
  }

  async close(): Promise<void> {
    await this.#journal?.close();
  }

  async #removeOne({ owner, name }: Pick<Addition, 'owner' | 'name'>): Promise<void> {
    const key = keyOf({ owner, name });
    const addition = this.#all.get(key);
    this.#all.delete(key);
    this.#options.roster.remove(RUN_TIME, owner, name);
    await this.#keep({ op: 'del', owner, name }, () => {
      if (addition === undefined) return;
      this.#all.set(key, addition);
      this.#options.roster.add(RUN_TIME, { owner, destination: this.#read(addition) });
    });
  }

  /** @param undo puts back what could not be kept. */
  async #keep(record: AdditionRecord, undo: () => void): Promise<void> {
    try {
      await this.#journal?.append(record);
    } catch (error) {
      undo();
      const why = error instanceof Error ? error.message : String(error);
      throw new AdditionError(`could not be written down: ${why}`, { cause: error });
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
      throw new AdditionError(why, { cause: error });
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
