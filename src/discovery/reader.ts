/** The interface for reading a source, and reading of files. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileStamp } from '../platform/file-stamp.js';
import type { Findings } from './found.js';
import { MAX_BYTES } from './limits.js';
import { SourceError } from './source-error.js';

/** Reads one source. */
export interface Reader {
  /** Changes when the result of `read` may change; undefined when that is unknown. */
  stamp(): string | undefined;
  /** Returns the same object as the last time if nothing has changed. @throws SourceError */
  read(signal: AbortSignal): Promise<ReadResult>;
}

/** With errors, some findings are from an earlier read. */
export interface ReadResult extends Findings {
  readonly errors: readonly string[];
}

/** A file whose name may not be UTF-8. */
export interface NamedFile {
  /** For log lines, and as a key. */
  readonly path: string;
  /** For the file system. */
  readonly raw: string | Buffer;
}

export function fileNamed(path: string): NamedFile {
  return { path, raw: path };
}

/** Reads a whole file into a new buffer. @throws SourceError */
export async function readBytes({ path, raw }: NamedFile): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a pipe would wait for its writer.
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

/** Reads to the end, because the file may have grown or shrunk since its size was read. */
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

/** Changes when one of the files may have changed or the list of files has changed. */
export function stampOf(files: readonly NamedFile[]): string {
  return files.map(({ path, raw }) => `${path} ${fileStamp(raw).text}`).join('\n');
}
