import { readFileSync, statSync } from 'node:fs';
import type { Findings } from '../shared/found.js';
import { SourceError } from './source-error.js';

/** Reads one source. */
export interface Reader {
  /** Another one when a look may find something else; undefined when only a look can tell. */
  stamp(): string | undefined;
  /** The very look of the last time when nothing has changed. @throws SourceError when nothing can be said. */
  read(signal: AbortSignal): Promise<Look>;
}

/** What a look came to; with troubles, part of it is what was known before. */
export interface Look extends Findings {
  readonly troubles: readonly string[];
}

/** @throws SourceError */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SourceError(`${path}: expected a readable file, got ${why}`, { cause: error });
  }
}

/** Of files: which are there, and when each was written. */
export function stampOf(paths: readonly string[]): string {
  return paths.map(stampOfOne).join('\n');
}

function stampOfOne(path: string): string {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return `${path} ${mtimeMs} ${ino} ${size}`;
  } catch {
    return `${path} -`;
  }
}
