/**
 * The corpus: inputs that the parsers have to cope with, one file each, in folders of `test/corpus`.
 * `verdicts.txt` of a folder has a line for each file: its name, what is right, and why, separated
 * by ` | `; lines that begin with `#` explain.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = 'test/corpus';
const VERDICTS = 'verdicts.txt';

/** A file of the corpus and what its line says. */
export interface Case {
  readonly file: string;
  /** From the folder that npm runs in. */
  readonly path: string;
  /** What is right; what each column means stands at the top of `verdicts.txt`. */
  readonly verdict: readonly string[];
  readonly why: string;
}

/** The folders that there are. */
export function corpusFolders(): string[] {
  return readdirSync(ROOT).sort();
}

/** The files of a folder that need a verdict. */
export function corpusFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder))
    .filter((file) => file !== VERDICTS)
    .sort();
}

/** The lines of a folder's verdicts, in their order. */
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

/** The bytes of a case; those of a `.hex` file are what its digits say. */
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
