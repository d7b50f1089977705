/**
 * Batched UDP with kernel timestamps: one system call reads or sends up to 64 datagrams, and the kernel
 * records when each arrived or left. The sockets do not wake the event loop: the ping loop calls `drain`
 * and `flush` in each tick.
 */

import { Arena } from './arena.js';
import { Incoming } from './incoming.js';
import { KernelPort, type PortListener, type Sender } from './kernel-port.js';
import {
  KernelSocket,
  type KernelSocketOptions,
  type OpenDescriptors,
  type Shortfall,
} from './kernel-socket.js';
import { type Libc, LibcError } from './libc.js';
import { Outgoing } from './outgoing.js';
import { type SockaddrWords, sockaddrWords } from './sockaddr.js';
import { StampClock } from './stamp-clock.js';
import { SystemCallError } from './system-call-error.js';

/** Number of attempts to verify kernel timestamps, and the pause between two. */
const CHECKS = 50;
const CHECK_PAUSE_MS = 4;

export interface KernelUdpOptions {
  readonly libc: Libc;
  /** Monotonic, milliseconds: CLOCK_MONOTONIC, as `performance.now()`. */
  readonly now: () => number;
  readonly descriptors: OpenDescriptors;
  /** The kernel dropped this number of datagrams because a receive buffer was full. */
  readonly onDropped: (count: number) => void;
  /** The queue is not empty any more: call `flush`. */
  readonly onQueued: () => void;
  /** The network errors of a socket are ignored for a while, because there are too many. */
  readonly onErrorStorm: () => void;
  /** The kernel did not grant an option of a socket. */
  readonly onShortfall: (shortfall: Shortfall) => void;
}

export class KernelUdp {
  readonly #options: KernelUdpOptions;
  readonly #clock: StampClock;
  readonly #outgoing: Outgoing;
  readonly #incoming: Incoming;
  readonly #ports = new Set<KernelPort>();
  /** Stays open, so that the kernel goes on to record timestamps; nothing is read from it any more. */
  #witness: KernelPort | undefined;
  /** Sockets that are used only to find the local address of a route, by family and interface. */
  readonly #scouts = new Map<string, KernelSocket>();
  /** Whether the wall clock was set since the last drain, so that timestamps are ambiguous. */
  #wasClockSet = false;

