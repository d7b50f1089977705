/** The file that says which DNS servers to ask, and how to complete names (resolv.conf(5)). */

import { readAddress } from '../../shared/address.js';
import { DNS_PORT, type DnsServer } from './server.js';

export interface ResolvConf {
  /** In the order in which they are to be asked; at least one. */
  readonly servers: readonly DnsServer[];
  /** Domains that complete a name, in lower case, without their last dot. */
  readonly search: readonly string[];
  /** A name with fewer dots is completed first, and tried as it is after that. */
  readonly ndots: number;
}

/** As in resolv.conf(5): MAXNS, the ceiling of `ndots`, and the server where none is named. */
const MAX_SERVERS = 3;
const MAX_NDOTS = 15;
const LOCAL_SERVER: DnsServer = { address: '127.0.0.1', port: DNS_PORT };
export const USUAL_NDOTS = 1;
/** So many as the kubelet takes. */
const MAX_DOMAINS = 32;

/** What is no line of such a file is passed over, as by other resolvers. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: DnsServer[] = [];
  let search: readonly string[] = [];
  let ndots = USUAL_NDOTS;
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = (/^[^#;]*/.exec(line)?.[0] ?? '').trim().split(/\s+/);
    const [value = ''] = values;
    if (keyword === 'nameserver') {
      const address = serverAddress(value);
      const isKnown = servers.some((server) => server.address === address);
      if (address !== undefined && !isKnown) servers.push({ address, port: DNS_PORT });
    } else if (keyword === 'search' || keyword === 'domain') {
      // The last one counts, of the two together.
      search = searchList(keyword === 'domain' ? [value] : values);
    } else if (keyword === 'options') {
      const given = values.findLast((option) => /^ndots:\d+$/.test(option))?.slice('ndots:'.length);
      if (given !== undefined) ndots = Math.min(Number(given), MAX_NDOTS);
    }
  }
  const asked = servers.slice(0, MAX_SERVERS);
  return { servers: asked.length > 0 ? asked : [LOCAL_SERVER], search, ndots };
}

/** Domains as they complete a name: a single dot, the root, adds nothing. */
export function searchList(domains: readonly string[]): readonly string[] {
  const plain = domains.map((domain) => domain.toLowerCase().replace(/\.$/, ''));
  return [...new Set(plain)].filter((domain) => domain !== '').slice(0, MAX_DOMAINS);
}

/** An IP address; a link-local one may have the zone that it needs: `fe80::1%eth0`. */
function serverAddress(text: string): string | undefined {
  const [, bare = text, zone = ''] = /^(.*:.*?)(%[\w.-]+)$/.exec(text) ?? [];
  const ip = readAddress(bare);
  return ip === undefined ? undefined : `${ip.address}${zone}`;
}
