/** Names behind NAPTR and SRV records, on a real DNS server whose zone changes. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { startDnsmasq, type Zone } from '../support/dnsmasq.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';
import { needs } from '../support/tools.js';

/** Ports that answer, and one on which nothing listens. */
async function ports(t: Parameters<typeof startFarEnd>[0], live: number) {
  const farEnds = await Promise.all(
    Array.from({ length: live }, () => startFarEnd(t, 'udp', (_request, good) => [good])),
  );
  return { farEnds, live: farEnds.map(({ port }) => port), dead: await freePort() };
}

/** `_sip._udp.NAME` with these ports, each with its priority and weight. */
const srvOf = (name: string, records: readonly (readonly [number, number, number])[]) =>
  records.map(
    ([port, priority, weight]) => `_sip._udp.${name},h.test,${port},${priority},${weight}`,
  );
const HOSTS: Zone['hosts'] = { 'h.test': ['127.0.0.1'] };

const up = async (exporter: Exporter, destination: string) =>
  exporter.metric('sip_keepalive_target_up', { destination });
const addresses = async (exporter: Exporter, name: string) =>
  (await exporter.destination(name)).targets.map(({ address }) => address).sort();
const all = (list: readonly number[]) => list.map((port) => `127.0.0.1:${port}`).sort();

describe('a name with SRV records', needs('dnsmasq'), () => {
  test('has a target for each address, and the state that alive_when gives', async (t) => {
    const { live, dead, farEnds } = await ports(t, 3);
    const records = [[dead, 1, 5], ...live.map((port) => [port, 2, 10])] as [
      number,
      number,
      number,
    ][];
    const dns = await startDnsmasq(t, { hosts: HOSTS, srv: srvOf('a.test', records) });
    const exporter = await startExporter(t, {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      destinations: [
        { name: 'any', uri: 'a.test' },
        { name: 'all', uri: 'a.test', alive_when: 'all' },
        { name: 'priority', uri: 'a.test', alive_when: 'priority' },
      ],
    });
    await eventually('verdicts', async () => {
      const codes = await Promise.all(['any', 'all', 'priority'].map((n) => exporter.isAlive(n)));
      return codes.join() === '1,2,2';
    });
    assert.deepEqual(await addresses(exporter, 'any'), all([dead, ...live]));
    await eventually('four verdicts', async () => (await up(exporter, 'any')) === 3);
    const labels = { destination: 'any', address: `127.0.0.1:${dead}` };
    assert.equal(await exporter.metric('sip_keepalive_target_up', labels), 0);
    assert.equal(await exporter.metric('sip_keepalive_targets_up', { destination: 'any' }), 3);
    assert.equal(
      await exporter.metric('sip_keepalive_target_info', { ...labels, priority: '1', weight: '5' }),
      1,
    );
    assert.equal((await exporter.destination('all')).reason, 'refused');

    const { resolution } = (await exporter.destination('any')) as unknown as Explained;
    const steps = resolution.targets.find(({ address }) => address === labels.address)?.steps;
    assert.deepEqual(
      steps?.map(({ type, name, value }) => `${type} ${name} ${value}`),
      [`SRV _sip._udp.a.test h.test:${dead}`, 'A h.test 127.0.0.1'],
    );

    for (const farEnd of farEnds) await farEnd.stop();
    await eventually('it is down', async () => (await exporter.isAlive('any')) === 2);
  });

  test('follows its zone: new addresses are added, missing ones removed, the others keep their counters', async (t) => {
    const { live } = await ports(t, 3);
    const [a = 0, b = 0, c = 0] = live;
    const zone = (...list: readonly number[]): Zone => ({
      ttl: 1,
      hosts: HOSTS,
      srv: srvOf(
        'a.test',
        list.map((port) => [port, 1, 1]),
      ),
    });
    const dns = await startDnsmasq(t, zone(a, b));
    const exporter = await startExporter(t, {
      ping_interval: 3,
      dns: { servers: [`127.0.0.1:${dns.port}`], min_ttl: 1 },
      destinations: [{ name: 'a', uri: 'a.test' }],
    });
    await eventually('both are up', async () => (await up(exporter, 'a')) === 2);
    const pingsOf = async (port: number) =>
      (await exporter.metric('sip_keepalive_pings_total', { address: `127.0.0.1:${port}` })) ?? 0;
    const before = await pingsOf(a);
    await dns.serve(zone(a, c));
    // The TTL of a second, the time of the lookups, and that of the requests of this test.
    const beganAt = performance.now();
    await eventually('the new one is added, the old one removed', async () => {
      return (
        (await addresses(exporter, 'a')).join() === all([a, c]).join() &&
        (await up(exporter, 'a')) === 2
      );
    });
    t.diagnostic(`after ${Math.round(performance.now() - beganAt)} ms`);
    assert.ok((await pingsOf(a)) >= before);
    await eventually('it is still pinged', async () => (await pingsOf(a)) > before);
    assert.equal(
      await exporter.metric('sip_keepalive_pings_total', { address: `127.0.0.1:${b}` }),
      undefined,
    );
    assert.equal(await exporter.metric('sip_keepalive_resolution_changes_total'), 1);
    assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
  });

  test('is still pinged while DNS is down, and reported as stale; one that never resolved is down', async (t) => {
    const { live } = await ports(t, 2);
    const srv = srvOf(
      'a.test',
      live.map((port) => [port, 1, 1]),
    );
    const dns = await startDnsmasq(t, { hosts: HOSTS, srv });
    const exporter = await startExporter(t, {
      ping_interval: 3,
      dns: { servers: [`127.0.0.1:${dns.port}`], min_ttl: 1, timeout: '500ms' },
      destinations: [
        { name: 'a', uri: 'a.test' },
        { name: 'never', uri: 'never.test' },
      ],
    });
    await eventually(
      'verdicts',
      async () => (await up(exporter, 'a')) === 2 && (await exporter.isAlive('never')) === 2,
    );
    const stale = () => exporter.metric('sip_keepalive_resolution_stale', { destination: 'a' });
    const failures = (reason: string) =>
      exporter.metric('sip_keepalive_resolution_failures_total', { destination: 'never', reason });
    assert.equal(await stale(), 0);
    assert.ok(((await failures('nxdomain')) ?? 0) + ((await failures('nodata')) ?? 0) > 0);
    await dns.stop();
    await eventually('it is stale', async () => (await stale()) === 1);
    const pings = (await exporter.metric('sip_keepalive_pings_total', { destination: 'a' })) ?? 0;
    await eventually('it is still pinged', async () => {
      return (
        ((await exporter.metric('sip_keepalive_pings_total', { destination: 'a' })) ?? 0) >
        pings + 2
      );
    });
    assert.equal(await exporter.isAlive('a'), 1);
    assert.equal((await exporter.destination('never')).reason, 'resolution');
    await dns.serve({ hosts: HOSTS, srv });
    await eventually('it is fresh again', async () => (await stale()) === 0);
  });

  test('with resolve: first is pinged at the best address, and at the next one within the same ping', async (t) => {
    const { live, dead } = await ports(t, 1);
    const [good = 0] = live;
    const records: [number, number, number][] = [
      [dead, 1, 1],
      [good, 2, 1],
    ];
    const dns = await startDnsmasq(t, { hosts: HOSTS, srv: srvOf('a.test', records) });
    const exporter = await startExporter(t, {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      destinations: [{ name: 'a', uri: 'a.test', resolve: 'first', ping_interval: 5 }],
    });
    await eventually('it is up', async () => (await exporter.isAlive('a')) === 1);
    assert.deepEqual(await addresses(exporter, 'a'), all([dead]));
    assert.ok(((await exporter.metric('sip_keepalive_failovers_total')) ?? 0) >= 1);
    assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
  });

  test('is pinged at max_targets addresses at most, and the number of the others is reported', async (t) => {
    const { live } = await ports(t, 2);
    const extra = Array.from(
      { length: 198 },
      (_, i) => [20_000 + i, 9, 1] as [number, number, number],
    );
    const records = [...live.map((port) => [port, 1, 1] as [number, number, number]), ...extra];
    const dns = await startDnsmasq(t, { hosts: HOSTS, srv: srvOf('a.test', records) });
    const exporter = await startExporter(t, {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      destinations: [{ name: 'a', uri: 'a.test', max_targets: 2 }],
    });
    await eventually('it is up', async () => (await up(exporter, 'a')) === 2);
    assert.deepEqual(await addresses(exporter, 'a'), all(live));
    assert.equal(await exporter.metric('sip_keepalive_targets_truncated'), 198);
    await exporter.logged(/198 addresses are not pinged/);
  });
});

