/** The pinger's worker thread. */

import { Worker } from 'node:worker_threads';
import type { FromPinger, PingerStart, ToPinger } from '../shared/protocol.js';

/** Few objects of a ping survive it, so a small young generation saves memory and costs no time. */
const YOUNG_GENERATION_MB = 6;

/** The part of a worker thread that the supervisor uses. */
export interface PingerThread {
  postMessage(message: ToPinger): void;
  on(event: 'message', listener: (message: FromPinger) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  on(event: 'exit', listener: () => void): unknown;
  /** Ends the thread; `exit` follows. */
  terminate(): Promise<unknown>;
}

/**
 * @param file of the thread.
 * @throws Error when the system cannot create another thread.
 */
export function spawnPinger(
  start: PingerStart,
  file = new URL('../pinger/worker.js', import.meta.url),
): PingerThread {
  return new Worker(file, {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}
