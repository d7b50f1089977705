/** The sent-by of a Via (RFC 3261 25.1: host [ COLON port ]), compared by what it means. */

import type { TransportName } from '../../shared/outcome.js';
import { DEFAULT_PORTS } from '../../shared/uri.js';

const SENT_BY = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,10}))?$/;

/**
 * Whether two sent-by values name the same host and port: names in either case, IPv6 addresses in
 * any spelling, and no port is the default one of the transport (RFC 3261 18.1.1).
 */
export function isSameSentBy(one: string, other: string, transport: TransportName): boolean {
  return canonicalSentBy(one, transport) === canonicalSentBy(other, transport);
}

function canonicalSentBy(text: string, transport: TransportName): string {
  // RFC 3261 25.1: COLON may have blanks around it.
  const plain = text.replace(/\s+/g, '');
  const [, host = plain, port] = SENT_BY.exec(plain) ?? [];
  return `${canonicalHost(host)} ${port === undefined ? DEFAULT_PORTS[transport] : Number(port)}`;
}

function canonicalHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const url = `http://[${bare}]`;
  if (bare.includes(':') && URL.canParse(url)) return new URL(url).hostname;
  // RFC 3261 25.1: a host name may end in a dot.
  return host.toLowerCase().replace(/\.$/, '');
}
