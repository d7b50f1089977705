/** Files in the format of Prometheus's `file_sd`. */

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
  /** By path: the findings of each file when it was last valid. */
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
        // Before the next one is read: the limit holds for all files of the source.
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
  const [folder, last] = [dirname(pattern), basename(pattern)];
  if (!last.includes('*')) return [fileNamed(pattern)];
  const pieces = last.split('*').map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const isLike = new RegExp(`^${pieces.join('.*')}$`, 's');
  try {
    return readdirSync(folder, { encoding: 'buffer' })
      .map((name) => fileIn(folder, name))
      .filter(({ path }) => isLike.test(basename(path)))
      .sort((a, b) => (a.path < b.path ? -1 : 1));
  } catch {
    return undefined;
  }
}

/** A name that is not UTF-8 is shown with its bytes as `\xE9`, and opened by its bytes. */
function fileIn(folder: string, name: Buffer): NamedFile {
  if (isUtf8(name)) return fileNamed(join(folder, name.toString('utf8')));
  const shown = name
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return { path: join(folder, shown), raw: Buffer.concat([Buffer.from(join(folder, '/')), name]) };
}
