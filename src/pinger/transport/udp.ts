/**
 * SIP over UDP: one socket for each address family carries the pings of all targets.
 *
 * A socket without a peer never hears of ICMP errors. So a request that has to be retransmitted, and
 * every request to a target that left the last one without an answer, goes out through a socket that
 * is bound to the same port and connected to that address: a closed port is then told within a round
 * trip, and a healthy target costs no socket. On Linux the kernel tells a connected UDP socket of port
 * and protocol unreachable; that a host or a network cannot be reached is known only when our own
 * routes say so.
 */

import type * as dgram from 'node:dgram';
import type { LogLine } from '../../shared/protocol.js';
import { failureOf } from './failures.js';
import type { Endpoint, Flow, FlowUser, LocalAddress, Transport } from './transport.js';
import { SharedSocket, type SocketOptions } from './udp-socket.js';

/** How many connected sockets there may be at one moment; other targets go without. */
const MOST_CONNECTED = 1024;
/**
 * How long sockets stay open that nobody uses: whoever comes next may use them. On a port that was
 * asked for, not beyond the turn: others may want it, for another address.
 */
const LINGER_MS = 30_000;
/** Pause after a socket could not be opened. */
const RETRY_MS = 1_000;

export interface UdpOptions extends SocketOptions {
  readonly log: (line: LogLine) => void;
}

/** A socket that is connected to one endpoint, so that ICMP errors reach those who ping it. */
interface Connected {
  readonly socket: dgram.Socket;
  readonly users: Set<UdpFlow>;
  /** Messages that came in. */
  received: number;
}

export class UdpTransport implements Transport {
  readonly #options: UdpOptions;
  readonly #shared = new Map<4 | 6, SharedSocket>();
  /** By address and port of the peer. */
  readonly #connected = new Map<string, Connected>();
  /** By family whose socket could not be opened: the monotonic time before which it is not tried again. */
  readonly #retryAtMs = new Map<4 | 6, number>();
  /** Flows that are open. */
  #flows = 0;
  #linger: NodeJS.Timeout | undefined;

  constructor(options: UdpOptions) {
    this.#options = options;
  }

