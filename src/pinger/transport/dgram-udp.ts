/**
 * UDP with `node:dgram`, for systems where kernel UDP is not available.
 *
 * A socket that is not connected does not receive ICMP errors. So retransmissions, and requests to a
 * target that did not answer its last ping, are sent through a socket that is bound to the same port and
 * connected to that target: a closed port is detected within a round trip, and a healthy target needs no
 * socket. To such a socket Linux reports port and protocol unreachable; an unreachable host or network is
 * detected only if the local routes show it.
 */

import type * as dgram from 'node:dgram';
import { DgramPort, type DgramPortOptions } from './dgram-port.js';
import { failureOf } from './socket-errors.js';
import type { Endpoint } from './transport.js';
import { type UdpOptions, UdpTransport } from './udp.js';
import type { Carrier, CarrierListener, UdpMedium } from './udp-medium.js';

/** Maximum number of connected sockets at a time; further targets have none. */
const MAX_CONNECTED = 1024;

export function dgramUdp(options: UdpOptions & DgramPortOptions): UdpTransport<DgramPort> {
  return new UdpTransport(options, new DgramMedium(options));
}

/** A socket that is connected to one endpoint, so that it receives the endpoint's ICMP errors. */
interface Connected {
  readonly key: string;
  readonly socket: dgram.Socket;
  readonly users: Set<DgramCarrier>;
  /** Number of messages received. */
  received: number;
}

class DgramMedium implements UdpMedium<DgramPort> {
  readonly #options: DgramPortOptions;
  /** By local port, and address and port of the peer. */
  readonly #connected = new Map<string, Connected>();

  constructor(options: DgramPortOptions) {
    this.#options = options;
  }

  open(family: 4 | 6): DgramPort {
    return new DgramPort(family, this.#options);
  }

  carrier(endpoint: Endpoint, isForOnce: boolean, listener: CarrierListener): Carrier<DgramPort> {
    return new DgramCarrier(this, endpoint, isForOnce, listener);
  }

  close(): void {
    for (const { socket } of this.#connected.values()) socket.close();
    this.#connected.clear();
  }

  /** The connected socket of an endpoint, shared by its users; undefined when there are too many sockets. */
  connect(port: DgramPort, endpoint: Endpoint, user: DgramCarrier): Connected | undefined {
    const key = `${port.port} ${endpoint.address} ${endpoint.port}`;
    const open = this.#connected.get(key) ?? this.#newConnected(key, port, endpoint);
    open?.users.add(user);
    return open;
  }

  /** The last user closes the socket after all messages have been read: it may have responses to others. */
  disconnect(open: Connected, user: DgramCarrier): void {
    open.users.delete(user);
    const closeUnlessUsed = (received: number, rounds: number) => {
      setImmediate(() => {
        if (open.users.size > 0 || this.#connected.get(open.key) !== open) return;
        if (open.received !== received || rounds > 0) {
          closeUnlessUsed(open.received, Math.max(rounds - 1, 0));
          return;
        }
        this.#connected.delete(open.key);
        open.socket.close();
      });
    };
    if (open.users.size === 0) closeUnlessUsed(open.received, 1);
  }

  #newConnected(key: string, port: DgramPort, endpoint: Endpoint): Connected | undefined {
    if (this.#connected.size >= MAX_CONNECTED) return undefined;
    const socket = port.connect(endpoint);
    if (socket === undefined) return undefined;
    const open: Connected = { key, socket, users: new Set(), received: 0 };
    socket.on('message', () => {
      open.received++;
    });
    socket.on('error', (error) => {
      for (const user of [...open.users]) user.fail(error);
    });
    this.#connected.set(key, open);
    return open;
  }
}

class DgramCarrier implements Carrier<DgramPort> {
  /** `node:dgram` does not provide it. */
  readonly sentAtMs = undefined;
  readonly #medium: DgramMedium;
  readonly #endpoint: Endpoint;
  readonly #listener: CarrierListener;
  #connected: Connected | undefined;
  /** The last ping was not answered: the next one is sent through a connected socket at once. */
  #isSuspect: boolean;

  constructor(
    medium: DgramMedium,
    endpoint: Endpoint,
    isForOnce: boolean,
    listener: CarrierListener,
  ) {
    this.#medium = medium;
    this.#endpoint = endpoint;
    this.#listener = listener;
    this.#isSuspect = isForOnce;
  }

  send(port: DgramPort, message: Uint8Array, isRetransmission: boolean): void {
    if (isRetransmission || this.#isSuspect) {
      this.#connected ??= this.#medium.connect(port, this.#endpoint, this);
    }
    if (this.#connected !== undefined && (isRetransmission || this.#isSuspect)) {
      this.#connected.socket.send(message, this.#onSent);
      return;
    }
    const { address, port: peerPort } = this.#endpoint;
    port.socket.send(message, peerPort, address, this.#onSent);
  }

  rest(isAnswered: boolean | undefined): void {
    this.#isSuspect = isAnswered === false;
    if (this.#connected === undefined) return;
    this.#medium.disconnect(this.#connected, this);
    this.#connected = undefined;
  }

  close(): void {}

  fail(error: NodeJS.ErrnoException): void {
    this.#listener.failed(failureOf(error));
  }

  readonly #onSent = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null) this.fail(error);
  };
}
