/**
 * Writes to standard error or output without ever holding up the thread: what waits for a slow
 * reader is bounded, and what cannot be written is dropped and counted.
 */

import { fstatSync, write as writeFile } from 'node:fs';

/** Bytes that may wait for the reader; more are dropped. */
const MAX_WAITING_BYTES = 1 << 20;
/** Bytes of lines that are written at a time. */
const BATCH_BYTES = 1 << 16;
/** How long to wait when a terminal or a device takes nothing at the moment. */
const RETRY_MS = 50;

/** Writes a text, all of it; `done` is called once, with the error if that failed. */
export type Send = (text: string, done: (error?: Error | null) => void) => void;

export class LogOutput {
  readonly #send: Send;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  #dropped = 0;
  #onIdle: (() => void)[] = [];

  constructor(send: Send) {
    this.#send = send;
  }

  /** Lines that were dropped: nobody read them, or they could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @param line with its line break. */
  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    this.#next();
  }

  /** Resolves once everything is written or dropped, at the latest after `ms`. */
  async flush(ms: number): Promise<void> {
    if (!this.#isWriting) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onIdle.push(() => {
        clearTimeout(timer);
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
      // Not at once: an output that fails at once must not end in a recursion.
      setImmediate(() => {
        this.#isWriting = false;
        if (error !== undefined && error !== null) this.#dropped += batch.length;
        this.#next();
      });
    });
  }

  #takeBatch(): readonly string[] {
    let bytes = 0;
    const count = this.#waiting.findIndex((line) => {
      bytes += Buffer.byteLength(line);
      return bytes > BATCH_BYTES;
    });
    const batch = this.#waiting.splice(0, count < 0 ? this.#waiting.length : Math.max(count, 1));
    this.#waitingBytes -= batch.reduce((sum, line) => sum + Buffer.byteLength(line), 0);
    return batch;
  }
}

/**
 * How to write to `stream`, which is `process.stdout` (`fd` 1) or `process.stderr` (2). Node.js writes to pipes and sockets
 * as they take it; to files and terminals it writes at once, and throws when that fails.
 */
export function sendTo(stream: NodeJS.WritableStream, fd: number): Send {
  // Without a listener the end of the reader would be the end of the process.
  stream.on('error', () => {});
  const stat = fstatSync(fd);
  if (stat.isFIFO() || stat.isSocket()) return (text, done) => stream.write(text, done);
  return (text, done) => writeWhole(fd, Buffer.from(text), done);
}

function writeWhole(fd: number, bytes: Buffer, done: (error?: Error | null) => void): void {
  writeFile(fd, bytes, 0, bytes.length, null, (error, written) => {
    if (error?.code === 'EAGAIN') setTimeout(() => writeWhole(fd, bytes, done), RETRY_MS);
    else if (error !== null || written === bytes.length) done(error);
    else writeWhole(fd, bytes.subarray(written), done);
  });
}