  open(endpoint: Endpoint, user: FlowUser, isForOnce: boolean): Flow {
    this.#flows++;
    clearTimeout(this.#linger);
    return new UdpFlow(this, endpoint, user, isForOnce);
  }

  /** A flow has ended; the sockets follow the last one. */
  ended(): void {
    if (--this.#flows > 0) return;
    clearTimeout(this.#linger);
    const lingerMs = this.#options.sourcePort === 0 ? LINGER_MS : 0;
    this.#linger = setTimeout(() => this.#closeSockets(), lingerMs);
    this.#linger.unref();
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#closeSockets();
  }

  #closeSockets(): void {
    for (const { socket } of this.#connected.values()) socket.close();
    for (const socket of this.#shared.values()) socket.close();
    this.#connected.clear();
    this.#shared.clear();
  }

  /** The family's socket, opened when first needed; undefined while it cannot be. */
  shared(family: 4 | 6): SharedSocket | undefined {
    const open = this.#shared.get(family);
    if (open !== undefined || performance.now() < (this.#retryAtMs.get(family) ?? 0)) return open;
    try {
      const socket = new SharedSocket(family, this.#options);
      this.#shared.set(family, socket);
      this.#retryAtMs.delete(family);
      return socket;
    } catch (error) {
      if (!this.#retryAtMs.has(family)) this.#logTrouble(family, error);
      this.#retryAtMs.set(family, performance.now() + RETRY_MS);
      return undefined;
    }
  }

  /** The connected socket for an endpoint, shared by its users; undefined when there are too many. */
  connect(endpoint: Endpoint, user: UdpFlow): dgram.Socket | undefined {
    const key = `${endpoint.address} ${endpoint.port}`;
    const open = this.#connected.get(key) ?? this.#newConnected(key, endpoint);
    open?.users.add(user);
    return open?.socket;
  }

  /** The last user that goes closes the socket, once it is read empty: others' answers may be in it. */
  disconnect(endpoint: Endpoint, user: UdpFlow): void {
    const key = `${endpoint.address} ${endpoint.port}`;
    const open = this.#connected.get(key);
    if (open === undefined) return;
    open.users.delete(user);
    const closeUnlessUsed = (received: number, rounds: number) => {
      setImmediate(() => {
        if (open.users.size > 0 || this.#connected.get(key) !== open) return;
        if (open.received !== received || rounds > 0) {
          closeUnlessUsed(open.received, Math.max(rounds - 1, 0));
          return;
        }
        this.#connected.delete(key);
        open.socket.close();
      });
    };
    if (open.users.size === 0) closeUnlessUsed(open.received, 1);
  }

  #newConnected(key: string, endpoint: Endpoint): Connected | undefined {
    const shared = this.#shared.get(endpoint.family);
    if (shared === undefined || this.#connected.size >= MOST_CONNECTED) return undefined;
    const socket = shared.connect(endpoint);
    if (socket === undefined) return undefined;
    const open: Connected = { socket, users: new Set(), received: 0 };
    socket.on('message', () => {
      open.received++;
    });
    socket.on('error', (error) => {
      for (const user of [...open.users]) user.fail(error);
    });
    this.#connected.set(key, open);
    return open;
  }

  #logTrouble(family: 4 | 6, error: unknown): void {
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

class UdpFlow implements Flow {
  readonly isReliable = false;
  readonly #transport: UdpTransport;
  readonly #endpoint: Endpoint;
  readonly #user: FlowUser;
  #local: LocalAddress | undefined;
  #own: dgram.Socket | undefined;
  /** The last ping got no answer: this one is sent through a connected socket from the start. */
  #isSuspect: boolean;
  #isClosed = false;

  constructor(
    transport: UdpTransport,
    endpoint: Endpoint,
    user: FlowUser,
    isSuspectAtFirst: boolean,
  ) {
    this.#transport = transport;
    this.#endpoint = endpoint;
    this.#user = user;
    this.#isSuspect = isSuspectAtFirst;
  }

  prepare(): void {
    const shared = this.#transport.shared(this.#endpoint.family);
    this.#local ??= shared?.localAddressTowards(this.#endpoint);
    if (this.#local !== undefined) this.#user.ready(this.#local);
    else if (shared !== undefined) this.#user.failed({ reason: 'unreachable' });
    else this.#user.failed({ reason: 'local', detail: 'the socket could not be opened' });
  }

  send(message: Uint8Array): void {
    if (this.#isSuspect) this.resend(message);
    else this.#sendShared(message);
  }

  resend(message: Uint8Array): void {
    this.#own ??= this.#transport.connect(this.#endpoint, this);
    if (this.#own === undefined) this.#sendShared(message);
    else this.#own.send(message, this.#onSent);
  }

  rest(isAnswered: boolean): void {
    this.#isSuspect = !isAnswered;
    if (this.#own === undefined) return;
    this.#own = undefined;
    this.#transport.disconnect(this.#endpoint, this);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.rest(true);
    this.#transport.ended();
  }

  /** The network said that what was sent cannot be delivered. */
  fail(error: NodeJS.ErrnoException): void {
    const failure = failureOf(error);
    // The address that we send from may be gone: it is looked up again for the next ping.
    if (failure.reason !== 'refused') this.#local = undefined;
    this.#user.failed(failure);
  }

  #sendShared(message: Uint8Array): void {
    const { address, port, family } = this.#endpoint;
    this.#transport.shared(family)?.socket.send(message, port, address, this.#onSent);
  }

  readonly #onSent = (error: NodeJS.ErrnoException | null): void => {
    if (error !== null) this.fail(error);
  };
}
