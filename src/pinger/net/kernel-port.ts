/** A stamped socket, those who send from it, and those who hear of it. */

import type { KernelSocket } from './kernel-socket.js';

/** Sends whose stamps may still come. */
const MAX_STAMPS = 1 << 14;

/** What sends datagrams, and hears what becomes of each. */
export interface Sender {
  /** @param atMs monotonic, just before the datagram with this number was handed to the kernel. */
  handedOver(number: number, atMs: number): void;
  /** @param atMs monotonic: when the datagram with this number left. */
  stamped(number: number, atMs: number): void;
  /** The kernel did not take it; `code` as in `EPERM`. */
  failed(code: string): void;
}

/** What the network, or our own kernel, said of a datagram of ours. */
export interface NetworkError {
  /** Where the datagram was to go. */
  readonly address: string;
  readonly port: number;
  /** As in `ECONNREFUSED`. */
  readonly code: string;
  /** ORIGIN_LOCAL, ORIGIN_ICMP or ORIGIN_ICMP6. */
  readonly origin: number;
  /** ICMP's type and code. */
  readonly icmpType: number;
  readonly icmpCode: number;
  /** Where a packet was too big: the MTU. */
  readonly info: number;
}

/** Where a datagram came from, and when. Valid until the next one. */
export interface Arrival {
  readonly address: string;
  readonly port: number;
  /** Monotonic, milliseconds: when it arrived; undefined when that is not known. */
  readonly atMs: number | undefined;
}

export interface PortListener {
  /** @param bytes a view, valid until it returns. */
  message(bytes: Buffer, from: Arrival): void;
  networkError(error: NetworkError): void;
}

export class KernelPort {
  readonly socket: KernelSocket;
  readonly listener: PortListener;
  /** Datagrams that the kernel dropped so far because the socket was full. */
  dropped = 0;
  /** By the number of the send, modulo MAX_STAMPS. */
  readonly #senders: (Sender | undefined)[] = [];
  #nextNumber = 0;

  constructor(socket: KernelSocket, listener: PortListener) {
    this.socket = socket;
    this.listener = listener;
  }

  /** The kernel took a datagram, and numbered it as we do. */
  handOver(sender: Sender | undefined, atMs: number): void {
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    this.#senders[number % MAX_STAMPS] = sender;
    sender?.handedOver(number, atMs);
  }

  /** The kernel says when the datagram with this number left. */
  stamp(number: number, atMs: number): void {
    const age = (this.#nextNumber - number) >>> 0;
    if (age === 0 || age > MAX_STAMPS) return;
    this.#senders[number % MAX_STAMPS]?.stamped(number, atMs);
    this.#senders[number % MAX_STAMPS] = undefined;
  }

  /** A send that failed may have taken a number, or not: numbers begin again on both sides. */
  renumber(): void {
    this.socket.restartNumbers();
    this.#nextNumber = 0;
    this.#senders.length = 0;
  }
}
