/**
 * A file of records that are on disk before anybody is told so: appended and synced, many at a time
 * when many come at once, and written anew in one piece when it has grown much longer than what it
 * comes to.
 */

import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

const FILE = 'additions.jsonl';
const FORMAT = 'sip-keepalive-exporter additions';
const VERSION = 1;
const HEADER = `${JSON.stringify({ format: FORMAT, version: VERSION })}\n`;
/** It is written anew once it has so many lines more than twice what it comes to. */
const MOST_IDLE_LINES = 1_000;

interface Pending {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What a folder held. */
export interface Kept {
  readonly records: readonly unknown[];
  /** What was wrong, in words. The file was set aside under another name, which they tell. */
  readonly damage: string | undefined;
}

/**
 * Reads what is in `folder`, which is made if need be. What is damaged is copied aside first, and what
 * can be read of it is read.
 *
 * @param now wall clock, for the name of the copy.
 * @throws Error when the folder cannot be used.
 */
export function readJournal(folder: string, now: Date): Kept {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return { records: [], damage: undefined };
    throw error;
  }
  const { records, faults } = parse(text);
  if (faults.length === 0) return { records, damage: undefined };
  const aside = `${path}.damaged-${now.toISOString().replaceAll(':', '')}`;
  const told = `${path}: ${faults.join('; ')}`;
  try {
    copyFileSync(path, aside);
    return { records, damage: `${told}; copied to ${aside}` };
  } catch (error) {
    return { records, damage: `${told}; could not be copied aside: ${String(error)}` };
  }
}

function parse(text: string): { records: readonly unknown[]; faults: readonly string[] } {
  const [header = '', ...lines] = text.split('\n');
  const head = parsed(header);
  if (!isHeader(head)) return { records: [], faults: ['expected a header as its first line'] };
  if (head.version !== VERSION) {
    return { records: [], faults: [`expected version ${VERSION}, got ${head.version}`] };
  }
  const records: unknown[] = [];
  const faults: string[] = [];
  const last = lines.pop();
  for (const [index, line] of lines.entries()) {
    const record = parsed(line);
    if (record === undefined) faults.push(`line ${index + 2} is no record`);
    else records.push(record);
  }
  if (last !== '') faults.push('the last line was not written to its end');
  return { records, faults };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isHeader(value: unknown): value is { readonly version: unknown } {
  return (
    typeof value === 'object' && value !== null && 'format' in value && value.format === FORMAT
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

export interface JournalOptions {
  readonly folder: string;
  /** What all records so far come to, and how many that is. */
  readonly all: () => readonly unknown[];
  readonly count: () => number;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #path: string;
  readonly #pending: Pending[] = [];
  #file: FileHandle | undefined;
  /** Of the file, as far as it is known to be right. */
  #bytes = 0;
  #lines = 0;
  #writing: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = join(options.folder, FILE);
  }

  /** Writes what all records come to. @throws Error when it cannot. */
  async start(): Promise<void> {
    await this.#writeAnew();
  }

  /** Resolves once the record is on disk. Rejects when it is not, and will not be. */
  append(record: unknown): Promise<void> {
    const line = `${JSON.stringify(record)}\n`;
    return new Promise((resolve, reject) => {
      this.#pending.push({ line, resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#file?.close();
    this.#file = undefined;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0);
      try {
        await this.#write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // The last one first: what it undoes it did on top of the others.
        for (const { reject } of batch.reverse()) reject(error);
        await this.#forget();
      }
    }
    this.#writing = undefined;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const isLong = this.#lines > 2 * this.#options.count() + MOST_IDLE_LINES;
    if (this.#file === undefined || isLong) await this.#writeAnew();
    const bytes = Buffer.from(batch.map(({ line }) => line).join(''));
    if (this.#file !== undefined) await writeWhole(this.#file, bytes, this.#bytes);
    await this.#file?.datasync();
    this.#bytes += bytes.length;
    this.#lines += batch.length;
  }

  /** Half a line may be there: the next one that is written begins with the whole file. */
  async #forget(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  /** In another file, which takes the place of this one once it is on disk. */
  async #writeAnew(): Promise<void> {
    const all = this.#options.all();
    const bytes = Buffer.from(HEADER + all.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const next = await open(`${this.#path}.new`, 'w', 0o600);
    try {
      await writeWhole(next, bytes, 0);
      await next.sync();
      await rename(`${this.#path}.new`, this.#path);
      await syncFolder(this.#options.folder);
    } catch (error) {
      await next.close();
      throw error;
    }
    await this.#file?.close();
    this.#file = next;
    this.#bytes = bytes.length;
    this.#lines = all.length;
  }
}

/** A disk that is nearly full takes a part, and says so by the number alone. */
async function writeWhole(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  const { bytesWritten } = await file.write(bytes, 0, bytes.length, position);
  if (bytesWritten === bytes.length) return;
  throw new Error(`expected ${bytes.length} bytes to be written, got ${bytesWritten}`);
}

/** What a folder lists is on disk only after this. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
