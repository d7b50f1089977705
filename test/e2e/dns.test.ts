import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { startExporter } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run } from '../support/process.js';
import { needs } from '../support/tools.js';

test(
  'names are resolved by DNS: A, AAAA, one that does not exist, one that is created later',
  needs('dnsmasq'),
  async (t) => {
    const fleet = await startFleet(folder(t));
    t.after(() => fleet.close());
    const portOf = (name: string) =>
      fleet.members
        .find((m) => m.name === name)
        ?.uri.split(':')
        .at(-1);
    const dnsPort = await freePort();
    const hosts = join(folder(t), 'hosts');
    writeFileSync(hosts, '127.0.0.1 four.test\n::1 six.test\n');
    const dnsmasq = run(t, 'dnsmasq', [
      ...['--no-daemon', '--no-resolv', '--no-hosts', '--conf-file=/dev/null', '--local-ttl=1'],
      ...[`--port=${dnsPort}`, '--listen-address=127.0.0.1', '--bind-interfaces', '--user=root'],
      ...[`--addn-hosts=${hosts}`, '--local=/test/', '--pid-file='],
    ]);
    await eventually('dnsmasq runs', () => dnsmasq.output().includes('started'));
    const exporter = await startExporter(t, {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dnsPort}`] },
      destinations: [
        { name: 'four', uri: `four.test:${portOf('fast')}` },
        { name: 'six', uri: `six.test:${portOf('fast-ipv6')}` },
        { name: 'late', uri: `late.test:${portOf('fast')}` },
        { name: 'localhost', uri: `localhost:${portOf('fast')}` },
      ],
    });
    await eventually('what resolves is up', async () => {
      const codes = await Promise.all(['four', 'six', 'localhost'].map((n) => exporter.isAlive(n)));
      return codes.every((code) => code === 1);
    });
    await eventually('what does not is down', async () => (await exporter.isAlive('late')) === 2);
    assert.equal((await exporter.destination('late')).reason, 'resolution');
    assert.equal(
      (await exporter.destination('six')).targets[0]?.address,
      `[::1]:${portOf('fast-ipv6')}`,
    );
    assert.ok(((await exporter.metric('sip_keepalive_resolution_failures_total')) ?? 0) >= 1);
    assert.equal(await exporter.metric('sip_keepalive_targets', { destination: 'late' }), 0);

    writeFileSync(hosts, '127.0.0.1 four.test\n::1 six.test\n127.0.0.1 late.test\n');
    dnsmasq.child.kill('SIGHUP');
    await eventually('it has come up', async () => (await exporter.isAlive('late')) === 1);

    await dnsmasq.stop();
    const pings =
      (await exporter.metric('sip_keepalive_pings_total', { destination: 'four' })) ?? 0;
    await eventually('it is still pinged, at its last known address', async () => {
      const now = await exporter.metric('sip_keepalive_pings_total', { destination: 'four' });
      return (now ?? 0) >= pings + 2 && (await exporter.isAlive('four')) === 1;
    });
  },
);
