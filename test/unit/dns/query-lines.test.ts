import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerLine, queryLine } from '../../../src/pinger/dns/query-lines.js';
import type { QueryOutcome, ServerQuery } from '../../../src/pinger/dns/server-query.js';

const QUERY: ServerQuery = {
  server: { address: '192.0.2.53', port: 53 },
  question: { name: '_sip._udp.a.example', type: 'SRV', host: 'a.example' },
  isOverTcp: false,
  deadlineMs: 0,
};
const ASKED = {
  ...{ host: 'a.example', server: '192.0.2.53:53', transport: 'udp' },
  ...{ name: '_sip._udp.a.example', type: 'SRV' },
};

test('a query names the server, the record and the host that it is for', () => {
  const { level, event, fields } = queryLine(QUERY);
  assert.deepEqual([level, event, fields], ['debug', 'dns_query', ASKED]);
});

const srv = { type: 'SRV', priority: 1, weight: 2, port: 5060, target: 'b.example' } as const;
const naptr = { type: 'NAPTR', order: 1, preference: 2, flags: 's', service: 'SIP+D2U' } as const;
const OUTCOMES: readonly (readonly [QueryOutcome, Readonly<Record<string, unknown>>])[] = [
  [
    { kind: 'records', records: [{ ...srv, ttlSeconds: 60 }], ttlSeconds: 60 },
    { rcode: 'NOERROR', records: '1 2 5060 b.example', count: 1, ttl: 60 },
  ],
  [
    {
      kind: 'records',
      records: [{ ...naptr, replacement: 'x.example', ttlSeconds: 5 }],
      ttlSeconds: 5,
    },
    { rcode: 'NOERROR', records: '1 2 s SIP+D2U x.example', count: 1, ttl: 5 },
  ],
  [
    {
      kind: 'records',
      records: [{ type: 'A', address: '192.0.2.1', ttlSeconds: 5 }],
      ttlSeconds: 5,
    },
    { rcode: 'NOERROR', records: '192.0.2.1', count: 1, ttl: 5 },
  ],
  [{ kind: 'absent', reason: 'nxdomain' }, { rcode: 'NXDOMAIN' }],
  [
    { kind: 'absent', reason: 'nodata' },
    { rcode: 'NOERROR', count: 0 },
  ],
  [
    { kind: 'alias', name: 'c.example', ttlSeconds: 1 },
    { rcode: 'NOERROR', records: 'CNAME c.example' },
  ],
  [{ kind: 'truncated' }, { rcode: 'NOERROR', error: 'truncated; the query is repeated over TCP' }],
  [{ kind: 'error', what: 'SERVFAIL', isAboutOpt: false }, { rcode: 'SERVFAIL' }],
  [{ kind: 'error', what: 'a referral', isAboutOpt: false }, { error: 'a referral' }],
  [{ kind: 'malformed', detail: 'garbage' }, { error: 'the server sent garbage' }],
  [
    {
      kind: 'socketError',
      error: { kind: 'closed', code: 'ECONNREFUSED', isForOneServer: true },
    },
    { error: 'ECONNREFUSED' },
  ],
  [{ kind: 'silent', hadUnreadable: false }, { error: 'timeout' }],
  [{ kind: 'silent', hadUnreadable: true }, { error: 'timeout after malformed messages' }],
];

for (const [outcome, fields] of OUTCOMES) {
  test(`the end of a query says ${JSON.stringify(fields)}`, () => {
    const line = answerLine(QUERY, outcome, 12.4);
    assert.deepEqual(line.fields, { ...ASKED, ...fields, ms: 12 });
  });
}
