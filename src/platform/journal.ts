/**
 * A file of records. Each record is on disk before it is acknowledged. Records are appended and synced, in
 * batches if many arrive at once. When most records of the file are obsolete, a compacted file replaces it.
 */

import { randomBytes } from 'node:crypto';
import { constants, readdirSync, unlinkSync } from 'node:fs';
import { copyFile, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { Clock } from '../shared/clock.js';
import { headerOf, type JournalFile } from './journal-reader.js';

/** The file is compacted when it has this many more lines than twice the number of current records. */
const MAX_SURPLUS_LINES = 1_000;
/** Number of records that are turned into text before other work may run. */
const BATCH = 1_000;
/** The end of the name of a new file that was not complete when the process was killed. */
const LEFTOVER = /^\.new(?:-[0-9a-f]{16})?$/;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** Flags that never write through a link or into a file that another user has created. */
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

interface Pending {
  readonly lines: readonly string[];
  readonly apply: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface JournalOptions {
  readonly file: JournalFile;
  /** Lines to keep unchanged: records that this version does not know. */
  readonly unknown: readonly string[];
  /** The current records besides those, and their number. */
  readonly all: () => readonly unknown[];
  readonly count: () => number;
  /** Whether the file is corrupt or of a later version: then it is copied before it is replaced. */
  readonly isCorrupt: boolean;
  /** For the name of the copy. */
  readonly clock: Clock;
  /** Called with the path of the copy. */
  readonly onCopied?: (path: string) => void;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #path: string;
  readonly #pending: Pending[] = [];
  #file: FileHandle | undefined;
  #mustCopy: boolean;
  /** Length of the valid part of the file. */
  #bytes = 0;
  #lines = 0;
  #writing: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = join(options.file.directory, options.file.name);
    this.#mustCopy = options.isCorrupt;
  }

  /** Writes the current records. @throws Error when it fails; the next append tries again. */
  async start(): Promise<void> {
    const { directory, name } = this.#options.file;
    for (const one of readdirSync(directory)) {
      const isLeftover = one.startsWith(name) && LEFTOVER.test(one.slice(name.length));
      if (isLeftover) unlinkSync(join(directory, one));
    }
    await this.#replace();
  }

  /**
   * Resolves when the record is on disk. Rejects when it could not be written.
   *
   * @param apply called when the record is on disk, before anything else is written. After that, `all` must
   *   contain it.
   */
  append(record: unknown, apply: () => void): Promise<void> {
    return this.appendAll([record], apply);
  }

  /** Does the same with several records. They are written together. */
  appendAll(records: readonly unknown[], apply: () => void): Promise<void> {
    const lines = records.map((record) => `${JSON.stringify(record)}\n`);
    return new Promise((resolve, reject) => {
      this.#pending.push({ lines, apply, resolve, reject });
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
      } catch (error) {
        for (const { reject } of batch) reject(error);
        await this.#abandonFile();
        continue;
      }
      for (const { apply, resolve, reject } of batch) {
        try {
          apply();
          resolve();
        } catch (error) {
          reject(error);
        }
      }
    }
    this.#writing = undefined;
  }

  async #write(batch: readonly Pending[]): Promise<void> {
    const { count, unknown } = this.#options;
    const isLong = this.#lines > 2 * (count() + unknown.length) + MAX_SURPLUS_LINES;
    if (this.#file === undefined || isLong) await this.#replace();
    const lines = batch.flatMap((pending) => pending.lines);
    const bytes = Buffer.from(lines.join(''));
    if (this.#file !== undefined) await writeAllBytes(this.#file, bytes, this.#bytes);
    await this.#file?.datasync();
    this.#bytes += bytes.length;
    this.#lines += lines.length;
  }

  /** Closes a file that may end in an incomplete line; the next write replaces it. */
  async #abandonFile(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = undefined;
  }

  /** Writes a new file, which replaces the current one when it is on disk. */
  async #replace(): Promise<void> {
    await this.#copyCorrupt();
    const { file, unknown, all } = this.#options;
    const lines = [...unknown];
    for (const [count, record] of all().entries()) {
      if (count % BATCH === BATCH - 1) await nextRound();
      lines.push(JSON.stringify(record));
    }
    const bytes = Buffer.from(headerOf(file) + lines.map((line) => `${line}\n`).join(''));
    const path = `${this.#path}.new-${randomBytes(8).toString('hex')}`;
    const next = await open(path, NEW_FILE, 0o600);
    try {
      await writeAllBytes(next, bytes, 0);
      await next.sync();
      await rename(path, this.#path);
      await syncDirectory(file.directory);
    } catch (error) {
      await next.close();
      await unlink(path).catch(() => {});
      throw error;
    }
    await this.#file?.close();
    this.#file = next;
    this.#bytes = bytes.length;
    this.#lines = lines.length;
  }

  /** Copies a corrupt file before it is replaced. */
  async #copyCorrupt(): Promise<void> {
    if (!this.#mustCopy) return;
    const { file, clock, onCopied } = this.#options;
    const time = new Date(clock.epoch()).toISOString().replaceAll(':', '');
    const path = `${this.#path}.corrupt-${time}-${randomBytes(4).toString('hex')}`;
    try {
      await copyFile(this.#path, path, constants.COPYFILE_EXCL);
      const copy = await open(path, 'r');
      await copy.sync().finally(() => copy.close());
      await syncDirectory(file.directory);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`the corrupt state file cannot be copied: ${reason}`, { cause: error });
    }
    this.#mustCopy = false;
    onCopied?.(path);
  }
}

/** Writes all bytes. On a nearly full disk `write` may store only a part, without an error. */
async function writeAllBytes(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  const { bytesWritten } = await file.write(bytes, 0, bytes.length, position);
  if (bytesWritten === bytes.length) return;
  throw new Error(`expected ${bytes.length} bytes to be written, got ${bytesWritten}`);
}

/** Syncs a directory: a created or renamed file is on disk only after that. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