test(
  'NAPTR selects the transport, aliases are followed, and /probe does the same',
  needs('dnsmasq'),
  async (t) => {
    const tcp = await startFarEnd(t, 'tcp', (_request, good) => [good]);
    const dns = await startDnsmasq(t, {
      hosts: HOSTS,
      naptr: [
        'a.test,10,10,s,SIP+D2T,,_sip._tcp.a.test',
        'a.test,20,10,s,SIP+D2U,,_sip._udp.a.test',
      ],
      srv: [`_sip._tcp.a.test,h.test,${tcp.port},1,1`, '_sip._udp.a.test,h.test,9,1,1'],
      cname: ['alias.test,h.test'],
    });
    const exporter = await startExporter(t, {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      destinations: [
        { name: 'naptr', uri: 'a.test' },
        { name: 'alias', uri: `alias.test:${tcp.port};transport=tcp` },
      ],
    });
    for (const name of ['naptr', 'alias']) {
      await eventually(`${name} is up`, async () => (await exporter.isAlive(name)) === 1);
    }
    assert.equal(
      await exporter.metric('sip_keepalive_target_up', { destination: 'naptr', transport: 'tcp' }),
      1,
    );
    const text = await exporter.get('/probe?target=sip:a.test');
    assert.match(text, /^probe_success 1$/m);
    assert.match(text, /^probe_dns_lookup_time_seconds 0\.\d+/m);
  },
);

test('names in the hosts file have the addresses in it, also after a change', async (t) => {
  const { live } = await ports(t, 1);
  const file = join(folder(t), 'hosts');
  writeFileSync(file, '127.0.0.1 gateway.lan # ours\n');
  const destinations = [{ name: 'gateway', uri: `gateway.lan:${live[0]}` }];
  const config = { ping_interval: 1, dns: { min_ttl: 1 }, destinations };
  const exporter = await startExporter(t, config, [`--dns.hosts_file=${file}`]);
  await eventually('it is up', async () => (await exporter.isAlive('gateway')) === 1);
  assert.deepEqual(await addresses(exporter, 'gateway'), all(live));
  writeFileSync(file, '127.0.0.9 gateway.lan\n');
  await eventually('the change takes effect', async () => {
    return (await addresses(exporter, 'gateway')).join() === `127.0.0.9:${live[0]}`;
  });
});

interface Explained {
  readonly resolution: {
    readonly targets: readonly {
      readonly address: string;
      readonly steps: readonly {
        readonly type: string;
        readonly name: string;
        readonly value: string;
      }[];
    }[];
  };
}
