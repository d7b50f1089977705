/** Names with wrong, too many or missing records, on a DNS server of the test. */

import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import { fakeDns } from '../support/dns-server.js';
import { zoneScript } from '../support/dns-zone.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';

/** A DNS server with a zone that the test can change. */
async function dnsOf(t: TestContext, lines: readonly string[]) {
  const zone = { lines };
  const server = await fakeDns(
    t,
    zoneScript(() => zone.lines),
  );
  return { zone, server, servers: [server.label] };
}

/** A SIP server on all addresses of this machine. */
async function everywhere(t: TestContext) {
  const socket = dgram.createSocket({ type: 'udp6', ipv6Only: false });
  let requests = 0;
  socket.on('message', (request, from) => {
    requests++;
    socket.send(buildOptionsResponse(request, from, 'far') ?? '', from.port, from.address);
  });
  socket.bind(0);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { port: socket.address().port, requests: () => requests };
}

interface Explained {
  readonly reason: string | null;
  readonly detail: string | null;
  readonly resolution: {
    readonly age: number | null;
    readonly errors: readonly string[];
    readonly targets: readonly { readonly transport: string; readonly address: string }[];
  } | null;
}

const explained = async (exporter: Exporter, name: string) =>
  (await exporter.destination(name)) as unknown as Explained;
const failuresOf = (exporter: Exporter, destination: string) =>
  exporter.metric('sip_keepalive_ping_failures_total', { destination });
const restarts = (exporter: Exporter) => exporter.metric('sip_keepalive_pinger_restarts_total');

test('SRV records with port 0 are not targets, and a healthy peer beside them loses no ping', async (t) => {
  const live = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const { zone, servers } = await dnsOf(t, [
    '_sip._udp.zero.test SRV 10 10 0 h.test',
    '_sip._udp.some.test SRV 10 10 0 h.test',
    `_sip._udp.some.test SRV 20 10 ${live.port} h.test`,
    'h.test A 127.0.0.1',
  ]);
  const exporter = await startExporter(t, {
    ping_interval: 0.5,
    dns: { servers, min_ttl: 1 },
    destinations: [
      { name: 'zero', uri: 'zero.test' },
      { name: 'some', uri: 'some.test' },
      { name: 'live', uri: `127.0.0.1:${live.port}` },
    ],
  });
  await eventually('zero is down', async () => (await exporter.isAlive('zero')) === 2);
  for (const name of ['some', 'live']) {
    await eventually(`${name} is up`, async () => (await exporter.isAlive(name)) === 1);
  }
  const body = await exporter.get('/probe?target=sip:zero.test');
  assert.match(body, /^probe_success 0$/m);
  assert.match(body, /^probe_failure_info\{reason="resolution"\} 1$/m);
  assert.match(await exporter.get('/probe?target=sip:some.test'), /^probe_success 1$/m);

  const { reason, detail, resolution } = await explained(exporter, 'zero');
  assert.equal(reason, 'resolution');
  assert.match(detail ?? '', /SRV of _sip\._udp\.zero\.test to h\.test:0: port 0/);
  assert.equal(resolution?.age, null);
  assert.match(resolution?.errors.join() ?? '', /port 0/);
  const some = await explained(exporter, 'some');
  assert.match(some.resolution?.errors.join() ?? '', /port 0/);
  assert.deepEqual(
    some.resolution?.targets.map(({ address }) => address),
    [`127.0.0.1:${live.port}`],
  );
  assert.deepEqual([await restarts(exporter), await failuresOf(exporter, 'live')], [0, 0]);

  zone.lines = [`_sip._udp.zero.test SRV 10 10 ${live.port} h.test`, ...zone.lines.slice(1)];
  await eventually('it is up after the record is fixed', async () => {
    return (await exporter.isAlive('zero')) === 1;
  });
  assert.equal(await restarts(exporter), 0);
});

