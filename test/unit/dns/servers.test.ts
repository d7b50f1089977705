/** Several DNS servers: which one is queried when, what is remembered, how failures are reported. */

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DnsClient } from '../../../src/pinger/dns/client.js';
import { type DnsServer, socketErrorOf } from '../../../src/pinger/dns/server.js';
import { failedAnswer } from '../../../src/pinger/dns/server-failure.js';
import {
  address,
  answering,
  type FakeDns,
  FLAGS,
  fakeDns,
  reply,
  type Script,
  silence,
} from '../../support/dns-server.js';
import { FakeClock } from '../../support/fake-clock.js';
import { freePort } from '../../support/ports.js';
import { eventually } from '../../support/process.js';

const TIMEOUT_MS = 2000;
const says =
  (flags: number): Script =>
  (query) => [reply(query, { flags })];

function clientOf(...servers: readonly DnsServer[]) {
  const clock = new FakeClock();
  const client = new DnsClient({ servers: () => servers, timeoutMs: TIMEOUT_MS, clock });
  const failure = async (name: string) => {
    const answer = await client.query(name, 'A');
    return answer.kind === 'failed' ? [answer.reason, answer.detail] : [answer.kind];
  };
  return { clock, client, failure };
}

async function twoServers(t: TestContext, first: Script, second: Script) {
  const a = await fakeDns(t, first);
  const b = await fakeDns(t, second);
  return { a, b, ...clientOf(a, b) };
}

/** Lets time pass after the server was queried. */
async function pass(clock: FakeClock, ms: number, dns: FakeDns, count: number) {
  await eventually('the server is queried', () => dns.queries.length >= count);
  await clock.advanceSettling(ms);
}

test('the next server is queried in parallel with a silent one; only the first lookup is slow', async (t) => {
  const { a, client, clock } = await twoServers(t, silence, answering);
  const first = client.query('a.test', 'A');
  await pass(clock, 499, a, 1);
  const isEarly = await Promise.race([first, Promise.resolve('waiting')]);
  assert.equal(isEarly, 'waiting');
  await clock.advanceSettling(1);
  assert.equal((await first).kind, 'records');
  const queriesOfA = a.queries.length;
  for (const name of ['b.test', 'c.test']) {
    assert.equal((await client.query(name, 'A')).kind, 'records');
  }
  assert.equal(a.queries.length, queriesOfA, 'no time passes, and it is not queried');
});

test('a silent server is tested in parallel, less and less often, and recovers', async (t) => {
  const { a, b, client, clock } = await twoServers(t, silence, answering);
  const askedAt: number[] = [];
  a.script = () => {
    askedAt.push(clock.now() / 1000);
    return [];
  };
  const first = client.query('a.test', 'A');
  await pass(clock, 500, a, 1);
  await first;
  await clock.advanceSettling(TIMEOUT_MS);
  for (let second = 0; second < 1000; second++) {
    assert.equal((await client.query(`${second}.test`, 'A')).kind, 'records');
    await clock.advanceSettling(1000);
  }
  // Each time with OPT, and a moment later without.
  const trials = askedAt.filter((second, i) => second - (askedAt[i - 1] ?? -10) > 5);
  assert.ok(trials.length >= 6 && trials.length <= 9, String(trials));
  const gaps = trials.slice(1).map((second, i) => second - (trials[i] ?? 0));
  assert.ok(Math.max(...gaps) <= 310, String(gaps));

  a.script = answering;
  await clock.advanceSettling(300_000);
  await eventually('it is queried first again', async () => {
    const { length } = b.queries;
    await client.query('back.test', 'A');
    return b.queries.length === length;
  });
});

test('one late answer restores a server', async (t) => {
  const { a, b, client, clock } = await twoServers(t, silence, answering);
  const first = client.query('a.test', 'A');
  await pass(clock, 500, a, 1);
  await first;
  const [late] = a.queries;
  assert.ok(late !== undefined);
  a.send(reply(late, { answers: [address('a.test')] }));
  a.script = answering;
  await eventually('it is queried first again', async () => {
    const { length } = b.queries;
    await client.query('b.test', 'A');
    return b.queries.length === length;
  });
});

