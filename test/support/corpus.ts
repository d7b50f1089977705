/**
 * The corpus: difficult inputs for parsers, one file each, in folders of `test/corpus`. `verdicts.txt`
 * of a folder has a line for each file: its name, the expected result, and the reason, separated by
 * ` | `; lines that begin with `#` explain the columns.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = 'test/corpus';
const VERDICTS = 'verdicts.txt';

/** A file of the corpus and its line. */
export interface Case {
  readonly file: string;
  /** Relative to the root of the repository. */
  readonly path: string;
  /** The expected result; the top of `verdicts.txt` explains its columns. */
  readonly verdict: readonly string[];
  readonly why: string;
}

/** The folders of the corpus. */
export function corpusFolders(): string[] {
  return readdirSync(ROOT).sort();
}

/** The inputs of a folder. */
export function corpusFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => file !== VERDICTS)
    .sort();
}

/** The lines of a folder's `verdicts.txt`, in order. */
export function readCorpus(folder: string): Case[] {
  return readFileSync(join(ROOT, folder, VERDICTS), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [file = '', ...columns] = line.split(' | ').map((column) => column.trim());
      const why = columns.pop() ?? '';
      return { file, path: join(ROOT, folder, file), verdict: columns, why };
    });
}

/** The bytes of a case; a `.hex` file has them as hexadecimal digits. */
export function bytesOf({ path }: Pick<Case, 'path'>): Buffer {
  const bytes = readFileSync(path);
  return path.endsWith('.hex')
    ? Buffer.from(bytes.toString('latin1').replace(/\s/g, ''), 'hex')
    : bytes;
}

/** The bytes with every `from` replaced by `to`. */
export function replaced(bytes: Buffer, from: Uint8Array, to: Uint8Array): Buffer {
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (let next = bytes.indexOf(from); next >= 0; next = bytes.indexOf(from, at)) {
    pieces.push(bytes.subarray(at, next), to);
    at = next + from.length;
  }
  return Buffer.concat([...pieces, bytes.subarray(at)]);
}
