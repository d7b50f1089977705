/** What is fuzzed. */

import { bytesOf, corpusFiles } from '../support/corpus.js';
import type { Mutation } from './mutate.js';

export interface FuzzTarget {
  /** The inputs to begin with. */
  readonly seeds: readonly Buffer[];
  /** Words of the format. */
  readonly dictionary: readonly string[];
  /** Changes that know the format. */
  readonly mutations?: readonly Mutation[];
  /** Reads the input. Throws what the parser throws and must not, and where a property is broken. */
  run(input: Buffer): void | Promise<void>;
}

/** The files of a folder of the corpus. */
export function seedsOf(folder: string, suffix = ''): Buffer[] {
  return corpusFiles(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => bytesOf({ path: `test/corpus/${folder}/${file}` }));
}
