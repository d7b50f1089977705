/** A parser under test. */

import { bytesOf, corpusFiles } from '../support/corpus.js';
import type { Mutation } from './mutate.js';

export interface FuzzTarget {
  /** The first inputs. */
  readonly seeds: readonly Buffer[];
  /** Words of the format. */
  readonly dictionary: readonly string[];
  /** Mutations of this format. */
  readonly mutations?: readonly Mutation[];
  /** Parses the input. Throws if the parser throws an undeclared error, or a property is broken. */
  run(input: Buffer): void | Promise<void>;
}

/** The files of a folder of the corpus. */
export function seedsOf(folder: string, suffix = ''): Buffer[] {
  return corpusFiles(folder)
    .filter((file) => file.endsWith(suffix))
    .map((file) => bytesOf({ path: `test/corpus/${folder}/${file}` }));
}
