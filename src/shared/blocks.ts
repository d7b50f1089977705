/** CIDR blocks (RFC 4632 3.1), each `address/length`. */

import { BlockList } from 'node:net';
import { addressFamily } from './uri.js';

/** Whether one of the blocks has the IP address. */
export function isInBlocks(address: string, blocks: readonly string[]): boolean {
  const list = new BlockList();
  const typeOf = (text: string) => (addressFamily(text) === 4 ? 'ipv4' : 'ipv6');
  for (const block of blocks) {
    const [network = '', length] = block.split('/');
    list.addSubnet(network, Number(length), typeOf(network));
  }
  return list.check(address, typeOf(address));
}
