/**
 * UDP sockets to DNS servers. A socket serves a few hundred queries, which saves resources, and is then
 * replaced by one with another unpredictable port (RFC 5452 9.2).
 */

import { randomInt } from 'node:crypto';
import * as dgram from 'node:dgram';
import { isConnected } from '../net/udp.js';
import { idOf } from './message.js';
import { type DnsServer, serverLabel, socketErrorOf } from './server.js';
import type { ServerEvent, ServerEventListener } from './server-event.js';

/** Number of queries after which a socket is replaced. */
const MAX_QUERIES = 256;
/** Number of messages with an unknown ID after which a socket is closed; late answers are far fewer. */
const MAX_UNSOLICITED = 1024;
/** RFC 1035 4.1.1: the ID of a query has 16 bits. */
const IDS = 65_536;

export class UdpSocketPool {
  readonly #sockets = new Map<string, PooledSocket>();

  /**
   * Sends a query and reports every message with its ID.
   *
   * @param encode encodes the query with a random ID.
   * @returns a function that ends the query; no event follows.
   */
  send(
    server: DnsServer,
    encode: (id: number) => Buffer,
    onEvent: ServerEventListener,
  ): () => void {
    try {
      return this.#socketTo(server).send(encode, onEvent);
    } catch (error) {
      onEvent({ kind: 'socketError', error: socketErrorOf(error, true) });
      return () => {};
    }
  }

  /** Closes the sockets to all other servers when their last queries have ended. */
  keepOnly(servers: readonly DnsServer[]): void {
    const labels = new Set(servers.map(serverLabel));
    for (const [label, socket] of this.#sockets) {
      if (labels.has(label)) continue;
      socket.retire();
      this.#sockets.delete(label);
    }
  }

  #socketTo(server: DnsServer): PooledSocket {
    const label = serverLabel(server);
    const current = this.#sockets.get(label);
    if (current !== undefined && !current.isUsedUp) return current;
    current?.retire();
    this.#sockets.delete(label);
    const replacement = new PooledSocket(server);
    this.#sockets.set(label, replacement);
    return replacement;
  }
}

class PooledSocket {
  readonly #socket: dgram.Socket;
  /** Open queries by ID. */
  readonly #listeners = new Map<number, ServerEventListener>();
  #queries = 0;
  #unsolicited = 0;
  /** Why the socket can no longer be used. */
  #failure: ServerEvent | undefined;
  #isRetired = false;
  #isClosed = false;

  /** @throws when no socket can be created. */
  constructor({ address, port }: DnsServer) {
    const family = address.includes(':') ? 6 : 4;
    this.#socket = dgram.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // The address is numeric: there is nothing to look up.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    this.#socket.on('message', (message) => this.#receive(message));
    this.#socket.on('error', (error) => {
      const isBeforeSend = !isConnected(this.#socket);
      this.#fail({ kind: 'socketError', error: socketErrorOf(error, isBeforeSend) });
    });
    try {
      // A connected socket receives only from this server and reports a closed port at once.
      this.#socket.connect(port, address);
      this.#socket.unref();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  get isUsedUp(): boolean {
    return this.#failure !== undefined || this.#queries >= MAX_QUERIES;
  }

  send(encode: (id: number) => Buffer, onEvent: ServerEventListener): () => void {
    // Connecting may have failed within the constructor.
    if (this.#failure !== undefined) {
      onEvent(this.#failure);
      return () => {};
    }
    const id = this.#unusedId();
    const bytes = encode(id);
    this.#queries++;
    this.#listeners.set(id, onEvent);
    if (isConnected(this.#socket)) this.#write(id, bytes);
    else this.#socket.once('connect', () => this.#write(id, bytes));
    return () => {
      this.#listeners.delete(id);
      this.#closeIfDone();
    };
  }

  /** Closes the socket once its last query has ended. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #unusedId(): number {
    for (;;) {
      const id = randomInt(IDS);
      if (!this.#listeners.has(id)) return id;
    }
  }

  /** An error of sending ends only this query. */
  #write(id: number, bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#socket.send(bytes, (error) => {
      if (error === null) return;
      this.#listeners.get(id)?.({ kind: 'socketError', error: socketErrorOf(error, false) });
    });
  }

  #receive(message: Buffer): void {
    const id = idOf(message);
    const onEvent = id === undefined ? undefined : this.#listeners.get(id);
    if (onEvent !== undefined) {
      onEvent({ kind: 'message', bytes: message });
    } else if (++this.#unsolicited >= MAX_UNSOLICITED) {
      // Once the socket is closed, the kernel drops such messages at no cost to the exporter.
      this.#fail({ kind: 'malformed', detail: 'too many unsolicited messages' });
    }
  }

  /** Ends all open queries. The next query gets a new socket. */
  #fail(event: ServerEvent): void {
    this.#failure ??= event;
    this.#close();
    for (const onEvent of [...this.#listeners.values()]) onEvent(event);
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#listeners.size === 0) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
