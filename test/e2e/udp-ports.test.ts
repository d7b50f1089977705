/** The UDP ports that pings are sent from, and pings that arrive at the exporter itself. */

import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

const FAST = { ping_interval: 0.5, ping_timeout: 0.3 };

/** A far end behind a NAT that does not answer source ports whose binding is lost. */
async function startForgetful(t: TestContext) {
  const socket = dgram.createSocket('udp4');
  const forgotten = new Set<number>();
  const ports: number[] = [];
  socket.on('message', (request, from) => {
    ports.push(from.port);
    if (forgotten.has(from.port)) return;
    socket.send(buildOptionsResponse(request, from, 'far') ?? '', from.port, from.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { port: socket.address().port, forgotten, ports };
}

for (const [io, options] of EACH_UDP_IO) {
  const start = (t: TestContext, config: object) => startExporter(t, config, [`--udp.io=${io}`]);

  describe(`a target behind a lost NAT binding (${io})`, { ...options, concurrency: true }, () => {
    test('is up again from a new port, and stays there; the change is counted and logged', async (t) => {
      const far = await startForgetful(t);
      const other = await startForgetful(t);
      const destinations = [
        { name: 'far', uri: `127.0.0.1:${far.port}` },
        { name: 'other', uri: `127.0.0.1:${other.port}` },
      ];
      const exporter = await start(t, { ...FAST, destinations });
      const rebinds = () => exporter.metric('sip_keepalive_udp_rebinds_total');
      const isUp = async () => (await exporter.isAlive('far')) === 1;
      await eventually('it is up', isUp);
      assert.equal(await rebinds(), 0);
      const [first] = far.ports;
      assert.ok(first !== undefined);
      far.forgotten.add(first);
      await eventually('it is down', async () => !(await isUp()));
      await eventually('it is up again', isUp);
      assert.equal(await rebinds(), 1);
      await exporter.logged(new RegExp(`"old_port":${first},"new_port":\\d+`));
      const seen = far.ports.length;
      await eventually('more pings', () => far.ports.length > seen + 3);
      assert.equal(new Set(far.ports.slice(seen)).size, 1);
      assert.notEqual(far.ports.at(-1), first);
      assert.deepEqual([...new Set(other.ports)], [first], 'others keep their port');
      // The bindings of the new port and of all other open ports may be lost too.
      for (const port of far.ports) far.forgotten.add(port);
      await eventually('it is down again', async () => !(await isUp()));
      await eventually('it is up once more', isUp);
      assert.equal(await exporter.metric('sip_keepalive_pinger_restarts_total'), 0);
    });

    test('stays down with source_port', async (t) => {
      const far = await startForgetful(t);
      const sourcePort = await freePort();
      const exporter = await start(t, {
        ...{ ...FAST, source_address: '127.0.0.1', source_port: sourcePort },
        destinations: [{ name: 'far', uri: `127.0.0.1:${far.port}` }],
      });
      await eventually('it is up', async () => (await exporter.isAlive('far')) === 1);
      far.forgotten.add(sourcePort);
      const seen = far.ports.length;
      await eventually('many pings', () => far.ports.length > seen + 8);
      assert.deepEqual([...new Set(far.ports)], [sourcePort]);
      assert.equal(await exporter.isAlive('far'), 2);
      assert.equal(await exporter.metric('sip_keepalive_udp_rebinds_total'), 0);
    });

    test('is probed from another port after a probe without an answer', async (t) => {
      const far = await startForgetful(t);
      const exporter = await start(t, { ...FAST });
      const probe = async (seconds: number) => {
        const target = encodeURIComponent(`sip:127.0.0.1:${far.port}`);
        const headers = { 'x-prometheus-scrape-timeout-seconds': String(seconds) };
        const response = await fetch(`${exporter.url}/probe?target=${target}`, { headers });
        return /^probe_success 1$/m.test(await response.text());
      };
      assert.equal(await probe(20), true);
      for (const port of far.ports) far.forgotten.add(port);
      // Here it may be the same port, which stays open for a while.
      await probe(1);
      assert.equal(await probe(20), true);
      assert.equal(new Set(far.ports).size, 2);
    });
  });

  describe(`a destination that is the exporter itself (${io})`, {
    ...options,
    concurrency: true,
  }, () => {
    for (const [name, host, sourceAddress] of [
      ['the source address of pings', '127.0.0.1', '127.0.0.1'],
      ['loopback, with the port bound on every address', '127.0.0.1', ''],
      ['another address of the host', '127.0.0.2', ''],
      ['the loopback address of IPv6', '[::1]', ''],
    ] as const) {
      test(`(${name}) is refused`, async (t) => {
        const sourcePort = await freePort();
        const exporter = await start(t, {
          ...{ ...FAST, source_port: sourcePort, source_address: sourceAddress },
          destinations: [{ name: 'self', uri: `${host}:${sourcePort}` }],
        });
        await eventually('a verdict', async () => (await exporter.isAlive('self')) !== -1);
        const { state, reason, targets } = await exporter.destination('self');
        assert.deepEqual([state, reason], ['down', 'refused']);
        assert.equal(targets[0]?.detail, 'the request came back to the exporter itself');
        const answers = await exporter.metric('sip_keepalive_responses_total');
        assert.ok((answers ?? 0) === 0, 'there was no answer');
      });
    }
  });
}

test('a destination that is the exporter itself through an echo over TCP is refused', async (t) => {
  const echo = await startFarEnd(t, 'tcp', (request) => [request]);
  const exporter = await startExporter(t, {
    ...FAST,
    destinations: [{ name: 'echo', uri: `127.0.0.1:${echo.port};transport=tcp` }],
  });
  await eventually('a verdict', async () => (await exporter.isAlive('echo')) !== -1);
  assert.equal((await exporter.destination('echo')).reason, 'refused');
});
