/**
 * The order in which records are followed. It is a total order, so that the same records always lead to
 * the same choice, although servers return them in varying order.
 */

import type { TransportName } from '../../shared/outcome.js';
import type { DnsRecord, NaptrRecord, SrvRecord } from './records.js';

/** NAPTR services (RFC 3263 4.1, RFC 7118 9.3) and their transports, in the exporter's order of preference. */
const SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);
const SERVICE_ORDER = [...SERVICES.keys()];

/** The transport of a NAPTR service; undefined for a service that is not supported. */
export function transportOfService(service: string): TransportName | undefined {
  return SERVICES.get(service);
}

/** Records of one type, the most preferred first. */
export function preferred<T extends DnsRecord>(records: readonly T[]): readonly T[] {
  return records.toSorted(compare);
}

function compare(a: DnsRecord, b: DnsRecord): number {
  if (a.type === 'SRV' && b.type === 'SRV') return compareSrv(a, b);
  if (a.type === 'NAPTR' && b.type === 'NAPTR') return compareNaptr(a, b);
  if ('address' in a && 'address' in b) return compareText(a.address, b.address);
  return 0;
}

/** RFC 2782: by priority, then by weight, because clients choose a larger weight more often. */
function compareSrv(a: SrvRecord, b: SrvRecord): number {
  return (
    a.priority - b.priority ||
    b.weight - a.weight ||
    compareText(a.target, b.target) ||
    a.port - b.port
  );
}

/** RFC 3263 4.1: by order and preference; among equal records the client chooses. */
function compareNaptr(a: NaptrRecord, b: NaptrRecord): number {
  const rank = ({ service }: NaptrRecord) => {
    const index = SERVICE_ORDER.indexOf(service);
    return index < 0 ? SERVICE_ORDER.length : index;
  };
  return (
    a.order - b.order ||
    a.preference - b.preference ||
    rank(a) - rank(b) ||
    compareText(a.replacement, b.replacement) ||
    compareText(a.flags, b.flags)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
