/** Parses the content of sources: short lists at once, long ones in a worker thread. */

import { Worker } from 'node:worker_threads';
import type { Clock } from '../../shared/clock.js';
import type { FoundDestination, Listing, Remark } from '../found.js';
import { SourceError } from '../source-error.js';
import { type Job, type Parsed, perform } from './job.js';
import type { FromParser, ToParser } from './messages.js';

/** A longer list would block the main thread for too long. */
const MAX_SHORT_BYTES = 64 << 10;
const TIMEOUT_MS = 60_000;
/** Memory limit of the thread, without the bytes that it parses. */
const MEMORY_MB = 512;

export class Parser {
  readonly #clock: Clock;
  /** The last job in the queue. Only one thread runs at a time, because the pinger needs a core too. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param job its bytes may be transferred to the thread, and are then not usable any more.
   * @throws SourceError when the content is invalid, or parsing it takes too long or too much memory.
   */
  async parse(job: Job, signal: AbortSignal): Promise<Parsed> {
    if (job.kind !== 'kamailio_cfg' && job.bytes.length <= MAX_SHORT_BYTES) return perform(job);
    const parsing = this.#last.then(() => parseInThread(job, signal, this.#clock));
    this.#last = parsing.catch(() => {});
    return parsing;
  }
}

async function parseInThread(job: Job, signal: AbortSignal, clock: Clock): Promise<Parsed> {
  signal.throwIfAborted();
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: job,
    transferList: job.kind === 'kamailio_cfg' ? [] : transferable(job.bytes),
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  let cancelTimeout = () => {};
  let onAbort = () => {};
  try {
    return await new Promise<Parsed>((resolve, reject) => {
      const late = `${job.place}: expected to be parsed within ${TIMEOUT_MS / 1000} s, took longer`;
      cancelTimeout = clock.after(TIMEOUT_MS, () => reject(new SourceError(late)));
      onAbort = () => reject(signal.reason);
      signal.addEventListener('abort', onAbort);
      collect(worker, job.place, resolve, reject);
    });
  } finally {
    cancelTimeout();
    signal.removeEventListener('abort', onAbort);
    await worker.terminate();
  }
}

/** The buffer to transfer, because copying would block. Long buffers are not part of the pool of Node.js. */
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
  const remarks: Remark[] = [];
  const listings: Listing[] = [];
  let rest: Omit<Parsed, 'found' | 'remarks' | 'listings'> = { files: [] };
  const next: ToParser = { type: 'next' };
  worker.on('message', (message: FromParser) => {
    if (message.type === 'invalid') return reject(new SourceError(message.message));
    if (message.type === 'parsed') rest = message.rest;
    else {
      found.push(...message.found);
      remarks.push(...message.remarks);
      listings.push(...message.listings);
      if (message.isLast)
        return resolve({ found, remarks, ...(listings.length > 0 && { listings }), ...rest });
    }
    worker.postMessage(next);
  });
  worker.on('error', (error) => reject(isOutOfMemory(error) ? tooLarge(place) : error));
  worker.on('exit', () => reject(new Error('the parser thread exited unexpectedly')));
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function tooLarge(place: string): SourceError {
  return new SourceError(`${place}: expected to be parsed within ${MEMORY_MB} MB, took more`);
}
