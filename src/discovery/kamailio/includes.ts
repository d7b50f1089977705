/** Opens the files of a kamailio.cfg: the main file and those that it includes. */

import { dirname, isAbsolute, join } from 'node:path';

const MAX_DEPTH = 10;
const MAX_FILES = 256;
/** The limit of Kamailio. */
const MAX_NAME_LENGTH = 127;

export interface OpenedFile {
  readonly path: string;
  readonly text: string;
}

export class Includes {
  /** The files that were read, without duplicates, in the order of their first read. */
  readonly files: string[] = [];
  readonly #read: (path: string) => string;
  #count = 0;

  constructor(read: (path: string) => string) {
    this.#read = read;
  }

  /** @throws what `read` throws. */
  open(path: string): OpenedFile {
    const text = this.#read(path);
    if (!this.files.includes(path)) this.files.push(path);
    return { path, text };
  }

  /**
   * Opens an included file. Returns a text if it cannot be included; undefined if it is missing and
   * optional.
   *
   * A relative name refers to the directory of the including file, otherwise to the working directory.
   * Kamailio uses the opposite order, but its working directory is unknown here.
   *
   * @param including the open files, the innermost last.
   */
  include(
    name: string,
    including: readonly string[],
    isOptional: boolean,
  ): OpenedFile | string | undefined {
    if (name === '' || name.length > MAX_NAME_LENGTH) {
      return `expected a file name of 1 to ${MAX_NAME_LENGTH} characters, got ${name.length}`;
    }
    if (including.length > MAX_DEPTH) return `${name}: more than ${MAX_DEPTH} files are nested`;
    if (++this.#count > MAX_FILES) return `${name}: more than ${MAX_FILES} files are included`;
    const beside = join(dirname(including.at(-1) ?? ''), name);
    let failure: unknown;
    for (const path of isAbsolute(name) ? [name] : [beside, name]) {
      if (including.includes(path)) return `${path} includes itself`;
      try {
        return this.open(path);
      } catch (error) {
        failure ??= error;
      }
    }
    if (isOptional && codeOf(failure) === 'ENOENT') return undefined;
    return `${name}: expected a readable file, got ${messageOf(failure)}`;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
