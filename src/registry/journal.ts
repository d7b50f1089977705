/**
 * A file of records that are on disk before anybody is told so: appended and synced, many at a time
 * when many come at once, and written anew in one piece when it has grown much longer than what it
 * comes to.
 */

import { randomBytes } from 'node:crypto';
import { constants, readdirSync, unlinkSync } from 'node:fs';
import { copyFile, type FileHandle, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { JOURNAL_FILE, JOURNAL_HEADER } from './journal-reader.js';

/** It is written anew once it has so many lines more than twice what it comes to. */
const MAX_IDLE_SOCKETS = 1_000;
/** What a crash leaves of a file that was being written. */
const LEFTOVER = /^additions\.jsonl\.new(?:-[0-9a-f]{16})?$/;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;
/** Somebody else could have put a link or a file of that name there: neither is written through. */
const NEW_FILE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;

interface Pending {
  readonly line: string;
  readonly onKept: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface JournalOptions {
  readonly folder: string;
  /** Lines that belong into the file as they were read: records that this version does not know. */
  readonly unknown: readonly string[];
  /** What all other records so far come to, and how many that is. */
  readonly all: () => readonly unknown[];
  readonly count: () => number;
  /** The file is damaged, or of a later version: it is copied aside before it is replaced. */
  readonly isDamaged: boolean;
  /** Wall clock, for the name of the copy. */
  readonly now: () => Date;
  /** The damaged file was copied to this path. */
  readonly onSetAside?: (path: string) => void;
}

export class Journal {
  readonly #options: JournalOptions;
  readonly #path: string;
  readonly #pending: Pending[] = [];
  #file: FileHandle | undefined;
  #mustSetAside: boolean;
  /** Of the file, as far as it is known to be right. */
  #bytes = 0;
  #lines = 0;
  #writing: Promise<void> | undefined;

  constructor(options: JournalOptions) {
    this.#options = options;
    this.#path = join(options.folder, JOURNAL_FILE);
    this.#mustSetAside = options.isDamaged;
  }

  /** Writes what all records come to. @throws Error when it cannot; an append tries again. */
  async start(): Promise<void> {
    for (const name of readdirSync(this.#options.folder)) {
      if (LEFTOVER.test(name)) unlinkSync(join(this.#options.folder, name));
    }
    await this.#writeAnew();
  }

  /**
   * Resolves once the record is on disk. Rejects when it is not, and will not be.
   *
   * @param onKept called once it is on disk, before anything else is written: from then on `all`
   *   contains it.
   */
  append(record: unknown, onKept: () => void): Promise<void> {
    const line = `${JSON.stringify(record)}\n`;
    return new Promise((resolve, reject) => {
      this.#pending.push({ line, onKept, resolve, reject });
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
        await this.#forget();
        continue;
      }
      for (const { onKept, resolve, reject } of batch) {
        try {
          onKept();
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
    const isLong = this.#lines > 2 * (count() + unknown.length) + MAX_IDLE_SOCKETS;
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
    await this.#setAside();
    const { folder, unknown, all } = this.#options;
    const lines = [...unknown, ...all().map((record) => JSON.stringify(record))];
    const bytes = Buffer.from(JOURNAL_HEADER + lines.map((line) => `${line}\n`).join(''));
    const path = `${this.#path}.new-${randomBytes(8).toString('hex')}`;
    const next = await open(path, NEW_FILE, 0o600);
    try {
      await writeWhole(next, bytes, 0);
      await next.sync();
      await rename(path, this.#path);
      await syncFolder(folder);
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

  /** What cannot be copied aside is not replaced. */
  async #setAside(): Promise<void> {
    if (!this.#mustSetAside) return;
    const { folder, now, onSetAside } = this.#options;
    const suffix = `${now().toISOString().replaceAll(':', '')}-${randomBytes(4).toString('hex')}`;
    const path = `${this.#path}.damaged-${suffix}`;
    try {
      await copyFile(this.#path, path, constants.COPYFILE_EXCL);
      const copy = await open(path, 'r');
      await copy.sync().finally(() => copy.close());
      await syncFolder(folder);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the damaged file cannot be copied aside: ${why}`, { cause: error });
    }
    this.#mustSetAside = false;
    onSetAside?.(path);
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
