/** The hosts file (hosts(5)): addresses that names have without being looked up. */

import { addressFamily } from '../../shared/address.js';

/** By name, in lower case: its addresses as they are written, whether they can be pinged or not. */
export type HostsTable = ReadonlyMap<string, readonly string[]>;

/** A line that is none is passed over, as everywhere. */
export function parseHosts(text: string): HostsTable {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    // RFC 4007 11: the zone of a link-local address.
    if (addressFamily(address.replace(/%.*$/, '')) === undefined) continue;
    for (const name of names) {
      const plain = name.toLowerCase().replace(/\.$/, '');
      const known = hosts.get(plain) ?? [];
      if (!known.includes(address)) known.push(address);
      hosts.set(plain, known);
    }
  }
  return hosts;
}
