/**
 * Limits the connections of the HTTP server, which share file descriptors with the connections to
 * destinations. At the limit a new connection replaces an idle one, preferably one that has not sent a
 * request, so that idle clients cannot block others.
 */

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionCounts } from '../../metrics/exporter-families.js';

/** Share of the file descriptors of the process that HTTP may use. */
const SHARE = 1 / 4;
const MIN = 8;
const MAX = 1_000;
/** If no connection is idle, one whose response is older and has unread bytes is replaced. */
const MAX_UNREAD_MS = 5_000;

interface Connection {
  /** The accepted socket, below TLS if there is TLS. */
  readonly socket: Socket;
  /** Number of requests without a complete response. */
  pending: number;
  /** Arrival of the first of them, monotonic milliseconds. */
  sinceMs: number;
  /** The socket that responses are written to: `socket`, or the TLS socket on top of it. */
  stream: Socket;
}

/** @param openFiles number of files that the process may open; undefined for no limit. */
export function connectionLimit(openFiles: number | undefined): number {
  return Math.min(Math.max(Math.floor((openFiles ?? Infinity) * SHARE), MIN), MAX);
}

export class Connections implements ConnectionCounts {
  readonly limit: number;
  /** Monotonic milliseconds. */
  readonly #now: () => number;
  readonly #all = new Map<string, Connection>();
  /** Connections without a complete request so far; the oldest first. */
  readonly #silent = new Set<Connection>();
  /** Connections without a pending request; the one that has been idle longest first. */
  readonly #idle = new Set<Connection>();
  /** Connections over Unix domain sockets, which have no addresses. */
  readonly #unixKeys = new WeakMap<Socket, string>();
  #unixCount = 0;
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

  /**
   * Registers a connection, or closes it when no other one can be replaced.
   *
   * @param isUnix over a Unix domain socket. Over TLS, `socket` is then the TLS socket.
   */
  accept(socket: Socket, isUnix = false): void {
    if (isUnix) this.#unixKeys.set(socket, `unix ${++this.#unixCount}`);
    const key = this.#keyOf(socket);
    // The client has already disconnected.
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

  /** The process has no file descriptor for a new connection: closes an idle one to free its descriptor. */
  acceptFailed(): void {
    this.#dropped++;
    this.makeRoom();
  }

  /** Closes the least useful connection. Returns false when all are in use. */
  makeRoom(): boolean {
    const [silent] = this.#silent;
    const [idle] = this.#idle;
    const victim = silent ?? idle ?? this.#slowest();
    if (victim === undefined) return false;
    this.#dropped++;
    this.#forget(this.#keyOf(victim.socket) ?? '', victim);
    victim.socket.destroy();
    return true;
  }

  /** Marks the connection as in use until this request is answered. */
  requestStarted(socket: Socket, response: ServerResponse): void {
    const connection = this.#all.get(this.#keyOf(socket) ?? '');
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
    return (this.#all.get(this.#keyOf(socket) ?? '')?.pending ?? 0) > 0;
  }

  /** The connection with the oldest unread response. */
  #slowest(): Connection | undefined {
    const unread = [...this.#all.values()].filter(
      ({ stream, sinceMs }) => stream.writableLength > 0 && this.#now() - sinceMs > MAX_UNREAD_MS,
    );
    return unread.sort((a, b) => a.sinceMs - b.sinceMs)[0];
  }

  /** The same key for a socket and the TLS socket on top of it; undefined when it is disconnected. */
  #keyOf(socket: Socket): string | undefined {
    const { remoteAddress, remotePort, localAddress } = socket;
    if (remoteAddress === undefined) return this.#unixKeys.get(socket);
    return `${remoteAddress} ${remotePort} ${localAddress}`;
  }

  #forget(key: string, connection: Connection): void {
    this.#silent.delete(connection);
    this.#idle.delete(connection);
    if (this.#all.get(key) === connection) this.#all.delete(key);
  }
}
