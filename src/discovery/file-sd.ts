/** Reads files in the `file_sd` format of Prometheus. */

import { isUtf8 } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Findings } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import type { Parser } from './parsing/parser.js';
import {
  fileNamed,
  type NamedFile,
  type Reader,
  type ReadResult,
  readBytes,
  stampOf,
} from './reader.js';
import { SourceError } from './source-error.js';

export class FileSd implements Reader {
  readonly #patterns: readonly string[];
  readonly #parser: Parser;
  /** By path: the last valid findings of each file. */
  #lastGood = new Map<string, Findings>();

  /** @param patterns paths; in the last part of each, `*` matches anything. */
  constructor(patterns: readonly string[], parser: Parser) {
    this.#patterns = patterns;
    this.#parser = parser;
  }

  stamp(): string {
    return stampOf(this.#patterns.flatMap((pattern) => expand(pattern) ?? [fileNamed(pattern)]));
  }

  async read(signal: AbortSignal): Promise<ReadResult> {
    const errors: string[] = [];
    const good = new Map<string, Findings>();
    const keepLastGood = (isOf: (path: string) => boolean) => {
      for (const [path, findings] of this.#lastGood) if (isOf(path)) good.set(path, findings);
    };
    for (const pattern of this.#patterns) {
      const files = expand(pattern);
      if (files === undefined) {
        errors.push(`${dirname(pattern)}: expected a readable directory`);
        keepLastGood((path) => dirname(path) === dirname(pattern));
      }
      for (const file of files ?? []) {
        try {
          good.set(file.path, await this.#readOne(file, signal));
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          errors.push(error.message);
          keepLastGood((path) => path === file.path);
        }
        // Before the next file is read, because the limit applies to all files of the source together.
        if (entriesIn(good) > MAX_ENTRIES) throw tooManyEntries(this.#patterns.join(' '));
      }
    }
    this.#lastGood = good;
    const all = [...good.values()];
    return {
      found: all.flatMap(({ found }) => found),
      remarks: all.flatMap(({ remarks }) => remarks),
      errors,
    };
  }

  async #readOne(file: NamedFile, signal: AbortSignal): Promise<Findings> {
    const bytes = await readBytes(file);
    const format = /\.json$/i.test(file.path) ? 'JSON' : 'YAML';
    const job = { kind: 'target_groups', bytes, format, place: file.path } as const;
    const { found, remarks } = await this.#parser.parse(job, signal);
    return { found, remarks };
  }
}

function entriesIn(all: ReadonlyMap<string, Findings>): number {
  let entries = 0;
  for (const { found, remarks } of all.values()) entries += found.length + remarks.length;
  return entries;
}

/** The files that a pattern matches; undefined when their directory cannot be read. */
function expand(pattern: string): readonly NamedFile[] | undefined {
  const [directory, last] = [dirname(pattern), basename(pattern)];
  if (!last.includes('*')) return [fileNamed(pattern)];
  const pieces = last.split('*').map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const isLike = new RegExp(`^${pieces.join('.*')}$`, 's');
  try {
    return readdirSync(directory, { encoding: 'buffer' })
      .map((name) => fileIn(directory, name))
      .filter(({ path }) => isLike.test(basename(path)))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch {
    return undefined;
  }
}

/** A file by its name. Bytes of a name that is not UTF-8 are shown as `\xE9`. */
function fileIn(directory: string, name: Buffer): NamedFile {
  if (isUtf8(name)) return fileNamed(join(directory, name.toString('utf8')));
  const shown = name
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return {
    path: join(directory, shown),
    raw: Buffer.concat([Buffer.from(join(directory, '/')), name]),
  };
}
