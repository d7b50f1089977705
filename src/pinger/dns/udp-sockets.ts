/**
 * Sockets to DNS servers. One serves a few hundred queries, so that a query costs little; then another
 * takes its place, whose port nobody can know beforehand (RFC 5452 9.2).
 */

import { randomInt } from 'node:crypto';
import * as dgram from 'node:dgram';
import { isConnected } from '../net/udp.js';
import { idOf } from './message.js';
import { type DnsServer, serverLabel, socketErrorOf } from './server.js';
import type { ServerEvent, ServerEventListener } from './server-event.js';

/** Queries that one socket serves. */
const MAX_QUERIES = 256;
/** Messages to no query that one socket takes before it is closed: late answers are far fewer. */
const MAX_STRAYS = 1024;
/** Query numbers (RFC 1035 4.1.1). */
const IDS = 65_536;

export class UdpSocketPool {
  readonly #lines = new Map<string, Line>();

  /**
   * Sends a query; `hear` is told of all that comes with its number, until the result is called.
   *
   * @param query its bytes, given its number, which nobody can guess.
   */
  send(server: DnsServer, query: (id: number) => Buffer, hear: ServerEventListener): () => void {
    const key = serverLabel(server);
    try {
      let line = this.#lines.get(key);
      if (line === undefined || line.isUsedUp) {
        line?.retire();
        this.#lines.delete(key);
        line = new Line(server);
        this.#lines.set(key, line);
      }
      return line.send(query, hear);
    } catch (error) {
      hear({ kind: 'fault', fault: socketErrorOf(error, true) });
      return () => {};
    }
  }

  /** Closes sockets to all other servers, each once its queries are over. */
  keepOnly(servers: readonly DnsServer[]): void {
    const labels = new Set(servers.map(serverLabel));
    for (const [label, line] of this.#lines) {
      if (labels.has(label)) continue;
      line.retire();
      this.#lines.delete(label);
    }
  }
}

class Line {
  readonly #socket: dgram.Socket;
  /** By the number of the query. */
  readonly #waiting = new Map<number, ServerEventListener>();
  #served = 0;
  #strays = 0;
  /** Why it cannot be used any more. */
  #end: ServerEvent | undefined;
  #isRetired = false;
  #isClosed = false;

  /** @throws when there can be no socket. */
  constructor({ address, port }: DnsServer) {
    const family = address.includes(':') ? 6 : 4;
    this.#socket = dgram.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // The address is a number: nothing is to be looked up for it.
      lookup: (host, _options, callback) => callback(null, host, family),
    });
    this.#socket.on('message', (message) => this.#take(message));
    this.#socket.on('error', (error) => {
      const fault = socketErrorOf(error, !isConnected(this.#socket));
      this.#break({ kind: 'fault', fault });
    });
    try {
      // Connected, so that nobody else is heard, and a closed port is told at once.
      this.#socket.connect(port, address);
      this.#socket.unref();
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  get isUsedUp(): boolean {
    return this.#end !== undefined || this.#served >= MAX_QUERIES;
  }

  send(query: (id: number) => Buffer, hear: ServerEventListener): () => void {
    if (this.#end !== undefined) {
      hear(this.#end);
      return () => {};
    }
    const id = this.#freeId();
    const bytes = query(id);
    this.#served++;
    this.#waiting.set(id, hear);
    if (isConnected(this.#socket)) this.#write(id, bytes);
    else this.#socket.once('connect', () => this.#write(id, bytes));
    return () => {
      this.#waiting.delete(id);
      this.#closeIfDone();
    };
  }

  /** No more queries come; it closes with the last answer. */
  retire(): void {
    this.#isRetired = true;
    this.#closeIfDone();
  }

  #freeId(): number {
    for (;;) {
      const id = randomInt(IDS);
      if (!this.#waiting.has(id)) return id;
    }
  }

  /** What goes wrong with one query ends that query. */
  #write(id: number, bytes: Buffer): void {
    if (this.#isClosed) return;
    this.#socket.send(bytes, (error) => {
      if (error !== null)
        this.#waiting.get(id)?.({ kind: 'fault', fault: socketErrorOf(error, false) });
    });
  }

  #take(message: Buffer): void {
    const id = idOf(message);
    const hear = id === undefined ? undefined : this.#waiting.get(id);
    if (hear !== undefined) {
      hear({ kind: 'message', bytes: message });
    } else if (++this.#strays >= MAX_STRAYS) {
      // Nobody asked for these; without a socket they cost nothing more.
      this.#break({ kind: 'garbage', why: 'messages that nobody asked for' });
    }
  }

  /** All who wait are told; the next query gets another socket. */
  #break(heard: ServerEvent): void {
    this.#end ??= heard;
    this.#close();
    for (const hear of [...this.#waiting.values()]) hear(heard);
  }

  #closeIfDone(): void {
    if (this.#isRetired && this.#waiting.size === 0) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }
}
