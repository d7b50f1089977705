/** A socket with kernel timestamps, the senders of its datagrams, and its listener. */

import type { KernelSocket } from './kernel-socket.js';

/** Number of last sends whose timestamps may still arrive. */
const MAX_STAMPS = 1 << 14;

/** Sends datagrams, and learns when each one left or why it failed. */
export interface Sender {
  /** @param atMs monotonic time just before the kernel received the datagram with this number. */
  handedOver(number: number, atMs: number): void;
  /** @param atMs monotonic time at which the datagram with this number left. */
  stamped(number: number, atMs: number): void;
  /** The kernel rejected the datagram. @param code `EPERM` or the like. */
  failed(code: string): void;
}

/** An error that the network or the local kernel reports for a datagram that was sent. */
export interface NetworkError {
  /** Destination of the datagram. */
  readonly address: string;
  readonly port: number;
  /** `ECONNREFUSED` or the like. */
  readonly code: string;
  /** ORIGIN_LOCAL, ORIGIN_ICMP or ORIGIN_ICMP6. */
  readonly origin: number;
  /** Type and code of the ICMP message. */
  readonly icmpType: number;
  readonly icmpCode: number;
  /** The MTU, if the packet was too big. */
  readonly info: number;
}

/** Source and arrival time of a datagram. Valid until the next datagram. */
export interface Arrival {
  readonly address: string;
  readonly port: number;
  /** Monotonic arrival time, milliseconds; undefined when it is unknown. */
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
  /** Number of datagrams that the kernel has dropped because the receive buffer was full. */
  dropped = 0;
  /** Monotonic: the end of a pause in which the kernel reports no network errors; undefined outside. */
  ignoresErrorsUntilMs: number | undefined;
  /** By the number of the send, modulo MAX_STAMPS. */
  readonly #senders: (Sender | undefined)[] = [];
  #nextNumber = 0;

  constructor(socket: KernelSocket, listener: PortListener) {
    this.socket = socket;
    this.listener = listener;
  }

  /** The kernel has accepted a datagram; it counts them in the same way. */
  handOver(sender: Sender | undefined, atMs: number): void {
    const number = this.#nextNumber;
    this.#nextNumber = (number + 1) >>> 0;
    this.#senders[number % MAX_STAMPS] = sender;
    sender?.handedOver(number, atMs);
  }

  /** The kernel reports when the datagram with this number left. */
  stamp(number: number, atMs: number): void {
    const age = (this.#nextNumber - number) >>> 0;
    if (age === 0 || age > MAX_STAMPS) return;
    this.#senders[number % MAX_STAMPS]?.stamped(number, atMs);
    this.#senders[number % MAX_STAMPS] = undefined;
  }

  /** Restarts the numbers on both sides: a failed send may or may not have used one. */
  renumber(): void {
    this.socket.restartNumbers();
    this.#nextNumber = 0;
    this.#senders.length = 0;
  }
}
