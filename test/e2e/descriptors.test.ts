/** A process with few descriptors: HTTP clients cannot use those that pings need. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, sum } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, folder, run } from '../support/process.js';

const DESTINATIONS = 50;

test('with 300 idle HTTP connections and 256 descriptors no TCP destination goes down, and /metrics answers', async (t) => {
  const peer = await startFarEnd(t, 'tcp', (_request, good) => [good]);
  const config = join(folder(t), 'config.json');
  const destinations = Array.from({ length: DESTINATIONS }, (_, i) => ({
    ...{ uri: `sip:127.0.0.1:${peer.port};transport=tcp`, name: `d${i}` },
    connection: i % 2 === 0 ? 'per_ping' : 'persistent',
  }));
  writeFileSync(config, JSON.stringify({ ping_interval: 1, destinations }));
  const args = [`--config.file=${config}`, '--web.listen-address=127.0.0.1:0'];
  const script = 'ulimit -n 256 && exec "$0" "$@"';
  const { output } = run(t, 'sh', ['-c', script, process.execPath, MAIN, ...args]);
  const url = await eventually(
    'the exporter listens',
    () => /url=(http:\S+)\//.exec(output())?.[1],
  );
  const metrics = async () => (await fetch(`${url}/metrics`)).text();
  await eventually('all destinations are up', async () => {
    return sum(await metrics(), 'sip_keepalive_up') === DESTINATIONS;
  });
  const { hostname, port } = new URL(url);
  const idle = Array.from({ length: 300 }, () => {
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    t.after(() => socket.destroy());
    return socket;
  });
  await Promise.all(idle.map((socket) => Promise.race([once(socket, 'connect'), sleep(5_000)])));
  const before = sum(await metrics(), 'sip_keepalive_pings_total') ?? 0;
  const text = await eventually('every destination has been pinged three more times', async () => {
    const text = await metrics();
    return (sum(text, 'sip_keepalive_pings_total') ?? 0) > before + 3 * DESTINATIONS && text;
  });
  assert.equal(sum(text, 'sip_keepalive_up'), DESTINATIONS);
  assert.equal(sum(text, 'sip_keepalive_ping_failures_total', { reason: 'local' }), 0);
  assert.equal(sum(text, 'sip_keepalive_exporter_http_connections_limit'), 64);
  assert.ok((sum(text, 'sip_keepalive_exporter_http_connections_dropped_total') ?? 0) >= 200);
});