test('addresses that are not host addresses are not pinged, even if this machine answers on them', async (t) => {
  const sip = await everywhere(t);
  const { servers } = await dnsOf(t, [
    'zero.test A 0.0.0.0',
    'unspecified.test AAAA ::',
    'mapped-zero.test AAAA ::ffff:0.0.0.0',
    'multicast.test A 224.0.0.1',
    'broadcast.test A 255.255.255.255',
    'mapped.test AAAA ::ffff:127.0.0.1',
  ]);
  const bad = ['zero', 'unspecified', 'mapped-zero', 'multicast', 'broadcast'];
  const exporter = await startExporter(t, {
    ping_interval: 0.5,
    dns: { servers, min_ttl: 1 },
    destinations: [
      ...bad.map((name) => ({ name, uri: `${name}.test:${sip.port}` })),
      { name: 'mapped', uri: `mapped.test:${sip.port}` },
      { name: 'mapped-uri', uri: `[::ffff:127.0.0.1]:${sip.port}` },
    ],
  });
  for (const name of bad) {
    await eventually(`${name} is down`, async () => (await exporter.isAlive(name)) === 2);
    const { reason, resolution } = await explained(exporter, name);
    assert.equal(reason, 'resolution');
    assert.deepEqual(resolution?.targets, []);
    assert.match(resolution?.errors.join() ?? '', /A of .*\.test: \S+ (means|is)/, name);
  }
  for (const name of ['mapped', 'mapped-uri']) {
    await eventually(`${name} is up`, async () => (await exporter.isAlive(name)) === 1);
    const { targets } = await exporter.destination(name);
    assert.deepEqual(
      targets.map(({ address }) => address),
      [`127.0.0.1:${sip.port}`],
    );
  }
  assert.equal(await restarts(exporter), 0);
});

test('probe.allow applies to an IPv4 address that is written as IPv6', async (t) => {
  const sip = await everywhere(t);
  const { servers } = await dnsOf(t, ['mapped.test AAAA ::ffff:127.0.0.1']);
  for (const [allow, status] of [
    [['10.0.0.0/8', '::/0'], 403],
    [['127.0.0.0/8'], 200],
  ] as const) {
    const exporter = await startExporter(t, {
      dns: { servers },
      probe: { allow },
      destinations: [],
    });
    for (const target of ['mapped.test', '[::ffff:127.0.0.1]']) {
      const uri = encodeURIComponent(`sip:${target}:${sip.port}`);
      const answer = await fetch(`${exporter.url}/probe?target=${uri}`);
      assert.equal(answer.status, status, `${target} with ${allow.join()}`);
    }
  }
});

test('a name with 1,500 hosts in a zone that does not answer delays no other name', async (t) => {
  const live = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const names = Array.from({ length: 20 }, (_, i) => `ok${i}`);
  const hog = Array.from({ length: 1_500 }, (_, i) => `_sip._udp.h.test SRV 1 1 5060 x${i}.d`);
  const silent = ['A', 'AAAA'].flatMap((type) =>
    Array.from({ length: 1_500 }, (_, i) => `x${i}.d ${type} !silence`),
  );
  const { servers } = await dnsOf(t, [
    ...[...hog, ...silent],
    ...names.map((name) => `${name}.test A 127.0.0.1`),
  ]);
  const exporter = await startExporter(t, {
    ping_interval: 1,
    dns: { servers, min_ttl: 1 },
    destinations: [{ name: 'hog', uri: 'h.test' }],
  });
  await eventually('the hosts of the name are looked up', async () => {
    return ((await exporter.metric('sip_keepalive_dns_lookups_waiting')) ?? 0) > 50;
  });
  assert.ok(((await exporter.metric('sip_keepalive_dns_lookups_in_flight')) ?? 99) <= 8);
  assert.equal(await exporter.metric('sip_keepalive_dns_records_cut_total'), 476 + 960);
  for (const name of names) {
    const body = await exporter.get(`/probe?target=sip:${name}.test:${live.port}`);
    assert.match(body, /^probe_success 1$/m, name);
  }
  assert.ok(((await exporter.metric('sip_keepalive_dns_lookups_waiting')) ?? 0) > 0, 'meanwhile');
  assert.equal(await exporter.metric('sip_keepalive_dns_lookups_shed_total'), 0);
});

