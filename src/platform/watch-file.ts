/** Detects that a file has changed and is completely written. */

import { type Clock, every } from '../shared/clock.js';
import { fileStamp } from './file-stamp.js';

/** A file that was written less than this ago may be half written. */
const SETTLED_MS = 1_000;

export interface WatchFileOptions {
  readonly path: string;
  readonly intervalMs: number;
  readonly clock: Pick<Clock, 'after' | 'epoch'>;
  /** Called once for each change. */
  readonly onChange: () => void;
}

/** Checks the file every `intervalMs`, until the result is called. */
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