test('a server that ignores one question but answers others is not silent', async (t) => {
  const { a, b, client, clock } = await twoServers(
    t,
    (query) => (query.type === 'AAAA' ? [] : answering(query)),
    answering,
  );
  const both = Promise.all([client.query('a.test', 'AAAA'), client.query('a.test', 'A')]);
  await pass(clock, 500, a, 2);
  await both;
  const { length } = b.queries;
  assert.equal((await client.query('b.test', 'A')).kind, 'records');
  assert.equal(b.queries.length, length);
});

test('SERVFAIL and REFUSED lead to the next server and are not remembered', async (t) => {
  for (const flags of [FLAGS.SERVFAIL, FLAGS.REFUSED]) {
    const { a, client, clock } = await twoServers(t, says(flags), answering);
    assert.equal((await client.query('a.test', 'A')).kind, 'records');
    a.script = answering;
    const { length } = a.queries;
    await client.query('b.test', 'A');
    assert.equal(a.queries.length, length + 1);
    assert.equal(clock.now(), 0);
  }
});

test('a lookup without any answer ends after two rounds and lists the servers', async (t) => {
  const { a, b, failure, clock } = await twoServers(t, silence, silence);
  const asking = failure('a.test');
  for (let ms = 0; ms < 2 * (TIMEOUT_MS + 500); ms += 100) await pass(clock, 100, a, 1);
  await eventually('it has ended', () => clock.pending === 0);
  const wanted = `no answer from ${a.label} and ${b.label} within 2 s each`;
  assert.deepEqual(await asking, ['timeout', wanted]);
  assert.ok(a.queries.length <= 4 && b.queries.length <= 4, 'with OPT and without, in each round');
});

test('at most four servers are queried', async (t) => {
  const all = await Promise.all(Array.from({ length: 6 }, () => fakeDns(t, says(FLAGS.SERVFAIL))));
  const { failure } = clientOf(...all);
  await failure('a.test');
  assert.deepEqual(
    all.map(({ queries }) => queries.length > 0),
    [true, true, true, true, false, false],
  );
});

test('a failure says what each server did', async (t) => {
  const failing = await fakeDns(t, says(FLAGS.SERVFAIL));
  const refusing = await fakeDns(t, says(FLAGS.REFUSED));
  const closed = { address: '127.0.0.1', port: await freePort() };
  assert.deepEqual(await clientOf(failing, refusing).failure('a.test'), [
    'servfail',
    `SERVFAIL from ${failing.label}, REFUSED from ${refusing.label}`,
  ]);
  assert.deepEqual(await clientOf(closed).failure('a.test'), [
    'refused',
    `connection refused by 127.0.0.1:${closed.port}`,
  ]);
  const sure = await fakeDns(t, says(FLAGS.NXDOMAIN));
  assert.deepEqual(await clientOf(closed, sure).failure('a.test'), [
    'nxdomain',
    `NXDOMAIN from ${sure.label}`,
  ]);
  const empty = await fakeDns(t, says(0));
  assert.deepEqual(await clientOf(empty).failure('a.test'), [
    'nodata',
    `no such record from ${empty.label}`,
  ]);
});

