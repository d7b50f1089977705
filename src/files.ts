/** The files that settings name (certificates, keys, passwords), read again when they change. */

import { readFileSync, statSync } from 'node:fs';

/** How often the files are looked at. */
const LOOK_MS = 5_000;

export class FilesError extends Error {
  override readonly name = 'FilesError';
}

export class WatchedFiles {
  readonly #contents = new Map<string, string>();
  readonly #stamps = new Map<string, string>();
  #look: NodeJS.Timeout | undefined;

  /** @throws FilesError naming the first file that cannot be read. */
  constructor(paths: Iterable<string>) {
    for (const path of new Set(paths)) this.#read(path);
  }

  /** By path. What a file held last stays when it cannot be read any more. */
  contents(): ReadonlyMap<string, string> {
    return this.#contents;
  }

  /** Looks at the files from now on. */
  watch(onChange: () => void, onTrouble: (error: FilesError) => void): void {
    if (this.#contents.size === 0) return;
    this.#look = setInterval(() => {
      if (this.#readChanged(onTrouble)) onChange();
    }, LOOK_MS);
  }

  close(): void {
    clearInterval(this.#look);
  }

  #readChanged(onTrouble: (error: FilesError) => void): boolean {
    let isChanged = false;
    for (const path of this.#contents.keys()) {
      const stamp = stampOf(path);
      if (stamp === this.#stamps.get(path)) continue;
      this.#stamps.set(path, stamp);
      try {
        this.#read(path);
        isChanged = true;
      } catch (error) {
        if (!(error instanceof FilesError)) throw error;
        onTrouble(error);
      }
    }
    return isChanged;
  }

  #read(path: string): void {
    try {
      // The stamp is taken first: a change during the reading is seen at the next look.
      this.#stamps.set(path, stampOf(path));
      this.#contents.set(path, readFileSync(path, 'utf8'));
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new FilesError(`${path}: expected a readable file, got ${why}`, { cause: error });
    }
  }
}

/** Another one when the file may hold something else; a file that cannot be looked at has one too. */
function stampOf(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
  } catch (error) {
    return String(error);
  }
}
