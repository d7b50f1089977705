/** The files of a configuration: the first, and those that it includes. */

import { dirname, isAbsolute, join } from 'node:path';

const DEEPEST = 10;
const MAX_FILES = 256;
/** Kamailio takes no longer name. */
const MAX_NAME_LENGTH = 127;

export interface Opened {
  readonly path: string;
  readonly text: string;
}

export class Includes {
  /** Those that were read, each once, in this order. */
  readonly files: string[] = [];
  readonly #read: (path: string) => string;
  #count = 0;

  constructor(read: (path: string) => string) {
    this.#read = read;
  }

  /** @throws what `read` throws. */
  open(path: string): Opened {
    const text = this.#read(path);
    if (!this.files.includes(path)) this.files.push(path);
    return { path, text };
  }

  /**
   * The included file. A text says why there is none; undefined when that is no fault.
   *
   * A relative name is looked for beside the including file, then from the working directory.
   * Kamailio does it the other way round, but its working directory is not ours.
   *
   * @param including the files that are open, the innermost last.
   */
  include(
    name: string,
    including: readonly string[],
    isOptional: boolean,
  ): Opened | string | undefined {
    if (name === '' || name.length > MAX_NAME_LENGTH) {
      return `expected a file name of 1 to ${MAX_NAME_LENGTH} characters, got ${name.length}`;
    }
    if (including.length > DEEPEST) return `${name}: more than ${DEEPEST} files within one another`;
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