  /** @throws LibcError when the kernel does not timestamp datagrams. */
  constructor(options: KernelUdpOptions) {
    const { libc, now, onDropped, onErrorStorm, onQueued } = options;
    this.#options = options;
    const arena = new Arena(libc, StampClock.bytes + Outgoing.bytes + Incoming.bytes);
    this.#clock = new StampClock(libc, arena, now);
    const readStamps = (port: KernelPort) => this.#incoming.drainErrors(port);
    this.#outgoing = new Outgoing({ libc, arena, now, readStamps, onQueued });
    this.#incoming = new Incoming({
      ...{ libc, arena, now, onDropped, onErrorStorm },
      timeOf: (seconds, nanoseconds) =>
        this.#wasClockSet ? undefined : this.#clock.monotonic(seconds, nanoseconds),
    });
    this.#check();
  }

  /** How many times the wall clock was set. Timestamps from before and after cannot be compared. */
  get clockSteps(): number {
    return this.#clock.steps;
  }

  /** Time of the last send, monotonic milliseconds. */
  get lastSentMs(): number {
    return this.#outgoing.lastSentMs;
  }

  /** @throws SystemCallError when it cannot be opened. */
  open(options: KernelSocketOptions, listener: PortListener): KernelPort {
    this.#checkFree(options);
    const socket = this.#openSocket(options);
    for (const shortfall of socket.shortfalls) this.#options.onShortfall(shortfall);
    const port = new KernelPort(socket, listener);
    this.#ports.add(port);
    return port;
  }

  /**
   * The local address of packets to `peer`.
   *
   * @param peer its sockaddr.
   * @throws SystemCallError when nothing can be sent there: `ENETUNREACH` without a route.
   */
  addressTowards(family: 4 | 6, interfaceName: string, peer: Buffer): string {
    const key = `${family} ${interfaceName}`;
    const known = this.#scouts.get(key);
    try {
      return (known ?? this.#openScout(key, family, interfaceName)).addressTowards(peer);
    } catch (error) {
      const isGone = error instanceof SystemCallError && error.code === 'ENODEV';
      if (!isGone || known === undefined) throw error;
      // The interface that it is bound to was removed; another may have its name now.
      this.#scouts.delete(key);
      known.close();
      return this.#openScout(key, family, interfaceName).addressTowards(peer);
    }
  }

  /** Queues a datagram for the next flush. @param peer its sockaddr. */
  send(
    port: KernelPort,
    message: Uint8Array,
    peer: SockaddrWords,
    sender: Sender | undefined,
  ): void {
    this.#outgoing.add(port, message, peer, sender);
  }

  flush(): void {
    this.#outgoing.flush();
  }

  /** Reads timestamps and errors of sent datagrams, and received datagrams. */
  drain(): void {
    this.#wasClockSet = this.#clock.check();
    for (const port of this.#ports) {
      this.#incoming.drainErrors(port);
      this.#incoming.drainMessages(port);
    }
  }

  close(port: KernelPort): void {
    if (!this.#ports.delete(port)) return;
    this.#outgoing.close(port);
    port.socket.close();
  }

  closeAll(): void {
    for (const port of this.#ports) this.close(port);
    this.#witness?.socket.close();
    for (const scout of this.#scouts.values()) scout.close();
    this.#scouts.clear();
  }

  #openScout(key: string, family: 4 | 6, interfaceName: string): KernelSocket {
    const scout = this.#openSocket({ family, address: '', port: 0, dscp: 0, interfaceName });
    this.#scouts.set(key, scout);
    return scout;
  }

  #openSocket(options: KernelSocketOptions): KernelSocket {
    return new KernelSocket(this.#options.libc, this.#options.descriptors, options);
  }

  /**
   * Checks that a configured port is free. The exporter's own sockets may share it, but another program
   * would receive some of the responses.
   */
  #checkFree(options: KernelSocketOptions): void {
    const { family, port } = options;
    if (port === 0) return;
    const isShared = [...this.#ports].some(
      ({ socket }) => socket.family === family && socket.port === port,
    );
    if (!isShared) KernelSocket.checkFree(this.#options.libc, this.#options.descriptors, options);
  }

  /**
   * Verifies that the kernel records both timestamps, with datagrams to itself. It starts to record them a
   * while after the first socket requests them and stops with the last one, so this socket stays open.
   */
  #check(): void {
    let hasArrival = false;
    let hasDeparture = false;
    let failure = '';
    const port = this.open(
      { family: 4, address: '127.0.0.1', port: 0, dscp: 0, interfaceName: '' },
      {
        message: (_bytes, { atMs }) => {
          hasArrival ||= atMs !== undefined;
        },
        networkError: () => {},
      },
    );
    const sender: Sender = {
      handedOver: () => {},
      stamped: () => {
        hasDeparture = true;
      },
      failed: (code) => {
        failure = `, sendmmsg: ${code}`;
      },
    };
    const own = sockaddrWords(4, '127.0.0.1', port.socket.port);
    for (let tries = 0; tries < CHECKS && !(hasArrival && hasDeparture); tries++) {
      if (tries > 0) sleep(CHECK_PAUSE_MS);
      this.send(port, Buffer.from('check'), own, sender);
      this.flush();
      this.drain();
    }
    if (hasArrival && hasDeparture) {
      this.#ports.delete(port);
      this.#witness = port;
      return;
    }
    this.close(port);
    const missing = hasArrival ? 'sends' : hasDeparture ? 'arrivals' : 'sends and arrivals';
    throw new LibcError(`the kernel does not stamp ${missing}${failure}`);
  }
}

/** Blocks the thread, in which nothing else runs yet. */
function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
