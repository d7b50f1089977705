/** Log lines about DNS queries and their answers. */

import type { LogLine } from '../../shared/protocol.js';
import { printable } from '../../shared/text.js';
import type { DnsRecord } from './records.js';
import { serverLabel } from './server.js';
import type { QueryOutcome, ServerQuery } from './server-query.js';

/** Maximum number of records that are logged per answer, and of characters in all of them. */
const MAX_RECORDS = 16;
const MAX_LENGTH = 1024;

export function queryLine(query: ServerQuery): LogLine {
  const fields = queryFields(query);
  return { level: 'debug', event: 'dns_query', message: 'DNS query sent', fields };
}

/** @param ms duration of the query. */
export function answerLine(query: ServerQuery, outcome: QueryOutcome, ms: number): LogLine {
  const message = isAnswered(outcome) ? 'DNS answer received' : 'DNS query failed';
  const fields = { ...queryFields(query), ...outcomeFields(outcome), ms: Math.round(ms) };
  return { level: 'debug', event: 'dns_answer', message, fields };
}

function isAnswered({ kind }: QueryOutcome): boolean {
  return kind !== 'silent' && kind !== 'socketError' && kind !== 'malformed';
}

function queryFields({ server, question, isOverTcp }: ServerQuery): LogLine['fields'] {
  const { name, type, host = name } = question;
  const transport = isOverTcp ? 'tcp' : 'udp';
  return {
    host: printable(host),
    server: serverLabel(server),
    transport,
    name: printable(name),
    type,
  };
}

function outcomeFields(outcome: QueryOutcome): LogLine['fields'] {
  switch (outcome.kind) {
    case 'records': {
      const { records, ttlSeconds: ttl } = outcome;
      const text = records.slice(0, MAX_RECORDS).map(recordText).join(', ');
      const count = records.length;
      return { rcode: 'NOERROR', records: printable(text, MAX_LENGTH), count, ttl };
    }
    case 'absent':
      return outcome.reason === 'nxdomain' ? { rcode: 'NXDOMAIN' } : { rcode: 'NOERROR', count: 0 };
    case 'alias':
      return { rcode: 'NOERROR', records: printable(`CNAME ${outcome.name}`, MAX_LENGTH) };
    case 'truncated':
      return { rcode: 'NOERROR', error: 'truncated; the query is repeated over TCP' };
    case 'error':
      return /^[A-Z]+$/.test(outcome.what) ? { rcode: outcome.what } : { error: outcome.what };
    case 'malformed':
      return { error: `the server sent ${outcome.detail}` };
    case 'socketError':
      return { error: outcome.error.code };
    case 'silent':
      return { error: outcome.hadUnreadable ? 'timeout after malformed messages' : 'timeout' };
    default:
      return outcome satisfies never;
  }
}

function recordText(record: DnsRecord): string {
  switch (record.type) {
    case 'SRV':
      return `${record.priority} ${record.weight} ${record.port} ${record.target}`;
    case 'NAPTR': {
      const { order, preference, flags, service, replacement } = record;
      return `${order} ${preference} ${flags} ${service} ${replacement}`;
    }
    default:
      return record.address;
  }
}
