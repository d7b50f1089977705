import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';

interface Delivery {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** Receives what webhooks deliver; `answer` is the status for each, or undefined for no answer. */
async function receive(
  t: TestContext,
  answer: (delivery: Delivery, count: number) => number | undefined,
) {
  const all: Delivery[] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      const delivery = { path: request.url ?? '', headers: request.headers, body };
      all.push(delivery);
      const status = answer(delivery, all.length);
      if (status !== undefined) response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { all, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/secret-path` };
}

const eventsOf = (all: readonly Delivery[]) =>
  all.map(({ headers }) => headers['x-sip-keepalive-event']);

test('webhooks receive each change of state, in order and signed', async (t) => {
  let isUp = true;
  const peer = await startFarEnd(t, 'udp', (_request, good) =>
    isUp ? [good] : [good.replace('200 OK', '503 Busy')],
  );
  const { all, url } = await receive(t, () => 204);
  const downs = await receive(t, () => 200);
  const secretFile = join(folder(t), 'secret');
  writeFileSync(secretFile, 's3cret\n');
  const exporter = await startExporter(t, {
    ping_interval: 3,
    webhooks: [
      { url, secret_file: secretFile },
      { url: downs.url, events: ['dst-down'], name: 'downs only' },
    ],
    destinations: [{ uri: `127.0.0.1:${peer.port}`, name: 'gw', labels: { carrier: 'acme' } }],
  });
  await eventually('the first state is delivered', () => all.length === 1);
  isUp = false;
  await eventually('down is delivered', () => all.length === 2);
  isUp = true;
  await eventually('up is delivered', () => all.length === 3);
  assert.deepEqual(eventsOf(all), ['dst-up', 'dst-down', 'dst-up']);
  const [, down] = all;
  const body = JSON.parse(down?.body ?? '') as Record<string, unknown>;
  const { destination, from, state, reason, labels } = body;
  assert.deepEqual([destination, from, state, reason], ['gw', 'up', 'down', 'code']);
  assert.deepEqual(labels, { carrier: 'acme' });
  assert.equal(down?.headers['x-sip-keepalive-delivery'], body['id']);
  const signature = createHmac('sha256', 's3cret')
    .update(down?.body ?? '')
    .digest('hex');
  assert.equal(down?.headers['x-sip-keepalive-signature-256'], `sha256=${signature}`);
  assert.deepEqual(eventsOf(downs.all), ['dst-down']);
  assert.equal(downs.all[0]?.headers['x-sip-keepalive-signature-256'], undefined);
  const name = { webhook: 'downs only' };
  assert.equal(await exporter.metric('sip_keepalive_webhook_deliveries_total', name), 1);
  const shown =
    (await exporter.get('/config')) + (await exporter.get('/metrics')) + exporter.output();
  assert.doesNotMatch(shown, /secret-path|s3cret/);
});

test('a failed delivery is retried, a refused one is not, and a webhook that hangs holds up no other', async (t) => {
  const failing = await receive(t, (_delivery, count) => (count <= 2 ? 500 : 200));
  const refusing = await receive(t, () => 404);
  const hanging = await receive(t, () => undefined);
  const exporter = await startExporter(t, {
    ping_interval: 1,
    webhooks: [
      { url: failing.url, name: 'failing' },
      { url: refusing.url, name: 'refusing' },
      { url: hanging.url, name: 'hanging', timeout: 0.3001 },
      { url: 'http://127.0.0.1:9/', name: 'absent' },
    ],
    destinations: [
      { uri: '127.0.0.1:9', name: 'gw' },
      { uri: '127.0.0.1:10', name: 'other' },
    ],
  });
  const count = (metric: string, webhook: string) =>
    exporter.metric(`sip_keepalive_webhook_${metric}`, { webhook });
  await eventually(
    'the failing one receives both events',
    async () => (await count('deliveries_total', 'failing')) === 2,
  );
  const bodies = failing.all.map(({ body }) => (JSON.parse(body) as { id: string }).id);
  assert.deepEqual([bodies[0], bodies[1], bodies.length], [bodies[2], bodies[2], 4]);
  assert.equal(await count('failures_total', 'failing'), 2);
  await eventually(
    'both events are refused',
    async () => (await count('dropped_total', 'refusing')) === 2,
  );
  assert.equal(refusing.all.length, 2);
  await eventually('a delivery times out', async () => {
    return ((await count('failures_total', 'hanging')) ?? 0) > 0;
  });
  assert.deepEqual(
    [await count('deliveries_total', 'hanging'), await count('queued', 'hanging')],
    [0, 2],
  );
  assert.deepEqual(
    [await count('deliveries_total', 'absent'), await count('queued', 'absent')],
    [0, 2],
  );
  assert.equal(await exporter.stop('SIGTERM'), 0, 'none of them holds up the exit');
});

test('a reload that changes the URL of a webhook sends its queue to the new one', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const { all, url } = await receive(t, () => 204);
  const config = (to: string) => ({
    ping_interval: 3,
    webhooks: [{ url: to, name: 'pager' }],
    destinations: [{ uri: `127.0.0.1:${peer.port}`, name: 'gw' }],
  });
  const exporter = await startExporter(t, config(`http://127.0.0.1:${await freePort()}`));
  const labels = { webhook: 'pager' };
  const failures = async () =>
    exporter.metric('sip_keepalive_webhook_failures_total', labels).then((count) => count ?? 0);
  await eventually('two deliveries fail', async () => (await failures()) >= 2);
  writeFileSync(exporter.configFile, JSON.stringify(config(url)));
  await exporter.post('/-/reload', '');
  await eventually('the event is delivered', () => all.length === 1);
  assert.deepEqual(eventsOf(all), ['dst-up']);
  assert.ok((await failures()) >= 2, 'the counters go on');
});

test('a redirect of a webhook is not followed, and the log has only its host', async (t) => {
  const { all, url } = await receive(t, () => 204);
  const moved = http.createServer((_request, response) => {
    response.writeHead(307, { Location: url }).end();
  });
  await new Promise<void>((resolve) => moved.listen(0, '127.0.0.1', resolve));
  t.after(() => moved.close());
  const { port } = moved.address() as AddressInfo;
  const exporter = await startExporter(t, {
    webhooks: [{ url: `http://127.0.0.1:${port}/x`, name: 'moved' }],
    destinations: [{ uri: `127.0.0.1:${await freePort()}` }],
  });
  const { host } = new URL(url);
  const expected = `status 307: redirect to ${host} not followed`;
  await eventually('it is logged', () => exporter.output().includes(expected));
  assert.doesNotMatch(exporter.output(), /secret-path/);
  assert.equal(all.length, 0);
});
