/** Above this size of the heap V8 collects soon by itself, and a collection at once would stop the thread for long. */
const MAX_BYTES = 64e6;

/**
 * Frees what only the start needed, 7 MB of an idle process; V8 itself would wait until the heap has
 * grown. Needs Node.js 22 with `--expose-gc`, as the packages have it; otherwise does nothing.
 */
export function freeGarbage(): void {
  if (process.memoryUsage().heapUsed > MAX_BYTES) return;
  // The last resort gives free pages back to the system; others are kept for later.
  globalThis.gc?.({ type: 'major', flavor: 'last-resort', execution: 'sync' });
}
