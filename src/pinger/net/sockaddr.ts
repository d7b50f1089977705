/** Conversion of IP addresses and ports from and to `struct sockaddr`. */

import { readAddress } from '../../shared/address.js';
import { AF_INET, AF_INET6, SOCKADDR } from './layout.js';

/**
 * @param address numeric, IPv6 without brackets; empty for any address of the family.
 */
export function sockaddr(family: 4 | 6, address: string, port: number): Buffer {
  const bytes = Buffer.alloc(family === 4 ? SOCKADDR.bytes4 : SOCKADDR.bytes6);
  bytes.writeUInt16LE(family === 4 ? AF_INET : AF_INET6, SOCKADDR.family);
  bytes.writeUInt16BE(port, SOCKADDR.port);
  if (address === '') return bytes;
  if (family === 4) bytes.set(ipv4Bytes(address), SOCKADDR.address4);
  else bytes.set(ipv6Bytes(address), SOCKADDR.address6);
  return bytes;
}

/** A `sockaddr` as 32-bit words of this machine: a twentieth of the memory of a small Buffer. */
export type SockaddrWords = readonly number[];

/** As {@link sockaddr}, for an address that is kept. */
export function sockaddrWords(family: 4 | 6, address: string, port: number): SockaddrWords {
  const bytes = sockaddr(family, address, port);
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i));
}

export function portIn(name: Uint8Array): number {
  return ((name[SOCKADDR.port] ?? 0) << 8) | (name[SOCKADDR.port + 1] ?? 0);
}

/** The address as canonical text, IPv6 without brackets; empty when there is none. */
export function addressIn(name: Buffer): string {
  if (name.length < SOCKADDR.bytes4) return '';
  const family = name.readUInt16LE(SOCKADDR.family);
  if (family === AF_INET) {
    return name.subarray(SOCKADDR.address4, SOCKADDR.address4 + 4).join('.');
  }
  if (family !== AF_INET6 || name.length < SOCKADDR.bytes6) return '';
  const groups: string[] = [];
  for (let at = SOCKADDR.address6; at < SOCKADDR.address6 + 16; at += 2) {
    groups.push(name.readUInt16BE(at).toString(16));
  }
  return readAddress(groups.join(':'))?.address ?? '';
}

function ipv4Bytes(address: string): readonly number[] {
  return address.split('.').map(Number);
}

/** @param address canonical (RFC 5952): with up to one `::`, and maybe an IPv4 address at its end. */
function ipv6Bytes(address: string): readonly number[] {
  const [head = '', tail] = address.split('::');
  const before = groupBytes(head);
  const after = tail === undefined ? [] : groupBytes(tail);
  const zeros = new Array<number>(Math.max(16 - before.length - after.length, 0)).fill(0);
  return [...before, ...zeros, ...after];
}

function groupBytes(text: string): readonly number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (group.includes('.')) return ipv4Bytes(group);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
