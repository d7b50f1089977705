/** CIDR blocks (RFC 4632 3.1), each `address/length`. */

import { BlockList } from 'node:net';
import { addressFamily, readAddress } from './address.js';

/** Bits of an IPv4-mapped IPv6 address before the IPv4 address in it. */
const MAPPED_BITS = 96;

/**
 * Whether one of the blocks, in canonical text, contains the IP address. An IPv4-mapped address counts
 * as the IPv4 address in it: it can be in `127.0.0.0/8`, but not in `::/0`.
 */
export function isInCidr(address: string, blocks: readonly string[]): boolean {
  const ip = readAddress(address);
  if (ip === undefined) return false;
  const list = new BlockList();
  for (const block of blocks) {
    const [network = '', length] = block.split('/');
    // A `BlockList` also matches IPv4 addresses with IPv6 blocks, as mapped ones.
    if (addressFamily(network) !== ip.family) continue;
    list.addSubnet(network, Number(length), `ipv${ip.family}`);
  }
  return list.check(ip.address, `ipv${ip.family}`);
}

/**
 * The canonical text of a block, or of a single address: `::ffff:10.0.0.0/104` is `10.0.0.0/8`.
 * Undefined when the text has no IP address; the range of valid prefix lengths when its own is not
 * among them.
 */
export function canonicalCidr(
  text: string,
): string | { readonly shortest: number; readonly longest: number } | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const ip = more.length > 0 ? undefined : readAddress(address);
  if (ip === undefined) return undefined;
  const shortest = ip.family === 4 && address.includes(':') ? MAPPED_BITS : 0;
  const longest = shortest + (ip.family === 4 ? 32 : 128);
  const length = Number(prefix ?? longest);
  if (!/^\d{1,3}$/.test(prefix ?? '0') || length < shortest || length > longest) {
    return { shortest, longest };
  }
  return `${ip.address}/${length - shortest}`;
}
