/** The files that settings name (certificates, keys, passwords), which are read again when they change. */

import { readFileSync } from 'node:fs';
import { type Clock, every } from '../shared/clock.js';
import { decode, decodeUtf8 } from '../shared/text.js';
import { fileStamp } from './file-stamp.js';

/** Interval of checks for changes. */
const POLL_INTERVAL_MS = 5_000;

export class FilesError extends Error {
  override readonly name = 'FilesError';
  /** The file that cannot be read. */
  readonly path: string;

  constructor(path: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause);
    super(`${path}: expected a readable file, got ${why}`, { cause });
    this.path = path;
  }
}

/** Contents of files by path. */
export type Contents = ReadonlyMap<string, string>;

export class WatchedFiles {
  readonly #check: (contents: Contents) => void;
  readonly #optional: ReadonlySet<string>;
  readonly #stamps = new Map<string, string>();
  /** Contents at the last read. */
  readonly #latest = new Map<string, string>();
  /** Contents that `check` last accepted. */
  #accepted: Contents;
  #stopPolling = () => {};

  /**
   * @param optional files that may be missing, now or later.
   * @param check throws when the contents are invalid.
   * @throws FilesError with the first other file that cannot be read; the error of `check`.
   */
  constructor(
    paths: Iterable<string>,
    optional: readonly string[],
    check: (contents: Contents) => void,
  ) {
    this.#check = check;
    this.#optional = new Set(optional);
    for (const path of new Set(paths)) this.#read(path);
    for (const path of optional) if (path !== '') this.#readIfPresent(path);
    check(this.#latest);
    this.#accepted = new Map(this.#latest);
  }

  /** The last contents that `check` accepted. */
  contents(): Contents {
    return this.#accepted;
  }

  /** Starts to check the files, and calls `onChange` when their contents have changed. */
  watch(
    clock: Pick<Clock, 'after'>,
    onChange: () => void,
    onError: (error: unknown) => void,
  ): void {
    if (this.#stamps.size === 0) return;
    this.#stopPolling();
    this.#stopPolling = every(clock, POLL_INTERVAL_MS, () => {
      try {
        if (!this.#readChanged(onError)) return;
        this.#check(this.#latest);
        this.#accepted = new Map(this.#latest);
        onChange();
      } catch (error) {
        onError(error);
      }
    });
  }

  close(): void {
    this.#stopPolling();
  }

  #readChanged(onError: (error: unknown) => void): boolean {
    let isChanged = false;
    for (const [path, stamp] of this.#stamps) {
      if (fileStamp(path).text === stamp) continue;
      try {
        this.#read(path);
        isChanged = true;
      } catch (error) {
        onError(error);
      }
    }
    return isChanged;
  }

  #readIfPresent(path: string): void {
    try {
      this.#read(path);
    } catch (error) {
      if (!(error instanceof FilesError)) throw error;
    }
  }

  #read(path: string): void {
    // The stamp is taken first, so that a change during the read is detected at the next check.
    this.#stamps.set(path, fileStamp(path).text);
    try {
      const bytes = readFileSync(path);
      // System files, such as the hosts file, may have comments in any encoding.
      this.#latest.set(path, this.#optional.has(path) ? decode(bytes) : decodeUtf8(bytes));
    } catch (error) {
      throw new FilesError(path, error);
    }
  }
}
