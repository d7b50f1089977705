/** A UDP socket with kernel timestamps, opened through libc instead of Node.js. */

import {
  AF_INET,
  AF_INET6,
  AF_UNSPEC,
  IP_RECVERR,
  IP_TOS,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_RECVERR,
  IPV6_TCLASS,
  IPV6_V6ONLY,
  SO_BINDTODEVICE,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_RXQ_OVFL,
  SO_SNDBUF,
  SO_TIMESTAMPING,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCKADDR,
  SOL_SOCKET,
  TIMESTAMPING,
  TIMESTAMPING_OPT_ID,
} from './layout.js';
import type { Libc } from './libc.js';
import { addressIn, portIn, sockaddr } from './sockaddr.js';
import { errorCode, SystemCallError } from './system-call-error.js';

/** Requested size in bytes; the system grants what its limits allow. */
const BUFFER_BYTES = 4 * 1024 * 1024;
const BUFFERS = [
  ['SO_RCVBUF', SO_RCVBUF],
  ['SO_SNDBUF', SO_SNDBUF],
] as const;

export interface KernelSocketOptions {
  readonly family: 4 | 6;
  /** IP address to send from; empty to let the routes choose. */
  readonly address: string;
  /** 0 to let the system choose. */
  readonly port: number;
  /** Differentiated services code point, 0 to 63. */
  readonly dscp: number;
  /** Network interface to send and receive through; empty for any. */
  readonly interfaceName: string;
}

/** A socket option that the kernel did not grant; the socket works without it. */
export type Shortfall =
  | { readonly option: 'IP_RECVERR' | 'SO_RXQ_OVFL' | 'IP_TOS'; readonly code: string }
  | {
      readonly option: 'SO_RCVBUF' | 'SO_SNDBUF';
      readonly grantedBytes: number;
      readonly requestedBytes: number;
    };

/** The list of the sockets that are open: the exit of the thread does not close them. */
export interface OpenDescriptors {
  /** 0 for none, otherwise 1 + descriptor. */
  readonly cells: Int32Array;
  /** The index of a cell for the next descriptor; -1 when there is no room. */
  freeCell(): number;
}

