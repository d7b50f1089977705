/** How the answers of `test/corpus/dns` are read, in the words of verdicts.txt. */

import { parseAnswer } from '../../src/pinger/dns/message.js';
import type { DnsRecord, RecordType } from '../../src/pinger/dns/records.js';
import type { Case } from './corpus.js';

/** The type of the query that the case answers. */
export function typeOf({ verdict }: Case): RecordType {
  const [type] = verdict;
  if (type === 'A' || type === 'SRV' || type === 'NAPTR') return type;
  throw new Error(`expected A, SRV or NAPTR, got ${type}`);
}

/** The name that is queried for a destination with this domain. */
export function questionOf(type: RecordType, domain: string): string {
  return type === 'SRV' ? `_sip._udp.${domain}` : domain;
}

/** The meaning of an answer to a query for `name.test`. */
export function readingOf(bytes: Buffer, type: RecordType): string {
  const meaning = parseAnswer(bytes, { name: questionOf(type, 'name.test'), type });
  if (meaning === undefined) return 'none';
  switch (meaning.kind) {
    case 'truncated':
      return 'truncated';
    case 'alias':
      return `alias ${meaning.name}`;
    case 'absent':
      return meaning.reason;
    case 'error':
      return meaning.what === 'REFUSED' ? 'refused' : 'servfail';
    case 'records':
      return `${meaning.records.map(shown).join(', ')} ttl ${meaning.ttlSeconds}`;
    default:
      return meaning satisfies never;
  }
}

function shown(record: DnsRecord): string {
  switch (record.type) {
    case 'A':
    case 'AAAA':
      return `${record.type} ${record.address}`;
    case 'SRV':
      return `SRV ${record.priority} ${record.weight} ${record.port} ${record.target || '.'}`;
    case 'NAPTR': {
      const { order, preference, flags, service, replacement } = record;
      return `NAPTR ${order} ${preference} ${flags} ${service} ${replacement || '.'}`;
    }
    default:
      return record satisfies never;
  }
}
