/** The hosts file (hosts(5)): addresses that names have without being looked up. */

import { addressFamily } from '../../shared/address.js';
import type { Address } from '../addresses.js';

/** Addresses by name, in lower case. A line that is none is passed over, as everywhere. */
export function parseHosts(text: string): ReadonlyMap<string, readonly Address[]> {
  const hosts = new Map<string, Address[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    const family = addressFamily(address);
    if (family === undefined) continue;
    for (const name of names) {
      const plain = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(plain) ?? [];
      if (!known.some((one) => one.address === address)) known.push({ address, family });
      hosts.set(plain, known);
    }
  }
  return hosts;
}
