/**
 * Sockets to DNS servers. One serves a few hundred queries, so that a query costs little; then another
 * takes its place, whose port nobody can know beforehand.
 */

import * as dgram from 'node:dgram';
import { isConnected } from '../transport/udp-socket.js';
import type { DnsServer } from './client.js';

/** Queries that one socket serves. */
const MOST_QUERIES = 256;

/** Takes what the server sent; undefined when nothing listens there. */
export type Take = (message: Buffer | undefined) => void;

export class UdpLines {
  readonly #lines = new Map<string, Line>();

  /** Sends a query; `take` gets all that the server sends, until the result is called. */
  send(server: DnsServer, query: Buffer, take: Take): () => void {
    const key = `${server.address} ${server.port}`;
    let line = this.#lines.get(key);
    if (line === undefined || line.isUsedUp) {
      line?.retire();
      line = new Line(server);
      this.#lines.set(key, line);
    }
    return line.send(query, take);
  }
}

class Line {
  readonly #socket: dgram.Socket;
  readonly #waiting = new Set<Take>();
  #served = 0;
  #isBroken = false;
  #isRetired = false;

  constructor({ address, port }: DnsServer) {
    const family = address.includes(':') ? 6 : 4;
    this.#socket = dgram.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // The address is a number: nothing is to be looked up for it.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    this.#socket.on('message', (message) => this.#tell(message));
    this.#socket.on('error', () => {
      this.#isBroken = true;
      this.#tell(undefined);
    });
    // Connected, so that nobody else is heard, and a closed port is told at once.
    this.#socket.connect(port, address);
    this.#socket.unref();
  }

  get isUsedUp(): boolean {
    return this.#isBroken || this.#served >= MOST_QUERIES;
  }

  send(query: Buffer, take: Take): () => void {
    this.#served++;
    this.#waiting.add(take);
    const write = () => {
      // Its errors are those of the socket.
      if (!this.#isBroken) this.#socket.send(query, () => {});
    };
    if (isConnected(this.#socket)) write();
    else this.#socket.once('connect', write);
    return () => {
      this.#waiting.delete(take);
      this.#closeIfDone();
    };
  }

  /** No more queries come; it closes with the last answer. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #tell(message: Buffer | undefined): void {
    for (const take of [...this.#waiting]) take(message);
  }

  #closeIfDone(): void {
    if (!this.#isRetired || this.#waiting.size > 0) return;
    this.#isRetired = false;
    this.#isBroken = true;
    this.#socket.close();
  }
}