test('a host is pinged although NAPTR and SRV queries fail', async (t) => {
  const live = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const errors = ['SERVFAIL', 'NOTIMP', 'REFUSED', 'silence'] as const;
  const srv = (name: string) => `_sip._udp.${name}.test SRV 1 1 ${live.port} h.test`;
  const { servers } = await dnsOf(t, [
    ...errors.flatMap((error) => [`${error.toLowerCase()}.test NAPTR !${error}`]),
    ...errors.map((error) => srv(error.toLowerCase())),
    ...errors.flatMap((error) =>
      ['udp', 'tcp'].map(
        (transport) => `_sip._${transport}.srv-${error.toLowerCase()}.test SRV !${error}`,
      ),
    ),
    ...errors.flatMap((error) => [
      `srv-${error.toLowerCase()}.test NAPTR !${error}`,
      `srv-${error.toLowerCase()}.test A 127.0.0.1`,
    ]),
    'h.test A 127.0.0.1',
  ]);
  const names = errors.map((error) => error.toLowerCase());
  const exporter = await startExporter(t, {
    ...{ ping_interval: 1, alive_codes: 'any' },
    dns: { servers, timeout: 0.5, min_ttl: 1 },
    destinations: [
      ...names.map((name) => ({ name, uri: `${name}.test` })),
      ...names.map((name) => ({ name: `srv-${name}`, uri: `srv-${name}.test` })),
    ],
  });
  for (const name of names) {
    await eventually(`${name} is up`, async () => (await exporter.isAlive(name)) === 1, 20_000);
    // Port 5060 is closed here, but the target exists.
    await eventually(`srv-${name} has a target`, async () => {
      const { targets } = await exporter.destination(`srv-${name}`);
      return targets.map(({ address }) => address).join() === '127.0.0.1:5060';
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  for (const name of names.flatMap((name) => [name, `srv-${name}`])) {
    const labels = { destination: name };
    assert.equal(await exporter.metric('sip_keepalive_resolution_stale', labels), 0, name);
    assert.equal(await exporter.metric('sip_keepalive_resolution_failures_total', labels), 0, name);
    const { resolution } = await explained(exporter, name);
    assert.match(resolution?.errors.join() ?? '', /NAPTR of .*\.test: /, name);
  }
});

test('records whose order changes with each answer change no state', async (t) => {
  const live = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const closed = await freePort();
  const naptr = [
    'a.test NAPTR 1 1 s SIP+D2T _sip._tcp.a.test',
    'a.test NAPTR 1 1 s SIP+D2U _sip._udp.a.test',
  ];
  const rest = [
    `_sip._udp.a.test SRV 1 1 ${live.port} h.test`,
    `_sip._tcp.a.test SRV 1 1 ${closed} h.test`,
    'h.test A 127.0.0.1',
  ];
  let answers = 0;
  const server = await fakeDns(
    t,
    zoneScript(() => [...(++answers % 2 === 0 ? naptr : naptr.toReversed()), ...rest]),
  );
  const exporter = await startExporter(t, {
    ping_interval: 0.5,
    dns: { servers: [server.label], min_ttl: 0.5 },
    destinations: [{ name: 'a', uri: 'a.test' }],
  });
  await eventually('it is up', async () => (await exporter.isAlive('a')) === 1);
  const lookups = () => server.queries.filter(({ type }) => type === 'NAPTR').length;
  const before = lookups();
  await eventually('several more lookups', () => lookups() > before + 6, 30_000);
  assert.equal(await exporter.isAlive('a'), 1);
  assert.equal(await exporter.metric('sip_keepalive_state_changes_total'), 0);
  assert.equal(await exporter.metric('sip_keepalive_resolution_changes_total'), 0);
  assert.equal(await exporter.metric('sip_keepalive_targets'), 1);
});

test('a probe that times out during DNS resolution reports resolution', async (t) => {
  const { servers } = await dnsOf(t, ['a.test A !silence', 'a.test AAAA !silence']);
  const exporter = await startExporter(t, { dns: { servers }, destinations: [] });
  const answer = await fetch(`${exporter.url}/probe?target=sip:a.test:5060`, {
    headers: { 'X-Prometheus-Scrape-Timeout-Seconds': '1.5' },
  });
  assert.match(await answer.text(), /^probe_failure_info\{reason="resolution"\} 1$/m);
});
