/** A UDP port of `node:dgram`: binding, connecting to a peer, and the local address towards a peer. */

import type * as dgram from 'node:dgram';
import type { LocalAddress } from '../../shared/address.js';
import { bind, isConnected } from '../net/udp.js';
import type { Endpoint, MessageHandler } from './transport.js';
import type { UdpPort } from './udp-medium.js';

export interface DgramPortOptions {
  /** IP address to send from; empty to let the routes choose. */
  readonly sourceAddress: string;
  /** 0 to let the system choose. */
  readonly sourcePort: number;
  readonly onMessage: MessageHandler;
}

export class DgramPort implements UdpPort {
  readonly socket: dgram.Socket;
  readonly port: number;
  readonly family: 4 | 6;
  users = 0;
  readonly #options: DgramPortOptions;
  /** Never sends. It is connected to a peer only to find the local address that the routes choose. */
  readonly #routeSocket: dgram.Socket | undefined;
  readonly #locals = new Map<string, LocalAddress>();

  /** @throws an error of `bind`. */
  constructor(family: 4 | 6, options: DgramPortOptions) {
    this.family = family;
    this.#options = options;
    // First without reuseAddr, which would allow to share the port, and thus responses, with another
    // program.
    const first = bind(family, options.sourceAddress, options.sourcePort, false);
    this.port = first.address().port;
    first.close();
    this.socket = bind(family, options.sourceAddress, this.port, true);
    this.socket.on('message', (bytes, from) => this.#take(bytes, from));
    // Errors of a send go to its callback; an error of receiving belongs to no ping.
    this.socket.on('error', () => {});
    if (options.sourceAddress !== '') return;
    try {
      this.#routeSocket = bind(family, '', 0, false).on('error', () => {});
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /** The local address of packets to `endpoint`; undefined when there is no route. */
  localAddressTowards(endpoint: Endpoint): LocalAddress | undefined {
    const routeSocket = this.#routeSocket;
    if (routeSocket === undefined) return this.#local(this.#options.sourceAddress);
    routeSocket.connect(endpoint.port, endpoint.address);
    if (!isConnected(routeSocket)) return undefined;
    const { address } = routeSocket.address();
    routeSocket.disconnect();
    return this.#local(address);
  }

  /** Targets that are reached from the same address share one object. */
  #local(address: string): LocalAddress {
    const known = this.#locals.get(address);
    if (known !== undefined) return known;
    const local = { address, port: this.port };
    this.#locals.set(address, local);
    return local;
  }

  /** Opens a socket on the same port that receives only from `endpoint`; undefined when that fails. */
  connect(endpoint: Endpoint): dgram.Socket | undefined {
    let socket: dgram.Socket;
    try {
      socket = bind(this.family, this.#options.sourceAddress, this.port, true);
    } catch {
      return undefined;
    }
    // Before it is connected, it may receive datagrams of other targets.
    socket.on('message', (bytes, from) => this.#take(bytes, from));
    socket.connect(endpoint.port, endpoint.address);
    if (isConnected(socket)) return socket;
    socket.on('error', () => {});
    socket.close();
    return undefined;
  }

  close(): void {
    this.socket.close();
    this.#routeSocket?.close();
  }

  #take(bytes: Uint8Array, from: dgram.RemoteInfo): void {
    this.#options.onMessage(bytes, {
      address: from.address,
      port: from.port,
      isConnection: false,
      answer: (message, port) => {
        // A datagram from port 0 cannot be answered; Node.js would throw.
        if (port > 0) this.socket.send(message, port, from.address, () => {});
      },
    });
  }
}
