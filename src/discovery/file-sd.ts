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
    return stampOf(this.#patterns.flatMap((pattern) => expand(pattern) ?? [pattern]));
  }

  async read(): Promise<Look> {
    const troubles: string[] = [];
    const good = new Map<string, Findings>();
    const keep = (isOf: (path: string) => boolean) => {
      for (const [path, before] of this.#good) if (isOf(path)) good.set(path, before);
    };
    for (const pattern of this.#patterns) {
      const paths = expand(pattern);
      if (paths === undefined) {
        troubles.push(`${dirname(pattern)}: expected a readable folder, got none`);
        keep((path) => dirname(path) === dirname(pattern));
      }
      for (const path of paths ?? []) {
        try {
          good.set(path, readTargetGroups(parse(readText(path), path), path));
        } catch (error) {
          if (!(error instanceof SourceError)) throw error;
          troubles.push(error.message);
          keep((known) => known === path);
        }
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
}

/** The files that a pattern stands for; undefined when their folder cannot be read. */
function expand(pattern: string): readonly string[] | undefined {
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
    return undefined;
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
