/** Passes datagrams to the kernel: up to 64 with one system call. */

import type { Arena } from './arena.js';
import { BATCH, Batch } from './batch.js';
import type { KernelPort, Sender } from './kernel-port.js';
import type { Libc } from './libc.js';
import type { SockaddrWords } from './sockaddr.js';
import { errorCode } from './system-call-error.js';

/** SIP messages over UDP are rarely longer; a longer one uses the space of the whole batch. */
const LAYOUT = { slotBytes: 2048, controlBytes: 0 } as const;
/** The send buffer is full: queued datagrams wait for the next flush. */
const FULL: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK']);
/** Errors that an earlier datagram may have caused: the next send returns them, once, for any destination. */
const OF_EARLIER: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOPROTOOPT', 'EPROTO', 'EMSGSIZE'],
  ...['EHOSTDOWN', 'EOPNOTSUPP', 'EACCES', 'ENONET'],
]);

/**
 * After this many attempts such an error is attributed to the current datagram. Many ICMP errors may
 * arrive between two calls, and they must not be attributed to a healthy peer.
 */
const MAX_ATTEMPTS = 8;

export interface OutgoingOptions {
  readonly libc: Libc;
  readonly arena: Arena;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Reads the timestamps of a port's earlier sends. */
  readonly readStamps: (port: KernelPort) => void;
  /** The queue is not empty any more: call `flush`. */
  readonly onQueued: () => void;
}

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #batch: Batch;
  /** The port of all queued datagrams; undefined when the queue is empty. */
  #port: KernelPort | undefined;
  readonly #senders: (Sender | undefined)[] = [];
  #lastSentMs = Number.NEGATIVE_INFINITY;
  /** The range of the batch that is queued. */
  #first = 0;
  #end = 0;

  static readonly bytes = Batch.bytes(LAYOUT);

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#batch = new Batch(options.arena, LAYOUT);
  }

  /** Time of the last send, monotonic milliseconds. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /** Queues a datagram for the next flush. @param peer its sockaddr. */
  add(
    port: KernelPort,
    message: Uint8Array,
    peer: SockaddrWords,
    sender: Sender | undefined,
  ): void {
    const isLong = message.length > LAYOUT.slotBytes;
    const needsEmptyBatch = isLong || this.#port !== port || this.#end === BATCH;
    if (this.#end > 0 && needsEmptyBatch) this.#empty();
    if (!this.#batch.fits(message.length)) {
      sender?.failed('EMSGSIZE');
      return;
    }
    if (this.#end === 0) this.#options.onQueued();
    this.#port = port;
    this.#batch.fill(this.#end, message, peer);
    this.#senders[this.#end++] = sender;
    if (isLong) this.#empty();
  }

  /** Sends the queue. When the send buffer is full, the rest waits for the next flush. */
  flush(): void {
    const port = this.#port;
    if (port === undefined) return;
    let attempts = 0;
    while (this.#first < this.#end) {
      const code = this.#send(port);
      if (code !== undefined && FULL.has(code)) return;
      attempts = code === undefined ? 0 : attempts + 1;
      if (code === undefined || (OF_EARLIER.has(code) && attempts < MAX_ATTEMPTS)) continue;
      this.#skip(port, code);
      attempts = 0;
    }
    this.#reset();
  }

  /** Sends what is queued for a port that is about to be closed. */
  close(port: KernelPort): void {
    if (this.#port === port) this.#empty();
  }

  /** Sends as many datagrams as the kernel accepts. Returns the error code when it accepts none. */
  #send(port: KernelPort): string | undefined {
    const { libc, now } = this.#options;
    const headers = this.#batch.headers(this.#first);
    const atMs = now();
    const sent = libc.sendmmsg(port.socket.fd, headers, this.#end - this.#first, 0);
    if (sent <= 0) return errorCode(libc.errno());
    this.#lastSentMs = atMs;
    const end = Math.min(this.#first + sent, this.#end);
    while (this.#first < end) port.handOver(this.#senders[this.#first++], atMs);
    return undefined;
  }

  /** Removes the first datagram, which cannot be sent. */
  #skip(port: KernelPort, code: string): void {
    const sender = this.#senders[this.#first++];
    this.#options.readStamps(port);
    port.renumber();
    sender?.failed(code);
  }

  /** Empties the batch for other datagrams. What cannot be sent now fails. */
  #empty(): void {
    this.flush();
    for (let i = this.#first; i < this.#end; i++) this.#senders[i]?.failed('ENOBUFS');
    this.#reset();
  }

  #reset(): void {
    this.#senders.length = 0;
    this.#first = 0;
    this.#end = 0;
    this.#port = undefined;
  }
}
