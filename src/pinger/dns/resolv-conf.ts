/** resolv.conf(5): the DNS servers, and the domains that complete a name. */

import { readAddress } from '../../shared/address.js';
import { DNS_PORT, type DnsServer } from './server.js';

export interface ResolvConf {
  /** In the order of preference; at least one. */
  readonly servers: readonly DnsServer[];
  /** Domains that complete a name, in lower case, without the final dot. */
  readonly search: readonly string[];
  /** A name with fewer dots is first tried with each search domain, then as written. */
  readonly ndots: number;
}

/** From resolv.conf(5): MAXNS, the upper limit of `ndots`, and the default server. */
const MAX_SERVERS = 3;
const MAX_NDOTS = 15;
const LOCAL_SERVER: DnsServer = { address: '127.0.0.1', port: DNS_PORT };
export const DEFAULT_NDOTS = 1;
/** Maximum number of search domains, as in the kubelet. */
const MAX_DOMAINS = 32;

/** Skips invalid lines, as other resolvers do. */
export function parseResolvConf(text: string): ResolvConf {
  const servers: DnsServer[] = [];
  let search: readonly string[] = [];
  let ndots = DEFAULT_NDOTS;
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = (/^[^#;]*/.exec(line)?.[0] ?? '').trim().split(/\s+/);
    const [value = ''] = values;
    if (keyword === 'nameserver') {
      const address = serverAddress(value);
      const isKnown = servers.some((server) => server.address === address);
      if (address !== undefined && !isKnown) servers.push({ address, port: DNS_PORT });
    } else if (keyword === 'search' || keyword === 'domain') {
      // The last line of either keyword counts.
      search = searchList(keyword === 'domain' ? [value] : values);
    } else if (keyword === 'options') {
      const option = values.findLast((text) => /^ndots:\d+$/.test(text))?.slice('ndots:'.length);
      if (option !== undefined) ndots = Math.min(Number(option), MAX_NDOTS);
    }
  }
  const used = servers.slice(0, MAX_SERVERS);
  return { servers: used.length > 0 ? used : [LOCAL_SERVER], search, ndots };
}

/** The domains in canonical form, without the root domain `.`. */
export function searchList(domains: readonly string[]): readonly string[] {
  const canonical = domains.map((domain) => domain.toLowerCase().replace(/\.$/, ''));
  return [...new Set(canonical)].filter((domain) => domain !== '').slice(0, MAX_DOMAINS);
}

/** An IP address; a link-local one keeps its zone: `fe80::1%eth0`. */
function serverAddress(text: string): string | undefined {
  const [, bare = text, zone = ''] = /^(.*:.*?)(%[\w.-]+)$/.exec(text) ?? [];
  const ip = readAddress(bare);
  return ip === undefined ? undefined : `${ip.address}${zone}`;
}
