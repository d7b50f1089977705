/** Detects whether a file may have changed, without reading it. */

import { statSync } from 'node:fs';

export interface FileStamp {
  /** Changes when the file is written, replaced, removed or gets other permissions. */
  readonly text: string;
  /** When the file was last written: wall clock, milliseconds; 0 when there is no such file. */
  readonly writtenAtMs: number;
}

/** @param path a buffer if the name is not UTF-8. */
export function fileStamp(path: string | Buffer): FileStamp {
  try {
    const { mtimeMs, ctimeMs, ino, size } = statSync(path);
    return { text: `${mtimeMs} ${ctimeMs} ${ino} ${size}`, writtenAtMs: mtimeMs };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : error;
    return { text: String(code), writtenAtMs: 0 };
  }
}
