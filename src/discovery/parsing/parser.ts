/** Parses what sources have: short lists at once, long ones in a thread of their own. */

import { Worker } from 'node:worker_threads';
import type { FoundDestination, Skipped } from '../found.js';
import { SourceError } from '../source-error.js';
import { type Job, type Parsed, perform } from './job.js';
import type { FromParser, ToParser } from './messages.js';

/** What is longer would hold up the main thread for more than some milliseconds. */
const SHORT_BYTES = 64 << 10;
const DEADLINE_MS = 60_000;
/** Of the thread, besides the bytes that it is given. */
const MEMORY_MB = 512;

export class Parser {
  /** One thread at a time: the pinger needs a core, too. */
  #last: Promise<unknown> = Promise.resolve();

  /**
   * @param job its bytes are handed over: they are gone here afterwards.
   * @throws SourceError when nothing can be said, or when it takes too long or too much memory.
   */
  async parse(job: Job, signal: AbortSignal): Promise<Parsed> {
    if (job.kind !== 'kamailio_cfg' && job.bytes.length <= SHORT_BYTES) return perform(job);
    const turn = this.#last.then(() => parseInThread(job, signal));
    this.#last = turn.catch(() => {});
    return turn;
  }
}

async function parseInThread(job: Job, signal: AbortSignal): Promise<Parsed> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: job,
    transferList: job.kind === 'kamailio_cfg' ? [] : transferable(job.bytes),
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  let deadline: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  try {
    return await new Promise<Parsed>((resolve, reject) => {
      const late = `${job.place}: expected to be read within ${DEADLINE_MS / 1000} s, took longer`;
      deadline = setTimeout(() => reject(new SourceError(late)), DEADLINE_MS);
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      collect(worker, job.place, resolve, reject);
    });
  } finally {
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/** To copy it would hold up this thread. Only short buffers are parts of Node's pool. */
function transferable({ buffer }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}

function collect(
  worker: Worker,
  place: string,
  resolve: (parsed: Parsed) => void,
  reject: (error: unknown) => void,
): void {
  const found: FoundDestination[] = [];
  const skipped: Skipped[] = [];
  let files: readonly string[] = [];
  const next: ToParser = { type: 'next' };
  worker.on('message', (message: FromParser) => {
    if (message.type === 'refused') return reject(new SourceError(message.message));
    if (message.type === 'parsed') files = message.files;
    else {
      found.push(...message.found);
      skipped.push(...message.skipped);
      if (message.isLast) return resolve({ found, skipped, files });
    }
    worker.postMessage(next);
  });
  worker.on('error', (error) => reject(isOutOfMemory(error) ? tooLarge(place) : error));
  worker.on('exit', () => reject(new Error('the parser thread ended by itself')));
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function tooLarge(place: string): SourceError {
  return new SourceError(`${place}: expected to be read within ${MEMORY_MB} MB, took more`);
}
