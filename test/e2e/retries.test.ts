import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';

/** With an interval of an hour, every ping but the first one is a retry, or one of a peer that is down. */
const SLOW = { ping_interval: '1h', ping_timeout: '900ms', rise: 2, fall: 3 };
const QUICK = { retry_interval: '1s', down_interval: '1s' };

test('a peer that dies and returns is confirmed by retries, and a healthy one is not pinged more often', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const config = (user_agent: string) => ({
    ...SLOW,
    ...QUICK,
    user_agent,
    destinations: [{ uri: `127.0.0.1:${peer.port}`, name: 'gw' }],
  });
  await peer.stop();
  const exporter = await startExporter(t, config('a'));
  const becomes = (code: number) =>
    eventually(`is_alive is ${code}`, async () => (await exporter.isAlive('gw')) === code);
  const count = async (family: string) =>
    (await exporter.metric(`sip_keepalive_${family}`, { destination: 'gw' })) ?? 0;

  await becomes(2);
  const failures = await count('ping_failures_total');
  assert.ok(failures >= 3, `${failures} failures`);
  await eventually(
    'it is still pinged',
    async () => (await count('ping_failures_total')) > failures,
  );

  await peer.start();
  await becomes(1);
  const pings = await count('pings_total');
  assert.equal(pings - (await count('ping_failures_total')), 2, 'rise');

  await peer.stop();
  writeFileSync(exporter.configFile, JSON.stringify(config('b')));
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  await becomes(2);
  assert.ok((await count('pings_total')) - pings >= 3, 'fall');
  await peer.start();
  await becomes(1);
  const alive = (await count('pings_total')) - (await count('ping_failures_total'));
  assert.equal(alive, 4, 'a peer that is up has to wait for an hour');

  const events = [...exporter.output().matchAll(/"event":"(destination_(?:up|down))"/g)];
  assert.deepEqual(
    events.map(([, event]) => event),
    ['destination_down', 'destination_up', 'destination_down', 'destination_up'],
  );
  assert.equal(await count('retry_interval_seconds'), 1);
});
