/**
 * Writes to standard error or output without blocking the thread. The buffer for a slow reader is limited;
 * lines that do not fit or cannot be written are dropped and counted.
 */

import { fstatSync, write as writeFile } from 'node:fs';
import type { Clock } from '../shared/clock.js';

/** Size of the buffer. Further lines are dropped. */
const MAX_BUFFERED_BYTES = 1 << 20;
/** Maximum number of bytes per write. */
const BATCH_BYTES = 1 << 16;
/** Pause when a terminal or device is not ready. */
const RETRY_MS = 50;

/** Writes all of `text`. `done` is called once, with the error if writing failed. */
export type Send = (text: string, done: (error?: Error | null) => void) => void;

export class LogOutput {
  readonly #send: Send;
  readonly #clock: Pick<Clock, 'after'>;
  #buffer: string[] = [];
  #bufferedBytes = 0;
  #isWriting = false;
  #dropped = 0;
  #onIdle: (() => void)[] = [];

  constructor(send: Send, clock: Pick<Clock, 'after'>) {
    this.#send = send;
    this.#clock = clock;
  }

  /** Number of lines dropped because the buffer was full or writing failed. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line with its line break at the end. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#bufferedBytes + bytes > MAX_BUFFERED_BYTES) {
      this.#dropped++;
      return;
    }
    this.#buffer.push(line);
    this.#bufferedBytes += bytes;
    this.#next();
  }

  /** Resolves when everything is written or dropped, or after `timeoutMs`. */
  async flush(timeoutMs: number): Promise<void> {
    if (!this.#isWriting) return;
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.after(timeoutMs, resolve);
      this.#onIdle.push(() => {
        cancel();
        resolve();
      });
    });
  }

  #next(): void {
    if (this.#isWriting) return;
    const batch = this.#takeBatch();
    if (batch.length === 0) {
      for (const onIdle of this.#onIdle.splice(0)) onIdle();
      return;
    }
    this.#isWriting = true;
    this.#send(batch.join(''), (error) => {
      // Deferred, so that an output that fails synchronously does not recurse.
      setImmediate(() => {
        this.#isWriting = false;
        if (error !== undefined && error !== null) this.#dropped += batch.length;
        this.#next();
      });
    });
  }

  #takeBatch(): readonly string[] {
    let bytes = 0;
    const count = this.#buffer.findIndex((line) => {
      bytes += Buffer.byteLength(line);
      return bytes > BATCH_BYTES;
    });
    const batch = this.#buffer.splice(0, count < 0 ? this.#buffer.length : Math.max(count, 1));
    this.#bufferedBytes -= batch.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    return batch;
  }
}

/**
 * Returns a function that writes to `stream`, which is `process.stdout` (`fd` 1) or `process.stderr` (2).
 * Node.js writes to pipes and sockets asynchronously. To files and terminals it writes synchronously and
 * throws on errors, so those are written through `fd`.
 */
export function sendTo(
  stream: NodeJS.WritableStream,
  fd: number,
  clock: Pick<Clock, 'after'>,
): Send {
  // Without a listener, the process would end when the reader closes its end.
  stream.on('error', () => {});
  const stat = fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket()) return (text, done) => stream.write(text, done);
  return (text, done) => writeAll(fd, Buffer.from(text), clock, done);
}

function writeAll(
  fd: number,
  bytes: Buffer,
  clock: Pick<Clock, 'after'>,
  done: (error?: Error | null) => void,
): void {
  writeFile(fd, bytes, 0, bytes.length, null, (error, written) => {
    if (error?.code === 'EAGAIN') clock.after(RETRY_MS, () => writeAll(fd, bytes, clock, done));
    else if (error !== null || written === bytes.length) done(error);
    else writeAll(fd, bytes.subarray(written), clock, done);
  });
}
