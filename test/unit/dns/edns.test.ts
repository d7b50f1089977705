/** DNS servers without EDNS, or with another version of it (RFC 6891 6.2.2 and 7). */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type * as packet from 'dns-packet';
import { DnsClient } from '../../../src/pinger/dns/client.js';
import {
  address,
  answering,
  type FakeDns,
  FLAGS,
  fakeDns,
  type ReceivedQuery,
  reply,
  type Script,
  silence,
} from '../../support/dns-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { eventually } from '../../support/process.js';

const HOUR_MS = 3_600_000;

/** A server that answers queries without OPT, and those with it as the script says. */
async function oldServer(t: TestContext, onOpt: Script) {
  const dns = await fakeDns(t, (query) => (query.hasOpt ? onOpt(query) : answering(query)));
  return { dns, ...clientOf(dns) };
}

function clientOf(...servers: readonly FakeDns[]) {
  const clock = new FakeClock();
  return { clock, client: new DnsClient({ servers: () => servers, timeoutMs: 2000, clock }) };
}

const withOpt = ({ queries }: FakeDns) => queries.map(({ hasOpt }) => hasOpt);
const opt = (extendedRcode: number): packet.OptAnswer => ({
  ...{ type: 'OPT', name: '.', udpPayloadSize: 1232, flags: 0, extendedRcode, ednsVersion: 0 },
  ...{ flag_do: false, options: [] },
});
/** Only the header, with or without the question count of the query. */
const header = (query: ReceivedQuery, rcode: number, questions: number) => {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt16BE(query.packet.id ?? 0);
  bytes.writeUInt16BE((1 << 15) | rcode, 2);
  bytes.writeUInt16BE(questions, 4);
  return bytes;
};

const OBJECTIONS: readonly (readonly [string, Script])[] = [
  ['FORMERR with the question', (query) => [reply(query, { flags: FLAGS.FORMERR })]],
  [
    'FORMERR without the question',
    (query) => [reply(query, { flags: FLAGS.FORMERR, questions: [] })],
  ],
  ['FORMERR as a header', (query) => [header(query, FLAGS.FORMERR, 0)]],
  [
    'FORMERR as the header of the query, which counts a question',
    (query) => [header(query, FLAGS.FORMERR, 1)],
  ],
  ['NOTIMP', (query) => [reply(query, { flags: FLAGS.NOTIMP })]],
  ['NOTIMP as a header', (query) => [header(query, FLAGS.NOTIMP, 0)]],
  [
    'NOTIMP with an OPT record',
    (query) => [reply(query, { flags: FLAGS.NOTIMP, additionals: [opt(0)] })],
  ],
  ['BADVERS', (query) => [reply(query, { additionals: [opt(1)] })]],
  ['SERVFAIL without an OPT record', (query) => [reply(query, { flags: FLAGS.SERVFAIL })]],
];

for (const [objection, script] of OBJECTIONS) {
  test(`a server that answers OPT with ${objection} is queried without it for an hour`, async (t) => {
    const { dns, client, clock } = await oldServer(t, script);
    assert.equal((await client.query('a.test', 'A')).kind, 'records');
    assert.equal((await client.query('b.test', 'A')).kind, 'records');
    assert.deepEqual(withOpt(dns), [true, false, false]);
    clock.advance(HOUR_MS);
    dns.script = answering;
    assert.equal((await client.query('c.test', 'A')).kind, 'records');
    assert.equal((await client.query('d.test', 'A')).kind, 'records');
    assert.deepEqual(withOpt(dns), [true, false, false, true, true]);
  });
}

test('a server that ignores OPT is also queried without it, and only so for an hour', async (t) => {
  const { dns, client, clock } = await oldServer(t, silence);
  const asking = client.query('a.test', 'A');
  await eventually('it is queried', () => dns.queries.length === 1);
  clock.advance(500);
  assert.equal((await asking).kind, 'records');
  assert.equal((await client.query('b.test', 'A')).kind, 'records');
  assert.deepEqual(withOpt(dns), [true, false, false]);
});

