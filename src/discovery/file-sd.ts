/** Files in the format of Prometheus's `file_sd`. */

import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Findings } from '../shared/found.js';
import { parseYaml } from '../shared/yaml.js';
import { type Look, type Reader, readText, stampOf } from './reader.js';
import { SourceError } from './source-error.js';
import { readTargetGroups } from './target-groups.js';

export class FileSd implements Reader {
  readonly #patterns: readonly string[];
  /** By path: what stood there when it was last right. */
  #good = new Map<string, Findings>();

  /** @param patterns paths; in the last part of each `*` stands for anything. */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns;
  }

  stamp(): string {
    return stampOf(this.#paths());
  }

  async read(): Promise<Look> {
    const troubles: string[] = [];
    const good = new Map<string, Findings>();
    for (const path of this.#paths()) {
      try {
        good.set(path, readTargetGroups(parse(readText(path), path), path));
      } catch (error) {
        if (!(error instanceof SourceError)) throw error;
        troubles.push(error.message);
        const before = this.#good.get(path);
        if (before !== undefined) good.set(path, before);
      }
    }
    this.#good = good;
    const all = [...good.values()];
    return {
      found: all.flatMap(({ found }) => found),
      skipped: all.flatMap(({ skipped }) => skipped),
      troubles,
    };
  }

  #paths(): readonly string[] {
    return [...new Set(this.#patterns.flatMap(expand))];
  }
}

function expand(pattern: string): readonly string[] {
  const [folder, last] = [dirname(pattern), basename(pattern)];
  if (!last.includes('*')) return [pattern];
  const pieces = last.split('*').map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const isLike = new RegExp(`^${pieces.join('.*')}$`, 's');
  try {
    return readdirSync(folder)
      .filter((name) => isLike.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

function parse(text: string, path: string): unknown {
  try {
    return path.endsWith('.json') ? JSON.parse(text) : (parseYaml(text) ?? []);
  } catch (error) {
    const format = path.endsWith('.json') ? 'JSON' : 'YAML';
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new SourceError(`${path}: expected ${format}, got what is none (${why})`);
  }
}
