/**
 * The UDP ports that pings are sent from: for each address family a common one, as a rule the only
 * one; others while they are tried or in use; and for each of them sockets that are connected to one
 * endpoint.
 */

import type * as dgram from 'node:dgram';
import type { TransportFailure } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import { localFailure } from './socket-errors.js';
import type { Endpoint } from './transport.js';
import { SharedSocket, type SocketOptions } from './udp-socket.js';

/** How many connected sockets there may be at one moment; other targets go without. */
const MAX_CONNECTED = 1024;
/** Ports of one family besides the common one. */
const MAX_OTHERS = 8;
/** Ports of their own for pings that are made for once; more of those share the common one. */
const MAX_OWN = 256;
/** Pause after a socket could not be opened. */
const RETRY_MS = 1_000;

export interface UdpPortsOptions extends SocketOptions {
  readonly log: (line: LogLine) => void;
}

/** A socket that is connected to one endpoint, so that ICMP errors reach those who ping it. */
export interface Connected {
  readonly key: string;
  readonly socket: dgram.Socket;
  readonly users: Set<ConnectedListener>;
  /** Messages that came in. */
  received: number;
}

export interface ConnectedListener {
  /** The network said that what was sent cannot be delivered. */
  fail(error: NodeJS.ErrnoException): void;
}

export class UdpPorts {
  readonly #options: UdpPortsOptions;
  readonly #common = new Map<4 | 6, SharedSocket>();
  /** In the order in which they were opened. */
  readonly #others = new Set<SharedSocket>();
  readonly #own = new Set<SharedSocket>();
  /** By our port, and address and port of the peer. */
  readonly #connected = new Map<string, Connected>();
  /** By family whose socket could not be opened. */
  readonly #closed = new Map<4 | 6, { readonly error: unknown; readonly retryAtMs: number }>();

  constructor(options: UdpPortsOptions) {
    this.#options = options;
  }

  /** As asked for; empty for the one that the routes choose. */
  get sourceAddress(): string {
    return this.#options.sourceAddress;
  }

  /** The family's common port, opened when first needed; undefined while it cannot be. */
  common(family: 4 | 6): SharedSocket | undefined {
    const port = this.#common.get(family) ?? this.#openCommon(family);
    if (port !== undefined) port.users++;
    return port;
  }

  /** A port for one ping; the common one where that cannot be had. */
  own(family: 4 | 6): SharedSocket | undefined {
    const isAllowed = this.#options.sourcePort === 0 && this.#own.size < MAX_OWN;
    const port = isAllowed ? this.#tryOpen(family) : undefined;
    if (port === undefined) return this.common(family);
    this.#own.add(port);
    port.users++;
    return port;
  }

  /**
   * Another port than `home` to send one ping from, if possible one that is open and was not tried
   * in vain just now. Undefined where a port was asked for, or none can be had.
   */
  another(home: SharedSocket, lastTried: SharedSocket | undefined): SharedSocket | undefined {
    if (this.#options.sourcePort !== 0) return undefined;
    const { family } = home;
    const common = this.#common.get(family);
    const open = [...(common === undefined ? [] : [common]), ...this.#others].filter(
      (port) => port.family === family && port !== home,
    );
    const known = open.findLast((port) => port !== lastTried);
    const port = known ?? (open.length < MAX_OTHERS ? this.#tryOpen(family) : open.at(-1));
    if (port === undefined) return undefined;
    if (port !== common) this.#others.add(port);
    port.users++;
    return port;
  }

  /** A target moved: whoever comes next sends from the new port too, if the old one was common. */
  replace(old: SharedSocket, port: SharedSocket): void {
    if (this.#common.get(old.family) === old) {
      this.#others.delete(port);
      this.#others.add(old);
      this.#common.set(old.family, port);
    }
    this.release(old);
  }

  /** One user fewer; but for the common one, the last closes it. */
  release(port: SharedSocket): void {
    if (--port.users > 0 || this.#common.get(port.family) === port) return;
    if (this.#others.delete(port) || this.#own.delete(port)) port.close();
  }

  /** Why `common` has none. */
  failureOf(family: 4 | 6): TransportFailure {
    const error = this.#closed.get(family)?.error;
    const failure = error instanceof Error ? localFailure(error) : undefined;
    return failure ?? { reason: 'local', detail: 'the socket could not be opened' };
  }

  /** The connected socket for an endpoint, shared by its users; undefined when there are too many. */
  connect(
    port: SharedSocket,
    endpoint: Endpoint,
    listener: ConnectedListener,
  ): Connected | undefined {
    const key = `${port.port} ${endpoint.address} ${endpoint.port}`;
    const open = this.#connected.get(key) ?? this.#newConnected(key, port, endpoint);
    open?.users.add(listener);
    return open;
  }

  /** The last user that goes closes the socket, once it is read empty: others' answers may be in it. */
  disconnect(open: Connected, listener: ConnectedListener): void {
    open.users.delete(listener);
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

  close(): void {
    for (const { socket } of this.#connected.values()) socket.close();
    for (const port of [...this.#common.values(), ...this.#others, ...this.#own]) port.close();
    this.#connected.clear();
    this.#common.clear();
    this.#others.clear();
    this.#own.clear();
  }

  #openCommon(family: 4 | 6): SharedSocket | undefined {
    const before = this.#closed.get(family);
    if (before !== undefined && performance.now() < before.retryAtMs) return undefined;
    try {
      const port = new SharedSocket(family, this.#options);
      this.#common.set(family, port);
      this.#closed.delete(family);
      return port;
    } catch (error) {
      if (before === undefined) this.#logFailure(family, error);
      this.#closed.set(family, { error, retryAtMs: performance.now() + RETRY_MS });
      return undefined;
    }
  }

  #tryOpen(family: 4 | 6): SharedSocket | undefined {
    try {
      return new SharedSocket(family, this.#options);
    } catch {
      return undefined;
    }
  }

  #newConnected(key: string, port: SharedSocket, endpoint: Endpoint): Connected | undefined {
    if (this.#connected.size >= MAX_CONNECTED) return undefined;
    const socket = port.connect(endpoint);
    if (socket === undefined) return undefined;
    const open: Connected = { key, socket, users: new Set(), received: 0 };
    socket.on('message', () => {
      open.received++;
    });
    socket.on('error', (error) => {
      for (const listener of [...open.users]) listener.fail(error);
    });
    this.#connected.set(key, open);
    return open;
  }

  #logFailure(family: 4 | 6, error: unknown): void {
    const { sourceAddress, sourcePort } = this.#options;
    this.#options.log({
      level: 'error',
      message: 'cannot open a UDP socket; its pings fail with reason "local" until it opens',
      fields: {
        family: `ip${family}`,
        source_address: sourceAddress,
        source_port: sourcePort,
        error: error instanceof Error ? error.message : String(error),
      },
    });
  }
}
