/** Sees that a file has changed and been written to its end. */

import { statSync } from 'node:fs';

/** A file that was written less than this ago may be half written. */
const SETTLED_MS = 1_000;

/**
 * Looks at the file every `intervalMs` and calls `onChange` once for each change. Returns the function
 * that ends it.
 */
export function watchFile(path: string, intervalMs: number, onChange: () => void): () => void {
  let seen = stampOf(path);
  const timer = setInterval(() => {
    const stamp = stampOf(path);
    const isSettled = Date.now() - stamp.mtimeMs > SETTLED_MS;
    if (stamp.text === seen.text || !isSettled) return;
    seen = stamp;
    onChange();
  }, intervalMs);
  return () => clearInterval(timer);
}

function stampOf(path: string): { readonly text: string; readonly mtimeMs: number } {
  try {
    const { mtimeMs, ino, size } = statSync(path);
    return { text: `${mtimeMs} ${ino} ${size}`, mtimeMs };
  } catch (error) {
    return { text: String(error), mtimeMs: 0 };
  }
}
