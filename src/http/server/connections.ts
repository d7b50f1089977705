/**
 * The connections of the HTTP server. They take descriptors from the same limit as the connections
 * to destinations, so there is a bound on them, and at the bound a new connection gets the place of
 * one that does nothing, first of all of one that has asked for nothing: idle clients keep nobody out.
 */

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionCounts } from '../../metrics/exporter-families.js';

/** HTTP may take this share of the descriptors that the process may have. */
const SHARE = 1 / 4;
const MIN = 8;
const MAX = 1_000;
/** An answer that is so old and has bytes unread gives way when no connection is idle, ms. */
const PATIENCE_MS = 5_000;

interface Connection {
  /** As it was accepted: below TLS, where there is TLS. */
  readonly socket: Socket;
  /** Requests that have no whole answer yet. */
  pending: number;
  /** When the first of them came, monotonic milliseconds. */
  sinceMs: number;
  /** What answers are written to: the connection itself, or the TLS on top of it. */
  stream: Socket;
}

/** @param openFiles how many descriptors the process may have; undefined for no limit. */
export function connectionLimit(openFiles: number | undefined): number {
  return Math.min(Math.max(Math.floor((openFiles ?? Infinity) * SHARE), MIN), MAX);
}

export class Connections implements ConnectionCounts {
  readonly limit: number;
  /** Monotonic milliseconds. */
  readonly #now: () => number;
  readonly #all = new Map<string, Connection>();
  /** Those that have not sent a whole request yet, the oldest first. */
  readonly #silent = new Set<Connection>();
  /** Those whose requests are answered, the one that has been idle longest first. */
  readonly #idle = new Set<Connection>();
  #dropped = 0;

  constructor(limit: number, now: () => number) {
    this.limit = limit;
    this.#now = now;
  }

  get open(): number {
    return this.#all.size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a connection in, or closes it when there is no room that another could make. */
  accept(socket: Socket): void {
    const key = keyOf(socket);
    // The client has gone before it was accepted.
    if (key === undefined) {
      socket.destroy();
      return;
    }
    if (this.#all.size >= this.limit && !this.makeRoom()) {
      this.#dropped++;
      socket.destroy();
      return;
    }
    const connection = { socket, pending: 0, sinceMs: 0, stream: socket };
    this.#all.set(key, connection);
    this.#silent.add(connection);
    socket.once('close', () => this.#forget(key, connection));
  }

  /** A connection was not accepted for want of descriptors: one that is idle gives its own back. */
  refused(): void {
    this.#dropped++;
    this.makeRoom();
  }

  /** Closes the connection that can be spared most. False when every one is in use. */
  makeRoom(): boolean {
    const [silent] = this.#silent;
    const [idle] = this.#idle;
    const spared = silent ?? idle ?? this.#slowest();
    if (spared === undefined) return false;
    this.#dropped++;
    this.#forget(keyOf(spared.socket) ?? '', spared);
    spared.socket.destroy();
    return true;
  }

  /** A request came, and its connection is in use until it is answered. */
  began(socket: Socket, response: ServerResponse): void {
    const connection = this.#all.get(keyOf(socket) ?? '');
    if (connection === undefined) return;
    if (connection.pending++ === 0) {
      this.#silent.delete(connection);
      this.#idle.delete(connection);
      connection.sinceMs = this.#now();
      connection.stream = socket;
    }
    response.once('close', () => {
      if (--connection.pending === 0 && !connection.socket.destroyed) this.#idle.add(connection);
    });
  }

  isInUse(socket: Socket): boolean {
    return (this.#all.get(keyOf(socket) ?? '')?.pending ?? 0) > 0;
  }

  /** The oldest answer that its client does not read. */
  #slowest(): Connection | undefined {
    const unread = [...this.#all.values()].filter(
      ({ stream, sinceMs }) => stream.writableLength > 0 && this.#now() - sinceMs > PATIENCE_MS,
    );
    return unread.sort((a, b) => a.sinceMs - b.sinceMs)[0];
  }

  #forget(key: string, connection: Connection): void {
    this.#silent.delete(connection);
    this.#idle.delete(connection);
    if (this.#all.get(key) === connection) this.#all.delete(key);
  }
}

/** The same for a socket and for the TLS on top of it; undefined once the client has gone. */
function keyOf({ remoteAddress, remotePort, localAddress }: Socket): string | undefined {
  return remoteAddress === undefined ? undefined : `${remoteAddress} ${remotePort} ${localAddress}`;
}
