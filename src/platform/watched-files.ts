/** The files that settings name (certificates, keys, passwords), read again when they change. */

import { readFileSync } from 'node:fs';
import { decode, decodeUtf8 } from '../shared/text.js';
import { fileStamp } from './file-stamp.js';

/** How often the files are looked at. */
const POLL_INTERVAL_MS = 5_000;

export class FilesError extends Error {
  override readonly name = 'FilesError';
}

/** What files hold, by their paths. */
export type Contents = ReadonlyMap<string, string>;

export class WatchedFiles {
  readonly #check: (contents: Contents) => void;
  readonly #optional: ReadonlySet<string>;
  readonly #stamps = new Map<string, string>();
  /** What the files held when they were last looked at. */
  readonly #seen = new Map<string, string>();
  /** What they held when all of it was last right. */
  #right: Contents;
  #look: NodeJS.Timeout | undefined;

  /**
   * @param optional files that may be missing, now or later.
   * @param check throws when the contents cannot be used.
   * @throws FilesError naming the first of the others that cannot be read; what `check` throws.
   */
  constructor(
    paths: Iterable<string>,
    optional: readonly string[],
    check: (contents: Contents) => void,
  ) {
    this.#check = check;
    this.#optional = new Set(optional);
    for (const path of new Set(paths)) this.#read(path);
    for (const path of optional) if (path !== '') this.#readIfThere(path);
    check(this.#seen);
    this.#right = new Map(this.#seen);
  }

  /** What the files held last and could be used. */
  contents(): Contents {
    return this.#right;
  }

  /** Looks at the files from now on. */
  watch(onChange: () => void, onError: (error: unknown) => void): void {
    if (this.#stamps.size === 0) return;
    this.#look = setInterval(() => {
      try {
        if (!this.#readChanged(onError)) return;
        this.#check(this.#seen);
        this.#right = new Map(this.#seen);
        onChange();
      } catch (error) {
        onError(error);
      }
    }, POLL_INTERVAL_MS);
  }

  close(): void {
    clearInterval(this.#look);
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

  #readIfThere(path: string): void {
    try {
      this.#read(path);
    } catch (error) {
      if (!(error instanceof FilesError)) throw error;
    }
  }

  #read(path: string): void {
    // The stamp is taken first: a change during the reading is seen at the next look.
    this.#stamps.set(path, fileStamp(path).text);
    try {
      const bytes = readFileSync(path);
      // Files of the system, such as the hosts file, may have comments in any encoding.
      this.#seen.set(path, this.#optional.has(path) ? decode(bytes) : decodeUtf8(bytes));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new FilesError(`${path}: expected a readable file, got ${why}`, { cause: error });
    }
  }
}
