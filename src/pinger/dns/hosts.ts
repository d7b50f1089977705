/** The hosts file (hosts(5)): addresses of names that are not looked up in DNS. */

import { addressFamily } from '../../shared/address.js';

/** By name in lower case: its addresses as written, including those that cannot be pinged. */
export type HostsTable = ReadonlyMap<string, readonly string[]>;

/** Skips invalid lines, as the C library does. */
export function parseHosts(text: string): HostsTable {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address = '', ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    // RFC 4007 11: the zone of a link-local address.
    if (addressFamily(address.replace(/%.*$/, '')) === undefined) continue;
    for (const name of names) {
      const canonical = name.toLowerCase().replace(/\.$/, '');
      const addresses = hosts.get(canonical) ?? [];
      if (!addresses.includes(address)) addresses.push(address);
      hosts.set(canonical, addresses);
    }
  }
  return hosts;
}
