/** A UDP socket that the kernel stamps, opened by libc and not by Node. */

import { getSystemErrorMap } from 'node:util';
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

/** Asked for, in bytes; the system grants what its limits allow. */
const BUFFER_BYTES = 4 * 1024 * 1024;

export interface KernelSocketOptions {
  readonly family: 4 | 6;
  /** IP address to send from; empty for the one that the routes choose. */
  readonly address: string;
  /** 0 for one that the system chooses. */
  readonly port: number;
  /** Differentiated services code point, 0 to 63. */
  readonly dscp: number;
  /** Network interface to send and receive by; empty for any. */
  readonly interfaceName: string;
}

/** What the kernel did not grant; none of it keeps the socket from working. */
export interface Shortfall {
  /** `IP_RECVERR`, `SO_RCVBUF` and the like. */
  readonly option: string;
  readonly detail: string;
}

/** An error of a system call, with the `code` that Node gives to such errors. */
export class SystemCallError extends Error {
  override readonly name = 'SystemCallError';
  readonly code: string;

  constructor(call: string, code: string) {
    super(`${call}: ${code}`);
    this.code = code;
  }
}

/** `ECONNREFUSED` of 111. */
export function errorCode(errno: number): string {
  const [code] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`];
  return code;
}

export class KernelSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  readonly port: number;
  readonly shortfalls: readonly Shortfall[];
  readonly #libc: Libc;
  readonly #value = memory(4);

  /** @throws SystemCallError when it cannot be opened, bound or stamped. */
  constructor(libc: Libc, options: KernelSocketOptions & { readonly isExclusive?: boolean }) {
    const { family } = options;
    this.#libc = libc;
    this.family = family;
    const domain = family === 4 ? AF_INET : AF_INET6;
    this.fd = libc.socket(domain, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (this.fd < 0) throw new SystemCallError('socket', errorCode(libc.errno()));
    try {
      this.shortfalls = this.#configure(options);
      this.port = this.#bind(options);
    } catch (error) {
      libc.close(this.fd);
      throw error;
    }
  }

  /**
   * Whether another program has the port.
   *
   * @throws SystemCallError EADDRINUSE when it has, and what else keeps a socket from being bound.
   */
  static checkFree(libc: Libc, options: KernelSocketOptions): void {
    new KernelSocket(libc, { ...options, isExclusive: true }).close();
  }

  /** Numbers sends from 0 again. Stamps of earlier sends may still come. */
  restartNumbers(): void {
    this.#set('SO_TIMESTAMPING', SOL_SOCKET, SO_TIMESTAMPING, TIMESTAMPING);
    this.#set('SO_TIMESTAMPING', SOL_SOCKET, SO_TIMESTAMPING, TIMESTAMPING | TIMESTAMPING_OPT_ID);
  }

  /** The address that packets to `peer` leave from; undefined when there is no route. */
  addressTowards(peer: Buffer): string | undefined {
    const name = memory(SOCKADDR.bytes);
    name.writeUInt16LE(AF_UNSPEC, SOCKADDR.family);
    // Connected once, it would keep the address that was chosen then.
    this.#libc.connect(this.fd, name, SOCKADDR.bytes4);
    name.set(peer);
    if (this.#libc.connect(this.fd, name, peer.length) !== 0) return undefined;
    return addressIn(this.#ownName(name));
  }

  close(): void {
    this.#libc.close(this.fd);
  }

  #configure(
    options: KernelSocketOptions & { readonly isExclusive?: boolean },
  ): readonly Shortfall[] {
    const { family, dscp, interfaceName, port, isExclusive = false } = options;
    const shortfalls: Shortfall[] = [];
    const attempt = (option: string, set: () => void) => {
      try {
        set();
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        shortfalls.push({ option, detail: error.code });
      }
    };
    if (family === 6) this.#set('IPV6_V6ONLY', IPPROTO_IPV6, IPV6_V6ONLY, 1);
    if (port !== 0 && !isExclusive) this.#set('SO_REUSEADDR', SOL_SOCKET, SO_REUSEADDR, 1);
    this.restartNumbers();
    attempt('SO_RXQ_OVFL', () => this.#set('SO_RXQ_OVFL', SOL_SOCKET, SO_RXQ_OVFL, 1));
    attempt('IP_RECVERR', () => {
      if (family === 4) this.#set('IP_RECVERR', IPPROTO_IP, IP_RECVERR, 1);
      else this.#set('IPV6_RECVERR', IPPROTO_IPV6, IPV6_RECVERR, 1);
    });
    // RFC 2474 3: the code point is the upper six bits of the octet.
    if (dscp !== 0 && family === 4) this.#set('IP_TOS', IPPROTO_IP, IP_TOS, dscp << 2);
    if (dscp !== 0 && family === 6) this.#set('IPV6_TCLASS', IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
    if (interfaceName !== '') this.#bindToInterface(interfaceName);
    for (const [option, name] of [
      ['SO_RCVBUF', SO_RCVBUF],
      ['SO_SNDBUF', SO_SNDBUF],
    ] as const) {
      attempt(option, () => this.#set(option, SOL_SOCKET, name, BUFFER_BYTES));
      // The kernel tells twice what it grants (socket(7)).
      const granted = this.#get(option, SOL_SOCKET, name) / 2;
      if (granted >= BUFFER_BYTES) continue;
      shortfalls.push({ option, detail: `${granted} of ${BUFFER_BYTES} bytes` });
    }
    return shortfalls;
  }

  #bindToInterface(name: string): void {
    const value = memory(name.length + 1);
    value.write(name, 'latin1');
    const { fd } = this;
    if (this.#libc.setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, value, value.length) === 0) return;
    throw new SystemCallError('SO_BINDTODEVICE', errorCode(this.#libc.errno()));
  }

  /** @returns the port. */
  #bind({ family, address, port }: KernelSocketOptions): number {
    const name = memory(SOCKADDR.bytes);
    const wanted = sockaddr(family, address, port);
    name.set(wanted);
    if (this.#libc.bind(this.fd, name, wanted.length) !== 0) {
      throw new SystemCallError('bind', errorCode(this.#libc.errno()));
    }
    return portIn(this.#ownName(name));
  }

  /** @param name room for a sockaddr, in memory that does not move. */
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

/** A Buffer of up to 64 bytes may lie on V8's heap, and be moved: these do not. */
function memory(bytes: number): Buffer {
  return Buffer.from(new ArrayBuffer(bytes));
}
