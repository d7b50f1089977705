/**
 * In which order records are followed. It is a total order, so that the same records lead to the same
 * choice whatever the order in which an answer has them.
 */

import type { TransportName } from '../../shared/outcome.js';
import type { DnsRecord, NaptrRecord, SrvRecord } from './records.js';

/** NAPTR services (RFC 3263 4.1, RFC 7118 9.3) and their wires, the one that we like best first. */
const SERVICES: ReadonlyMap<string, TransportName> = new Map([
  ['SIP+D2U', 'udp'],
  ['SIP+D2T', 'tcp'],
  ['SIPS+D2T', 'tls'],
  ['SIP+D2W', 'ws'],
  ['SIPS+D2W', 'wss'],
]);
const LIKED = [...SERVICES.keys()];

/** The wire that a NAPTR service stands for, if it is one of ours. */
export function transportOfService(service: string): TransportName | undefined {
  return SERVICES.get(service);
}

/** Records of one type, those to follow first at the front. */
export function preferred<T extends DnsRecord>(records: readonly T[]): readonly T[] {
  return records.toSorted(compare);
}

function compare(a: DnsRecord, b: DnsRecord): number {
  if (a.type === 'SRV' && b.type === 'SRV') return compareSrv(a, b);
  if (a.type === 'NAPTR' && b.type === 'NAPTR') return compareNaptr(a, b);
  if ('address' in a && 'address' in b) return compareText(a.address, b.address);
  return 0;
}

/** RFC 2782: by priority; of equal ones the heavier first, as it is the likelier choice. */
function compareSrv(a: SrvRecord, b: SrvRecord): number {
  return (
    a.priority - b.priority ||
    b.weight - a.weight ||
    compareText(a.target, b.target) ||
    a.port - b.port
  );
}

/** RFC 3263 4.1: by order and preference; of equal ones the client chooses the wire that it likes. */
function compareNaptr(a: NaptrRecord, b: NaptrRecord): number {
  const liking = ({ service }: NaptrRecord) => {
    const location = LIKED.indexOf(service);
    return location < 0 ? LIKED.length : location;
  };
  return (
    a.order - b.order ||
    a.preference - b.preference ||
    liking(a) - liking(b) ||
    compareText(a.replacement, b.replacement) ||
    compareText(a.flags, b.flags)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
