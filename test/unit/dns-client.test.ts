import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import * as packet from 'dns-packet';
import { systemClock } from '../../src/pinger/clock.js';
import { DnsClient } from '../../src/pinger/dns/client.js';
import { Lookups } from '../../src/pinger/dns/lookups.js';
import type { DnsAnswer } from '../../src/pinger/dns/records.js';
import { FakeClock } from '../support/fake-clock.js';

type Script = (query: packet.DecodedPacket) => readonly Buffer[];

/** A DNS server that answers as the script says; counts what it was asked. */
async function server(t: TestContext, script: Script) {
  const socket = dgram.createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (bytes, from) => {
    const query = packet.decode(bytes);
    asked.push(query.questions?.[0]?.name ?? '');
    for (const answer of script(query)) socket.send(answer, from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { address: '127.0.0.1', port: socket.address().port, asked };
}

const RCODES = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const;
const reply = (query: packet.DecodedPacket, change: Partial<packet.Packet> = {}): Buffer =>
  packet.encode({
    ...{ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], flags: 0 },
    ...change,
  });
const address = (name: string, data = '192.0.2.1', ttl = 60): packet.Answer => ({
  type: 'A',
  name,
  data,
  ttl,
});
const alias = (name: string, data: string, ttl = 60): packet.Answer => ({
  type: 'CNAME',
  name,
  data,
  ttl,
});

const client = (...servers: readonly { readonly address: string; readonly port: number }[]) =>
  new DnsClient({ servers, timeoutMs: 150, clock: systemClock });
const reasonOf = (answer: DnsAnswer) => (answer.kind === 'failed' ? answer.reason : answer.kind);

for (const [rcode, reason] of [
  ['SERVFAIL', 'servfail'],
  ['NXDOMAIN', 'nxdomain'],
  ['REFUSED', 'refused'],
] as const) {
  test(`a server's ${rcode} is told as ${reason}`, async (t) => {
    const far = await server(t, (query) => [reply(query, { flags: RCODES[rcode] })]);
    assert.equal(reasonOf(await client(far).ask('a.test', 'A')), reason);
  });
}

test('an empty answer is nodata, silence a timeout after two rounds, a closed port a refusal', async (t) => {
  const empty = await server(t, (query) => [reply(query)]);
  assert.equal(reasonOf(await client(empty).ask('a.test', 'A')), 'nodata');
  const silent = await server(t, () => []);
  assert.equal(reasonOf(await client(silent).ask('a.test', 'A')), 'timeout');
  assert.equal(silent.asked.length, 2);
  const closed = dgram.createSocket('udp4');
  closed.bind(0, '127.0.0.1');
  await once(closed, 'listening');
  const { port } = closed.address();
  closed.close();
  assert.equal(
    reasonOf(await client({ address: '127.0.0.1', port }).ask('a.test', 'A')),
    'refused',
  );
});

test('the next server is asked where one fails, and none where one is sure', async (t) => {
  const failing = await server(t, (query) => [reply(query, { flags: RCODES.SERVFAIL })]);
  const knowing = await server(t, (query) => [reply(query, { answers: [address('a.test')] })]);
  assert.equal(reasonOf(await client(failing, knowing).ask('a.test', 'A')), 'records');
  const sure = await server(t, (query) => [reply(query, { flags: RCODES.NXDOMAIN })]);
  assert.equal(reasonOf(await client(sure, knowing).ask('a.test', 'A')), 'nxdomain');
  assert.equal(knowing.asked.length, 1);
});

test('what is no answer to the question is passed over', async (t) => {
  const far = await server(t, (query) => [
    Buffer.from('garbage'),
    Buffer.alloc(0),
    reply(
      { ...query, id: ((query.id ?? 0) + 1) % 65_536 },
      { answers: [address('a.test', '192.0.2.66')] },
    ),
    reply(
      { ...query, questions: [{ type: 'A', name: 'b.test' }] },
      { answers: [address('a.test', '192.0.2.66')] },
    ),
    packet.encode({ type: 'query', id: query.id ?? 0, questions: query.questions ?? [] }),
    reply(query, { answers: [address('b.test', '192.0.2.66'), address('A.Test')] }),
  ]);
  const answer = await client(far).ask('a.test', 'A');
  assert.ok(answer.kind === 'records');
  assert.deepEqual(answer.records, [{ type: 'A', address: '192.0.2.1', ttlSeconds: 60 }]);
});

test('aliases are followed, within an answer and from one to the next, with the smallest TTL', async (t) => {
  const far = await server(t, (query) => {
    const name = query.questions?.[0]?.name;
    if (name === 'a.test')
      return [
        reply(query, { answers: [alias('a.test', 'b.test', 9), alias('b.test', 'c.test', 7)] }),
      ];
    return [reply(query, { answers: [address('c.test', '192.0.2.3', 30)] })];
  });
  const answer = await client(far).ask('a.test', 'A');
  assert.ok(answer.kind === 'records');
  assert.equal(answer.ttlSeconds, 7);
});

test('aliases that lead in a circle end', async (t) => {
  const within = await server(t, (query) => [
    reply(query, { answers: [alias('a.test', 'b.test'), alias('b.test', 'a.test')] }),
  ]);
  assert.equal(reasonOf(await client(within).ask('a.test', 'A')), 'servfail');
  const across = await server(t, (query) => {
    const name = query.questions?.[0]?.name ?? '';
    return [reply(query, { answers: [alias(name, name === 'a.test' ? 'b.test' : 'a.test')] })];
  });
  assert.equal(reasonOf(await client(across).ask('a.test', 'A')), 'servfail');
  assert.ok(across.asked.length < 20);
});

test('a name that is too long for the DNS is nodata', async (t) => {
  const far = await server(t, () => []);
  const answer = await client(far).ask(`_sip._udp.${'a'.repeat(60)}.`.repeat(5), 'SRV');
  assert.deepEqual([reasonOf(answer), far.asked.length], ['nodata', 0]);
});

test('one look-up serves all who ask, until its time is up, and no more than some are under way', async () => {
  const clock = new FakeClock();
  let asked = 0;
  let underWay = 0;
  let most = 0;
  const lookups = new Lookups(clock, async (name): Promise<DnsAnswer> => {
    asked++;
    most = Math.max(most, ++underWay);
    await new Promise((resolve) => setImmediate(resolve));
    underWay--;
    if (name === 'no.test') return { kind: 'failed', reason: 'servfail', detail: '' };
    return {
      kind: 'records',
      records: [{ type: 'A', address: '192.0.2.1', ttlSeconds: 10 }],
      ttlSeconds: 10,
    };
  });
  await Promise.all(Array.from({ length: 50 }, () => lookups.lookUp('a.test', 'A')));
  assert.equal(asked, 1);
  clock.advance(9_000);
  const { untilMs } = await lookups.lookUp('a.test', 'A');
  assert.deepEqual([asked, untilMs], [1, 10_000], 'the time that is left is that of the answer');
  clock.advance(1_000);
  await lookups.lookUp('a.test', 'A');
  assert.equal(asked, 2);
  await lookups.lookUp('no.test', 'A');
  await lookups.lookUp('no.test', 'A');
  assert.equal(asked, 4, 'a failure is not kept');
  await Promise.all(Array.from({ length: 500 }, (_, i) => lookups.lookUp(`${i}.test`, 'A')));
  assert.ok(most <= 64, `${most} at once`);
});