test('an unreachable server is a local error if it is the only one', async (t) => {
  // No interface has that name, so no socket can be connected.
  const nowhere = { address: 'fe80::1%nowhere', port: 53 };
  const [reason, detail] = await clientOf(nowhere).failure('a.test');
  assert.equal(reason, 'local');
  assert.match(String(detail), /^cannot query \[fe80::1%nowhere\]:53 \(E\w+ on/);
  const refusing = await fakeDns(t, says(FLAGS.REFUSED));
  assert.equal((await clientOf(nowhere, refusing).failure('a.test'))[0], 'refused');
});

test('a socket error is local unless it comes from the network', () => {
  const error = (code: string) => Object.assign(new Error(code), { code });
  const kindOf = (code: string) => socketErrorOf(error(code), false).kind;
  for (const code of [
    'EMFILE',
    'ENFILE',
    'EPERM',
    'EACCES',
    'EADDRNOTAVAIL',
    'ENOBUFS',
    'ENETDOWN',
  ]) {
    assert.equal(kindOf(code), 'local', code);
  }
  assert.deepEqual(['ECONNREFUSED', 'ECONNRESET', 'EHOSTUNREACH', 'ENETUNREACH'].map(kindOf), [
    'closed',
    'closed',
    'unreachable',
    'unreachable',
  ]);
  assert.equal(socketErrorOf(error('ENETUNREACH'), true).kind, 'local', 'before anything was sent');
  assert.equal(socketErrorOf(error('EMFILE'), true).kind, 'local');
});

test('a local error outweighs the errors of other servers, because the one not queried might know', () => {
  const server = { address: '192.0.2.53', port: 53 };
  const other = { address: '192.0.2.54', port: 53 };
  const local = (code: string, isForOneServer: boolean) => {
    const error = { kind: 'local' as const, code, isForOneServer };
    return { server, reply: { kind: 'socketError' as const, error, isOverTcp: false } };
  };
  const silent = {
    server: other,
    reply: { kind: 'silent' as const, hadUnreadable: false, isOverTcp: false },
  };
  const refused = {
    server: other,
    reply: { kind: 'error' as const, what: 'REFUSED', isAboutOpt: false, isOverTcp: true },
  };
  assert.deepEqual(failedAnswer([local('EMFILE', false), refused], 2000), {
    ...{ kind: 'failed', reason: 'local' },
    detail:
      "cannot query 192.0.2.53:53 (EMFILE on the exporter's host), REFUSED from 192.0.2.54:53 over TCP",
  });
  const reasonOf = (...failures: Parameters<typeof failedAnswer>[0]) => {
    const answer = failedAnswer(failures, 2000);
    return answer.kind === 'failed' && answer.reason;
  };
  assert.equal(reasonOf(local('ENETUNREACH', true), silent), 'timeout');
  assert.equal(reasonOf(local('ENETUNREACH', true)), 'local');
  assert.equal(reasonOf(silent, refused), 'refused');
  assert.equal(reasonOf(), 'local', 'no server at all');
});

test('an invalid server address is a local error, not an exception', async () => {
  for (const server of [
    { address: 'no address', port: 53 },
    { address: '127.0.0.1', port: 0 },
    { address: '127.0.0.1', port: 70_000 },
  ]) {
    assert.equal((await clientOf(server).failure('a.test'))[0], 'local');
  }
});

test('a server that floods a socket loses it, and its answer still counts', async (t) => {
  let sent = 0;
  const dns = await fakeDns(t, (query) => {
    const wrong = reply({ packet: { ...query.packet, id: ((query.packet.id ?? 0) + 1) % 65_536 } });
    sent += 3000;
    return [...answering(query), ...Array.from({ length: 3000 }, () => wrong)];
  });
  const { client } = clientOf(dns);
  for (let i = 0; i < 5; i++) {
    assert.equal((await client.query(`${i}.test`, 'A')).kind, 'records');
  }
  assert.equal(sent, 15_000);
});

test('too many invalid messages with the ID of the query are a failure at once', async (t) => {
  const dns = await fakeDns(t, (query) => {
    const other = reply(query, { questions: [{ type: 'A', name: 'other.test' }] });
    return Array.from({ length: 1000 }, () => other);
  });
  const { failure, clock } = clientOf(dns);
  assert.deepEqual(await failure('a.test'), [
    'servfail',
    `messages that do not answer the query from ${dns.label}`,
  ]);
  assert.equal(clock.now(), 0);
});

test('the servers may change between two lookups', async (t) => {
  const a = await fakeDns(t, says(FLAGS.NXDOMAIN));
  const b = await fakeDns(t, answering);
  let servers = [a];
  const client = new DnsClient({
    servers: () => servers,
    timeoutMs: TIMEOUT_MS,
    clock: new FakeClock(),
  });
  assert.equal((await client.query('a.test', 'A')).kind, 'failed');
  servers = [b];
  assert.equal((await client.query('a.test', 'A')).kind, 'records');
});
