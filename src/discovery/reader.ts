import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileStamp } from '../platform/file-stamp.js';
import type { Findings } from './found.js';
import { MAX_BYTES } from './limits.js';
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
  readonly errors: readonly string[];
}

/** A file whose name need not be UTF-8. */
export interface NamedFile {
  /** For people, and to tell files apart. */
  readonly path: string;
  /** As the system has it. */
  readonly raw: string | Buffer;
}

export function fileNamed(path: string): NamedFile {
  return { path, raw: path };
}

/** All of a file, in a buffer of its own. @throws SourceError */
export async function readBytes({ path, raw }: NamedFile): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // Without blocking: what is opened may be a pipe that nobody writes to.
    handle = await open(raw, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('something that is no regular file');
    return await readAll(handle, stats.size);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SourceError(`${path}: expected a readable file, got ${why}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** It may have grown or shrunk since its size was taken. */
async function readAll(handle: FileHandle, size: number): Promise<Buffer> {
  if (size > MAX_BYTES) throw new Error(`${size} bytes, more than ${MAX_BYTES}`);
  const bytes = Buffer.allocUnsafeSlow(size + 1);
  let end = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, end, bytes.length - end);
    end += bytesRead;
    if (bytesRead === 0) return bytes.subarray(0, end);
    if (end === bytes.length) throw new Error('one that grows while it is read');
  }
}

/** Of files: which are there, and when each was written. */
export function stampOf(files: readonly NamedFile[]): string {
  return files.map(({ path, raw }) => `${path} ${fileStamp(raw).text}`).join('\n');
}
