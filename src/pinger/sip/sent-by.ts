/** Compares the sent-by of Via headers by meaning (RFC 3261 25.1: host [ COLON port ]). */

import type { TransportName } from '../../shared/outcome.js';
import { DEFAULT_PORTS } from '../../shared/uri.js';

const SENT_BY = /^(\[[^\]]*\]|[^:]*)(?::(\d{1,10}))?$/;

/**
 * Whether two sent-by values name the same host and port. Case and the spelling of IPv6 addresses do not
 * matter, and a missing port is the transport's default one (RFC 3261 18.1.1).
 */
export function isSameSentBy(one: string, other: string, transport: TransportName): boolean {
  return canonicalSentBy(one, transport) === canonicalSentBy(other, transport);
}

function canonicalSentBy(text: string, transport: TransportName): string {
  // RFC 3261 25.1: COLON may have whitespace around it.
  const compact = text.replace(/\s+/g, '');
  const [, host = compact, port] = SENT_BY.exec(compact) ?? [];
  return `${canonicalHost(host)} ${port === undefined ? DEFAULT_PORTS[transport] : Number(port)}`;
}

function canonicalHost(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  const url = `http://[${bare}]`;
  if (bare.includes(':') && URL.canParse(url)) return new URL(url).hostname;
  // RFC 3261 25.1: a host name may end in a dot.
  return host.toLowerCase().replace(/\.$/, '');
}
