/** Detects changes of a file that is completely written. */

import { type Clock, every } from '../shared/clock.js';
import { fileStamp } from './file-stamp.js';

/** A file that was written less than this time ago may be incomplete. */
const SETTLED_MS = 1_000;

export interface WatchFileOptions {
  readonly path: string;
  readonly intervalMs: number;
  readonly clock: Pick<Clock, 'after' | 'epoch'>;
  /** Called once per change. */
  readonly onChange: () => void;
}

/** Checks the file every `intervalMs`. Returns a function that stops. */
export function watchFile({ path, intervalMs, clock, onChange }: WatchFileOptions): () => void {
  let { text } = fileStamp(path);
  return every(clock, intervalMs, () => {
    const stamp = fileStamp(path);
    const isSettled = clock.epoch() - stamp.writtenAtMs > SETTLED_MS;
    if (stamp.text === text || !isSettled) return;
    text = stamp.text;
    onChange();
  });
}
