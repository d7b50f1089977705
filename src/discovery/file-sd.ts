/** Files in the format of Prometheus's `file_sd`. */

import { isUtf8 } from 'node:buffer';
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Findings } from './found.js';
import { MAX_ENTRIES, tooManyEntries } from './limits.js';
import { Parser } from './parsing/parser.js';
import { fileNamed, type Look, type NamedFile, type Reader, readBytes, stampOf } from './reader.js';
import { SourceError } from './source-error.js';

export class FileSd implements Reader {
  readonly #patterns: readonly string[];
  readonly #parser: Parser;
  /** By path: what stood there when it was last right. */
  #good = new Map<string, Findings>();

  /** @param patterns paths; in the last part of each `*` stands for anything. */
  constructor(patterns: readonly string[], parser: Parser = new Parser()) {
    this.#patterns = patterns;
    this.#parser = parser;
  }

  stamp(): string {
    return stampOf(this.#patterns.flatMap((pattern) => expand(pattern) ?? [fileNamed(pattern)]));
  }

  async read(signal: AbortSignal = new AbortController().signal): Promise<Look> {
    const errors: string[] = [];
    const good = new Map<string, Findings>();
    const keep = (isOf: (path: string) => boolean) => {
      for (const [path, before] of this.#good) if (isOf(path)) good.set(path, before);
    };
    for (const pattern of this.#patterns) {
      const files = expand(pattern);
      if (files === undefined) {
        errors.push(`${dirname(pattern)}: expected a readable folder, got none`);
        keep((path) => dirname(path) === dirname(pattern));
      }
      for (const file of files ?? []) {
        try {
          good.set(file.path, await this.#readOne(file, signal));
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          errors.push(error.message);
          keep((known) => known === file.path);
        }
        // Before the next one is read: all of them are one source.
        if (entriesIn(good) > MAX_ENTRIES) throw tooManyEntries(this.#patterns.join(' '));
      }
    }
    this.#good = good;
    const all = [...good.values()];
    return {
      found: all.flatMap(({ found }) => found),
      skipped: all.flatMap(({ skipped }) => skipped),
      errors,
    };
  }

  async #readOne(file: NamedFile, signal: AbortSignal): Promise<Findings> {
    const bytes = await readBytes(file);
    const format = /\.json$/i.test(file.path) ? 'JSON' : 'YAML';
    const job = { kind: 'target_groups', bytes, format, place: file.path } as const;
    const { found, skipped } = await this.#parser.parse(job, signal);
    return { found, skipped };
  }
}

function entriesIn(all: ReadonlyMap<string, Findings>): number {
  let entries = 0;
  for (const { found, skipped } of all.values()) entries += found.length + skipped.length;
  return entries;
}

/** The files that a pattern stands for; undefined when their folder cannot be read. */
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

/** A name that is not UTF-8 is shown with its bytes as `\xE9`, and opened as it is. */
function fileIn(folder: string, name: Buffer): NamedFile {
  if (isUtf8(name)) return fileNamed(join(folder, name.toString('utf8')));
  const shown = name
    .toString('latin1')
    .replace(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).toUpperCase()}`);
  return { path: join(folder, shown), raw: Buffer.concat([Buffer.from(join(folder, '/')), name]) };
}