export class KernelSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly port: number;
  readonly shortfalls: readonly Shortfall[];
  readonly #libc: Libc;
  readonly #cells: Int32Array;
  readonly #cell: number;
  readonly #value = memory(4);

  /** @throws SystemCallError when it cannot be opened, bound or stamped. */
  constructor(
    libc: Libc,
    descriptors: OpenDescriptors,
    options: KernelSocketOptions & { readonly isExclusive?: boolean },
  ) {
    const { family } = options;
    this.#libc = libc;
    this.#cells = descriptors.cells;
    this.#cell = descriptors.freeCell();
    if (this.#cell < 0) throw new SystemCallError('socket', 'EMFILE');
    this.family = family;
    const domain = family === 4 ? AF_INET : AF_INET6;
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    // At once: a thread that is terminated within the call leaves the descriptor open.
    Atomics.store(this.#cells, this.#cell, 1 + libc.socket(domain, type, 0));
    this.fd = Atomics.load(this.#cells, this.#cell) - 1;
    if (this.fd < 0) throw new SystemCallError('socket', errorCode(libc.errno()));
    try {
      this.shortfalls = this.#configure(options);
      this.port = this.#bind(options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /**
   * Checks that no other program uses the port.
   *
   * @throws SystemCallError with EADDRINUSE if one does, or with another error of binding.
   */
  static checkFree(libc: Libc, descriptors: OpenDescriptors, options: KernelSocketOptions): void {
    new KernelSocket(libc, descriptors, { ...options, isExclusive: true }).close();
  }

  /** Whether the kernel reports network errors; those that it has are discarded when it does not. */
  reportErrors(isOn: boolean): void {
    codeOf(() => this.#setErrors(isOn ? 1 : 0));
  }

  /** Restarts the numbers of sends at 0. Timestamps of earlier sends may still arrive. */
  restartNumbers(): void {
    this.#set('SO_TIMESTAMPING', SOL_SOCKET, SO_TIMESTAMPING, TIMESTAMPING);
    this.#set('SO_TIMESTAMPING', SOL_SOCKET, SO_TIMESTAMPING, TIMESTAMPING | TIMESTAMPING_OPT_ID);
  }

  /**
   * The address that packets to `peer` leave from.
   *
   * @throws SystemCallError when nothing can be sent there: `ENETUNREACH` without a route.
   */
  addressTowards(peer: Buffer): string {
    const name = memory(SOCKADDR.bytes);
    name.writeUInt16LE(AF_UNSPEC, SOCKADDR.family);
    // Disconnects first, because a connected socket keeps its local address.
    this.#libc.connect(this.fd, name, SOCKADDR.bytes4);
    name.set(peer);
    if (this.#libc.connect(this.fd, name, peer.length) !== 0) {
      throw new SystemCallError('connect', errorCode(this.#libc.errno()));
    }
    return addressIn(this.#ownName(name));
  }

  close(): void {
    // In this order: the number of a closed descriptor may be given to another file at once.
    Atomics.store(this.#cells, this.#cell, 0);
    this.#libc.close(this.fd);
  }

  #configure(
    options: KernelSocketOptions & { readonly isExclusive?: boolean },
  ): readonly Shortfall[] {
    const { family, dscp, interfaceName, port, isExclusive = false } = options;
    const shortfalls: Shortfall[] = [];
    const attempt = (option: 'IP_RECVERR' | 'SO_RXQ_OVFL' | 'IP_TOS', set: () => void) => {
      const code = codeOf(set);
      if (code !== undefined) shortfalls.push({ option, code });
    };
    if (family === 6) this.#set('IPV6_V6ONLY', IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (port !== 0 && !isExclusive) this.#set('SO_REUSEADDR', SOL_SOCKET, SO_REUSEADDR, 1);
    this.restartNumbers();
    attempt('SO_RXQ_OVFL', () => this.#set('SO_RXQ_OVFL', SOL_SOCKET, SO_RXQ_OVFL, 1));
    attempt('IP_RECVERR', () => this.#setErrors(1));
    if (dscp !== 0) attempt('IP_TOS', () => this.#mark(family, dscp));
    if (interfaceName !== '') bindToInterface(this.#libc, this.fd, interfaceName);
    shortfalls.push(...this.#askForBuffers());
    return shortfalls;
  }

  #setErrors(value: 0 | 1): void {
    if (this.family === 4) this.#set('IP_RECVERR', IPPROTO_IP, IP_RECVERR, value);
    else this.#set('IPV6_RECVERR', IPPROTO_IPV6, IPV6_RECVERR, value);
  }

  /** RFC 2474 3: the code point is the upper six bits of the octet. */
  #mark(family: 4 | 6, dscp: number): void {
    if (family === 4) this.#set('IP_TOS', IPPROTO_IP, IP_TOS, dscp << 2);
    else this.#set('IPV6_TCLASS', IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
  }

  #askForBuffers(): readonly Shortfall[] {
    const requestedBytes = BUFFER_BYTES;
    return BUFFERS.flatMap(([option, name]) => {
      codeOf(() => this.#set(option, SOL_SOCKET, name, requestedBytes));
      // The kernel reports twice the size that it grants (socket(7)).
      const grantedBytes = this.#get(option, SOL_SOCKET, name) / 2;
      return grantedBytes < requestedBytes ? [{ option, grantedBytes, requestedBytes }] : [];
    });
  }

  /** Binds the socket. Returns its port. */
  #bind({ family, address, port }: KernelSocketOptions): number {
    const name = memory(SOCKADDR.bytes);
    const requested = sockaddr(family, address, port);
    name.set(requested);
    if (this.#libc.bind(this.fd, name, requested.length) !== 0) {
      throw new SystemCallError('bind', errorCode(this.#libc.errno()));
    }
    return portIn(this.#ownName(name));
  }

  /** The local address of the socket. @param name space for a sockaddr, in memory that does not move. */
  #ownName(name: Buffer): Buffer {
    this.#value.writeUInt32LE(SOCKADDR.bytes);
    if (this.#libc.getsockname(this.fd, name, this.#value) !== 0) {
      throw new SystemCallError('getsockname', errorCode(this.#libc.errno()));
    }
    return name;
  }

  #set(option: string, level: number, name: number, value: number): void {
    this.#value.writeInt32LE(value);
    if (this.#libc.setsockopt(this.fd, level, name, this.#value, 4) === 0) return;
    throw new SystemCallError(option, errorCode(this.#libc.errno()));
  }

  #get(option: string, level: number, name: number): number {
    const length = memory(4);
    length.writeUInt32LE(4);
    if (this.#libc.getsockopt(this.fd, level, name, this.#value, length) !== 0) {
      throw new SystemCallError(option, errorCode(this.#libc.errno()));
    }
    return this.#value.readInt32LE();
  }
}

/** @throws SystemCallError when there is no such interface, or the kernel does not permit it. */
export function bindToInterface(libc: Libc, fd: number, name: string): void {
  const value = memory(name.length + 1);
  value.write(name, 'latin1');
  if (libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, value, value.length) === 0) return;
  throw new SystemCallError('SO_BINDTODEVICE', errorCode(libc.errno()));
}

/** Why an option could not be set; undefined when it could. */
function codeOf(set: () => void): string | undefined {
  try {
    set();
    return undefined;
  } catch (error) {
    if (error instanceof SystemCallError) return error.code;
    throw error;
  }
}

/** A Buffer that V8 does not move; a normal one of up to 64 bytes may be on its heap. */
function memory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}
