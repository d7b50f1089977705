/** Datagrams on their way to the kernel: up to 64 in one system call. */

import type { Arena } from './arena.js';
import { BATCH, Batch } from './batch.js';
import type { KernelPort, Sender } from './kernel-port.js';
import { errorCode } from './kernel-socket.js';
import type { Libc } from './libc.js';

/** A SIP message over UDP is seldom longer; one that is takes the room of the whole batch. */
const LAYOUT = { slotBytes: 2048, controlBytes: 0 } as const;
/** The kernel has no room for more just now: what is queued waits for the next flush. */
const FULL: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK']);
/** What an earlier datagram met with is reported by the next send, whomever that is to, and once. */
const OF_EARLIER: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOPROTOOPT', 'EPROTO', 'EMSGSIZE'],
  ...['EHOSTDOWN', 'EOPNOTSUPP', 'EACCES', 'ENONET'],
]);

/**
 * An error that may be an earlier datagram's is taken for the present one's after so many attempts: in a
 * storm of ICMP errors several may come between two calls, and a healthy peer must not have them.
 */
const MAX_ATTEMPTS = 8;

export interface OutgoingOptions {
  readonly libc: Libc;
  readonly arena: Arena;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Reads the stamps of a port's earlier sends. */
  readonly readStamps: (port: KernelPort) => void;
  /** Something waits for a flush, and nothing did before. */
  readonly onQueued: () => void;
}

export class Outgoing {
  readonly #options: OutgoingOptions;
  readonly #batch: Batch;
  /** The port of all that is queued; undefined when nothing is. */
  #port: KernelPort | undefined;
  readonly #senders: (Sender | undefined)[] = [];
  #lastSentMs = Number.NEGATIVE_INFINITY;
  /** What is queued takes this range of the batch. */
  #first = 0;
  #end = 0;

  static readonly bytes = Batch.bytes(LAYOUT);

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#batch = new Batch(options.arena, LAYOUT);
  }

  /** Monotonic: when anything was sent last. */
  get lastSentMs(): number {
    return this.#lastSentMs;
  }

  /** Sends with the next flush. @param peer its sockaddr. */
  add(port: KernelPort, message: Uint8Array, peer: Buffer, sender: Sender | undefined): void {
    const isLong = message.length > LAYOUT.slotBytes;
    const isInTheWay = isLong || this.#port !== port || this.#end === BATCH;
    if (this.#end > 0 && isInTheWay) this.#empty();
    if (!this.#batch.fits(message.length)) {
      sender?.failed('EMSGSIZE');
      return;
    }
    if (this.#end === 0) this.#options.onQueued();
    this.#port = port;
    this.#batch.fill(this.#end, message, peer, undefined);
    this.#senders[this.#end++] = sender;
    if (isLong) this.#empty();
  }

  /** Sends what is queued; what the kernel has no room for waits for the next flush. */
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
    this.#forget();
  }

  /** The port is about to be closed. */
  close(port: KernelPort): void {
    if (this.#port === port) this.#empty();
  }

  /** Hands as many over as the kernel takes. Returns why it takes none. */
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

  /** The first one cannot be sent. */
  #skip(port: KernelPort, code: string): void {
    const sender = this.#senders[this.#first++];
    this.#options.readStamps(port);
    port.renumber();
    sender?.failed(code);
  }

  /** Others need the batch: what cannot be sent now fails. */
  #empty(): void {
    this.flush();
    for (let i = this.#first; i < this.#end; i++) this.#senders[i]?.failed('ENOBUFS');
    this.#forget();
  }

  #forget(): void {
    this.#senders.length = 0;
    this.#first = 0;
    this.#end = 0;
    this.#port = undefined;
  }
}
