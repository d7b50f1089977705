/** How sources are read, and how their files are read in full. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileStamp } from '../platform/file-stamp.js';
import type { Findings } from './found.js';
import { MAX_BYTES } from './limits.js';
import { SourceError } from './source-error.js';

/** Reads one source. */
export interface Reader {
  /** Changes when `read` may find something else; undefined when only `read` can tell. */
  stamp(): string | undefined;
  /** Returns the same object as the last time when nothing has changed. @throws SourceError */
  read(signal: AbortSignal): Promise<ReadResult>;
}

/** With errors, a part of the findings is from an earlier time. */
export interface ReadResult extends Findings {
  readonly errors: readonly string[];
}

/** A file whose name need not be UTF-8. */
export interface NamedFile {
  /** For people, and as a key. */
  readonly path: string;
  /** For the file system. */
  readonly raw: string | Buffer;
}

export function fileNamed(path: string): NamedFile {
  return { path, raw: path };
}

/** All of a file, in a buffer of its own. @throws SourceError */
export async function readBytes({ path, raw }: NamedFile): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: opening a pipe without a writer would wait for one.
    handle = await open(raw, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile()) throw new Error('something that is not a regular file');
    return await readAll(handle, stats.size);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceError(`${path}: expected a readable file, got ${reason}`, { cause: error });
  } finally {
    await handle?.close();
  }
}

/** The file may have grown or shrunk since its size was read. */
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

/** Changes when one of the files may have changed, or when the list of files has. */
export function stampOf(files: readonly NamedFile[]): string {
  return files.map(({ path, raw }) => `${path} ${fileStamp(raw).text}`).join('\n');
}
