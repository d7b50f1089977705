/** Reads datagrams, timestamps and errors from the kernel: up to 64 with one system call. */

import type { Arena } from './arena.js';
import { BATCH, Batch } from './batch.js';
import type { Arrival, KernelPort } from './kernel-port.js';
import {
  EXTENDED_ERROR,
  IP_RECVERR,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  ORIGIN_TIMESTAMPING,
  SCM_TIMESTAMPING,
  SO_RXQ_OVFL,
  SO_TIMESTAMPING,
  SOL_SOCKET,
} from './layout.js';
import type { Libc } from './libc.js';
import { addressIn, portIn } from './sockaddr.js';
import { errorCode } from './system-call-error.js';

/** Space for the longest possible datagram. */
const MESSAGES = { slotBytes: 65_536, controlBytes: 256 } as const;
/** The error queue has timestamps, which come without the datagram, and failed datagrams, which are not read. */
const ERRORS = { slotBytes: 64, controlBytes: 256 } as const;
/** Maximum number of batches per drain and queue: a peer that floods does not block the others. */
const MAX_BATCHES = 16;

const EMPTY: ReadonlySet<string> = new Set(['EAGAIN', 'EWOULDBLOCK']);

/**
 * More network errors than this in one drain are a storm: they take the space of what arrives, and
 * cost time. The kernel reports none of them for a while.
 */
const MAX_ERRORS = 512;
const STORM_PAUSE_MS = 10_000;

export interface IncomingOptions {
  readonly libc: Libc;
  readonly arena: Arena;
  /** Monotonic, milliseconds. */
  readonly now: () => number;
  /** Network errors are ignored for a while, because there are too many. */
  readonly onErrorStorm: () => void;
  /** The monotonic time of a kernel timestamp, milliseconds; undefined when it is unknown. */
  readonly timeOf: (seconds: number, nanoseconds: number) => number | undefined;
  /** The kernel dropped this number of datagrams because a receive buffer was full. */
  readonly onDropped: (count: number) => void;
}

export class Incoming {
  readonly #options: IncomingOptions;
  readonly #messages: Batch;
  readonly #errors: Batch;
  readonly #arrival = new ReadArrival();
  /** In this drain. */
  #networkErrors = 0;

  static readonly bytes = Batch.bytes(MESSAGES) + Batch.bytes(ERRORS);

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#messages = new Batch(options.arena, MESSAGES);
    this.#errors = new Batch(options.arena, ERRORS);
  }

  /** Reads the datagrams that have arrived at a port. */
  drainMessages(port: KernelPort): void {
    this.#drain(port, this.#messages, MSG_DONTWAIT, (i) => {
      this.#readArrival(port, i);
      port.listener.message(this.#messages.message(i), this.#arrival);
    });
  }

  /** Reads when a port's datagrams left, and the network errors that they caused. */
  drainErrors(port: KernelPort): void {
    const { now, onErrorStorm } = this.#options;
    if (port.ignoresErrorsUntilMs !== undefined && now() >= port.ignoresErrorsUntilMs) {
      port.ignoresErrorsUntilMs = undefined;
      port.socket.reportErrors(true);
    }
    this.#networkErrors = 0;
    this.#drain(port, this.#errors, MSG_DONTWAIT | MSG_ERRQUEUE, (i) => this.#readError(port, i));
    if (this.#networkErrors <= MAX_ERRORS) return;
    port.ignoresErrorsUntilMs = now() + STORM_PAUSE_MS;
    port.socket.reportErrors(false);
    onErrorStorm();
  }

  #drain(port: KernelPort, batch: Batch, flags: number, take: (i: number) => void): void {
    const { libc } = this.#options;
    for (let round = 0; round < MAX_BATCHES; round++) {
      batch.clear();
      const count = libc.recvmmsg(port.socket.fd, batch.headers(), BATCH, flags, null);
      for (let i = 0; i < Math.min(count, BATCH); i++) take(i);
      // The error of an earlier datagram is reported once, before anything that has arrived.
      if (count < 0 && !EMPTY.has(errorCode(libc.errno()))) continue;
      if (count < BATCH) return;
    }
  }

  #readArrival(port: KernelPort, i: number): void {
    const batch = this.#messages;
    this.#arrival.read(batch.name(i));
    batch.eachControl(i, (level, type, at, length) => {
      if (level !== SOL_SOCKET) return;
      if (type === SO_TIMESTAMPING) this.#arrival.atMs = this.#stamp(batch, at, length);
      if (type === SO_RXQ_OVFL && length >= 4) this.#countDropped(port, batch.word(at));
    });
  }

  #readError(port: KernelPort, i: number): void {
    const batch = this.#errors;
    let stampMs: number | undefined;
    let errorAt = -1;
    batch.eachControl(i, (level, type, at, length) => {
      if (level === SOL_SOCKET && type === SO_TIMESTAMPING) {
        stampMs = this.#stamp(batch, at, length);
      } else if (isExtendedError(level, type) && length >= EXTENDED_ERROR.bytes) {
        errorAt = at;
      }
    });
    if (errorAt < 0) return;
    if (batch.byte(errorAt + EXTENDED_ERROR.origin) !== ORIGIN_TIMESTAMPING) {
      this.#report(port, i, errorAt);
    } else if (stampMs !== undefined) {
      port.stamp(batch.word(errorAt + EXTENDED_ERROR.data), stampMs);
    }
  }

  #report(port: KernelPort, i: number, at: number): void {
    this.#networkErrors++;
    const batch = this.#errors;
    const name = batch.name(i);
    port.listener.networkError({
      address: addressIn(name),
      port: portIn(name),
      code: errorCode(batch.word(at + EXTENDED_ERROR.errno)),
      origin: batch.byte(at + EXTENDED_ERROR.origin),
      icmpType: batch.byte(at + EXTENDED_ERROR.type),
      icmpCode: batch.byte(at + EXTENDED_ERROR.code),
      info: batch.word(at + EXTENDED_ERROR.info),
    });
  }

  #stamp(batch: Batch, at: number, length: number): number | undefined {
    if (length < SCM_TIMESTAMPING.bytes) return undefined;
    const seconds = batch.word(at + SCM_TIMESTAMPING.seconds);
    if (seconds === 0) return undefined;
    return this.#options.timeOf(seconds, batch.word(at + SCM_TIMESTAMPING.nanoseconds));
  }

  /** @param total number of dropped datagrams since the socket was opened. */
  #countDropped(port: KernelPort, total: number): void {
    this.#options.onDropped((total - port.dropped) >>> 0);
    port.dropped = total;
  }
}

function isExtendedError(level: number, type: number): boolean {
  return (
    (level === IPPROTO_IP && type === IP_RECVERR) ||
    (level === IPPROTO_IPV6 && type === IPV6_RECVERR)
  );
}

/** One object for all arrivals; the address is decoded only on access. */
class ReadArrival implements Arrival {
  atMs: number | undefined;
  #name: Buffer = Buffer.alloc(0);

  read(name: Buffer): void {
    this.#name = name;
    this.atMs = undefined;
  }

  get address(): string {
    return addressIn(this.#name);
  }

  get port(): number {
    return portIn(this.#name);
  }
}
