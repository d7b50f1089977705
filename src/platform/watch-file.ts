/** Sees that a file has changed and been written to its end. */

import { fileStamp } from './file-stamp.js';

/** A file that was written less than this ago may be half written. */
const SETTLED_MS = 1_000;

/**
 * Looks at the file every `intervalMs` and calls `onChange` once for each change. Returns the function
 * that ends it.
 */
export function watchFile(path: string, intervalMs: number, onChange: () => void): () => void {
  let seen = fileStamp(path);
  const timer = setInterval(() => {
    const stamp = fileStamp(path);
    const isSettled = Date.now() - stamp.writtenAtMs > SETTLED_MS;
    if (stamp.text === seen.text || !isSettled) return;
    seen = stamp;
    onChange();
  }, intervalMs);
  return () => clearInterval(timer);
}