test('a late answer to OPT shows that the server supports it', async (t) => {
  const { dns, client, clock } = await oldServer(t, silence);
  const asking = client.query('a.test', 'A');
  const [first] = await eventually('it is queried', () => dns.queries.length === 1 && dns.queries);
  clock.advance(500);
  await asking;
  assert.ok(first !== undefined);
  dns.script = answering;
  dns.send(reply(first, { answers: [address('a.test')] }));
  await eventually('it is queried with OPT', async () => {
    await client.query('b.test', 'A');
    return dns.queries.at(-1)?.hasOpt;
  });
});

test('an error that also comes without OPT is not attributed to OPT', async (t) => {
  for (const [rcode, detail] of [
    [FLAGS.FORMERR, 'FORMERR'],
    [FLAGS.NOTIMP, 'NOTIMP'],
    [15, 'RCODE 15'],
  ] as const) {
    const dns = await fakeDns(t, (query) => [reply(query, { flags: rcode })]);
    const { client } = clientOf(dns);
    const said = { kind: 'failed', reason: 'servfail', detail: `${detail} from ${dns.label}` };
    assert.deepEqual(await client.query('a.test', 'NAPTR'), said);
    dns.script = answering;
    await client.query('a.test', 'A');
    assert.equal(dns.queries.at(-1)?.hasOpt, true);
  }
});

test('a server that supports OPT and fails for a name is queried once for it', async (t) => {
  const { client, dns } = await oldServer(t, answering);
  await client.query('a.test', 'A');
  dns.script = (query) => [reply(query, { flags: FLAGS.SERVFAIL })];
  await client.query('b.test', 'A');
  assert.deepEqual(withOpt(dns), [true, true]);
});

test('a truncated answer is repeated over TCP without OPT if the server rejects OPT', async (t) => {
  const dns = await fakeDns(t, (query) => {
    if (query.hasOpt) return [reply(query, { flags: FLAGS.FORMERR })];
    return query.isOverTcp ? answering(query) : [reply(query, { flags: FLAGS.TRUNCATED })];
  });
  const { client } = clientOf(dns);
  assert.equal((await client.query('a.test', 'A')).kind, 'records');
  assert.deepEqual(withOpt(dns), [true, false, false]);
});

test('a truncated answer may end within a record', async (t) => {
  const whole = (query: ReceivedQuery) =>
    reply(query, { flags: FLAGS.TRUNCATED, answers: [address('a.test'), address('a.test')] });
  const dns = await fakeDns(t, (query) =>
    query.isOverTcp ? answering(query) : [whole(query).subarray(0, -5)],
  );
  assert.equal((await clientOf(dns).client.query('a.test', 'A')).kind, 'records');
});

test('without the question, an error counts and any other answer does not', async (t) => {
  const { client, clock } = clientOf(
    await fakeDns(t, (query) => [reply(query, { flags: FLAGS.REFUSED, questions: [] })]),
  );
  const refused = await client.query('a.test', 'A');
  assert.equal(refused.kind === 'failed' && refused.reason, 'refused');
  assert.equal(clock.pending, 0, 'at once');
  const dns = await fakeDns(t, (query) => [
    reply(query, { flags: FLAGS.NXDOMAIN, questions: [] }),
    ...answering(query),
  ]);
  assert.equal((await clientOf(dns).client.query('a.test', 'A')).kind, 'records');
});

test('a referral is not a negative answer', async (t) => {
  const dns = await fakeDns(t, (query) => [
    reply(query, { authorities: [{ type: 'NS', name: 'test', data: 'ns.test' }] }),
  ]);
  const answer = await clientOf(dns).client.query('a.test', 'A');
  assert.equal(answer.kind === 'failed' && answer.detail, `a referral from ${dns.label}`);
});
