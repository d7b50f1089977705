/** A UDP port by `node:dgram`: how it is bound, connected to a peer, and asked for our address. */

import type * as dgram from 'node:dgram';
import type { LocalAddress } from '../../shared/address.js';
import { bind, isConnected } from '../net/udp.js';
import type { Endpoint, MessageHandler } from './transport.js';
import type { UdpPort } from './udp-medium.js';

export interface DgramPortOptions {
  /** IP address to send from; empty for the one that the routes choose. */
  readonly sourceAddress: string;
  /** 0 for one that the system chooses. */
  readonly sourcePort: number;
  readonly onMessage: MessageHandler;
}

export class DgramPort implements UdpPort {
  readonly socket: dgram.Socket;
  readonly port: number;
  readonly family: 4 | 6;
  users = 0;
  readonly #options: DgramPortOptions;
  /** Never sends: it is connected to a peer only to ask which address the routes choose. */
  readonly #scout: dgram.Socket | undefined;
  readonly #locals = new Map<string, LocalAddress>();

  /** @throws when it cannot be bound. */
  constructor(family: 4 | 6, options: DgramPortOptions) {
    this.family = family;
    this.#options = options;
    // Bound without reuseAddr first: with it, a port that another program reuses could be shared
    // with that program, and answers with it.
    const first = bind(family, options.sourceAddress, options.sourcePort, false);
    this.port = first.address().port;
    first.close();
    this.socket = bind(family, options.sourceAddress, this.port, true);
    this.socket.on('message', (bytes, from) => this.#take(bytes, from));
    // Errors of a send reach its callback; those of a shared receive belong to no ping.
    this.socket.on('error', () => {});
    if (options.sourceAddress !== '') return;
    try {
      this.#scout = bind(family, '', 0, false).on('error', () => {});
    } catch (error) {
      this.socket.close();
      throw error;
    }
  }

  /** The address that reaches `endpoint`; undefined when there is no route. */
  localAddressTowards(endpoint: Endpoint): LocalAddress | undefined {
    const scout = this.#scout;
    if (scout === undefined) return this.#local(this.#options.sourceAddress);
    scout.connect(endpoint.port, endpoint.address);
    if (!isConnected(scout)) return undefined;
    const { address } = scout.address();
    scout.disconnect();
    return this.#local(address);
  }

  /** One for all targets that are reached from the same address. */
  #local(address: string): LocalAddress {
    const known = this.#locals.get(address);
    if (known !== undefined) return known;
    const local = { address, port: this.port };
    this.#locals.set(address, local);
    return local;
  }

  /** A socket on the same port that hears of one endpoint alone; undefined when it cannot be had. */
  connect(endpoint: Endpoint): dgram.Socket | undefined {
    let socket: dgram.Socket;
    try {
      socket = bind(this.family, this.#options.sourceAddress, this.port, true);
    } catch {
      return undefined;
    }
    // Until it is connected it may catch a datagram that is meant for another target.
    socket.on('message', (bytes, from) => this.#take(bytes, from));
    socket.connect(endpoint.port, endpoint.address);
    if (isConnected(socket)) return socket;
    socket.on('error', () => {});
    socket.close();
    return undefined;
  }

  close(): void {
    this.socket.close();
    this.#scout?.close();
  }

  #take(bytes: Uint8Array, from: dgram.RemoteInfo): void {
    this.#options.onMessage(bytes, {
      address: from.address,
      port: from.port,
      isConnection: false,
      answer: (message, port) => {
        // Whoever sends from port 0 wants no answer, and Node throws at one.
        if (port > 0) this.socket.send(message, port, from.address, () => {});
      },
    });
  }
}
