import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { test } from 'node:test';
import * as packet from 'dns-packet';
import { DnsClient } from '../../../src/pinger/dns/client.js';
import type { DnsAnswer } from '../../../src/pinger/dns/records.js';
import { systemClock } from '../../../src/pinger/time/clock.js';
import { address, alias, FLAGS, fakeDns, reply, silence } from '../../support/dns-server.js';

type Servers = readonly { readonly address: string; readonly port: number }[];
/** Its timeout is longer than a busy machine takes for an answer. */
const client = (...servers: Servers) =>
  new DnsClient({ servers: () => servers, timeoutMs: 10_000, clock: systemClock });
/** For servers that do not answer. */
const impatient = (...servers: Servers) =>
  new DnsClient({ servers: () => servers, timeoutMs: 150, clock: systemClock });
const reasonOf = (answer: DnsAnswer) => (answer.kind === 'failed' ? answer.reason : answer.kind);

for (const [rcode, reason] of [
  ['SERVFAIL', 'servfail'],
  ['NXDOMAIN', 'nxdomain'],
  ['REFUSED', 'refused'],
] as const) {
  test(`a server's ${rcode} is reported as ${reason}`, async (t) => {
    const far = await fakeDns(t, (query) => [reply(query, { flags: FLAGS[rcode] })]);
    assert.equal(reasonOf(await client(far).query('a.test', 'A')), reason);
  });
}

test('an empty answer is nodata, no answer in two rounds is a timeout, a closed port is refused', async (t) => {
  const empty = await fakeDns(t, (query) => [reply(query)]);
  assert.equal(reasonOf(await client(empty).query('a.test', 'A')), 'nodata');
  const silent = await fakeDns(t, silence);
  assert.equal(reasonOf(await impatient(silent).query('a.test', 'A')), 'timeout');
  // Each time a second query without OPT, which the server may not support.
  assert.deepEqual(
    silent.queries.map(({ hasOpt }) => hasOpt),
    [true, false, true, false],
  );
  const closed = dgram.createSocket('udp4');
  closed.bind(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address();
  closed.close();
  assert.equal(
    reasonOf(await client({ address: '127.0.0.1', port }).query('a.test', 'A')),
    'refused',
  );
});

test('the next server is queried when one fails, but not after a negative answer', async (t) => {
  const failing = await fakeDns(t, (query) => [reply(query, { flags: FLAGS.SERVFAIL })]);
  const knowing = await fakeDns(t, (query) => [reply(query, { answers: [address('a.test')] })]);
  assert.equal(reasonOf(await client(failing, knowing).query('a.test', 'A')), 'records');
  const sure = await fakeDns(t, (query) => [reply(query, { flags: FLAGS.NXDOMAIN })]);
  assert.equal(reasonOf(await client(sure, knowing).query('a.test', 'A')), 'nxdomain');
  assert.equal(knowing.queries.length, 1);
});

test('messages that do not answer the question are ignored', async (t) => {
  const far = await fakeDns(t, (query) => [
    Buffer.from('garbage'),
    Buffer.alloc(0),
    reply(
      { packet: { ...query.packet, id: ((query.packet.id ?? 0) + 1) % 65_536 } },
      { answers: [address('a.test', '192.0.2.66')] },
    ),
    reply(
      { packet: { ...query.packet, questions: [{ type: 'A', name: 'b.test' }] } },
      { answers: [address('a.test', '192.0.2.66')] },
    ),
    packet.encode({ ...query.packet, type: 'query' }),
    reply(query, { answers: [address('b.test', '192.0.2.66'), address('A.Test')] }),
  ]);
  const answer = await client(far).query('a.test', 'A');
  assert.ok(answer.kind === 'records');
  assert.deepEqual(answer.records, [{ type: 'A', address: '192.0.2.1', ttlSeconds: 60 }]);
});

test('a server that sends only invalid answers is distinguished from a silent one', async (t) => {
  const far = await fakeDns(t, (query) => [
    reply(query, { answers: [address('a.test')] }).subarray(0, -2),
  ]);
  const answer = await impatient(far).query('a.test', 'A');
  assert.ok(answer.kind === 'failed');
  assert.equal(answer.reason, 'timeout');
  assert.match(answer.detail, /no valid answer from 127/);
});

test('aliases are followed, within an answer and from one to the next, with the smallest TTL', async (t) => {
  const far = await fakeDns(t, (query) => {
    const name = query.name;
    if (name === 'a.test')
      return [
        reply(query, { answers: [alias('a.test', 'b.test', 9), alias('b.test', 'c.test', 7)] }),
      ];
    return [reply(query, { answers: [address('c.test', '192.0.2.3', 30)] })];
  });
  const answer = await client(far).query('a.test', 'A');
  assert.ok(answer.kind === 'records');
  assert.equal(answer.ttlSeconds, 7);
});

test('a CNAME loop ends', async (t) => {
  const within = await fakeDns(t, (query) => [
    reply(query, { answers: [alias('a.test', 'b.test'), alias('b.test', 'a.test')] }),
  ]);
  assert.equal(reasonOf(await client(within).query('a.test', 'A')), 'servfail');
  const across = await fakeDns(t, (query) => {
    const name = query.name;
    return [reply(query, { answers: [alias(name, name === 'a.test' ? 'b.test' : 'a.test')] })];
  });
  assert.equal(reasonOf(await client(across).query('a.test', 'A')), 'servfail');
  assert.ok(across.queries.length < 20);
});

test('a name that is too long for the DNS is nodata', async (t) => {
  const far = await fakeDns(t, () => []);
  const answer = await client(far).query(`_sip._udp.${'a'.repeat(60)}.`.repeat(5), 'SRV');
  assert.deepEqual([reasonOf(answer), far.queries.length], ['nodata', 0]);
});

for (const call of [1, 2]) {
  test(`an internal error (of timer ${call}) rejects the lookup, which else would never end`, async (t) => {
    const far = await fakeDns(t, silence);
    let calls = 0;
    const after = (delayMs: number, callback: () => void) => {
      if (++calls === call) throw new Error('a bug');
      return systemClock.after(delayMs, callback);
    };
    const clock = { ...systemClock, after };
    const broken = new DnsClient({ servers: () => [far], timeoutMs: 150, clock });
    await assert.rejects(broken.query('a.test', 'A'), { message: 'a bug' });
  });
}
