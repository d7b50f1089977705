import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';

const write = ({ configFile }: Exporter, config: unknown) =>
  writeFileSync(configFile, JSON.stringify(config));
const pingsOf = async (exporter: Exporter, destination: string) =>
  (await exporter.metric('sip_keepalive_pings_total', { destination })) ?? 0;
const isUp = (exporter: Exporter, name: string) =>
  eventually(`${name} is up`, async () => (await exporter.isAlive(name)) === 1);

for (const [how, reload] of [
  ['POST /-/reload', async (exporter: Exporter) => void (await exporter.post('/-/reload', ''))],
  ['SIGHUP', async ({ child }: Exporter) => void child.kill('SIGHUP')],
] as const) {
  test(`${how}: unchanged destinations keep counters, connection and verdict; the rest follows the new file`, async (t) => {
    const peer = await startFarEnd(t, 'tcp', (_request, good) => [good]);
    const uri = `sip:127.0.0.1:${peer.port};transport=tcp`;
    const config = (...destinations: readonly object[]) => ({ ping_interval: 3, destinations });
    const stays = { uri, name: 'stays' };
    const exporter = await startExporter(
      t,
      config(stays, { uri, name: 'goes' }, { uri, name: 'changes', labels: { site: 'old' } }),
    );
    for (const name of ['stays', 'goes', 'changes']) await isUp(exporter, name);
    const [before, changing] = [
      await pingsOf(exporter, 'stays'),
      await pingsOf(exporter, 'changes'),
    ];
    const since = async () =>
      /"since":"([^"]+)"/.exec(await exporter.get('/api/v1/destinations/stays'));
    const sinceBefore = (await since())?.[1];

    write(
      exporter,
      config(
        stays,
        { uri, name: 'comes' },
        { uri, name: 'changes', labels: { site: 'new' }, fall: 9 },
      ),
    );
    await reload(exporter);
    await isUp(exporter, 'comes');
    assert.equal(await exporter.isAlive('goes'), -1);
    assert.equal(await exporter.metric('sip_keepalive_up', { destination: 'goes' }), undefined);
    assert.equal((await since())?.[1], sinceBefore);
    assert.ok((await pingsOf(exporter, 'stays')) >= before, 'no counter is reset');
    assert.ok((await pingsOf(exporter, 'changes')) >= changing, 'nor one of changed settings');
    const labels = { destination: 'changes', site: 'new' };
    assert.equal(await exporter.metric('sip_keepalive_target_up', labels), 1);
    await eventually('pings continue', async () => (await pingsOf(exporter, 'stays')) > before + 2);
    assert.equal(
      peer.connections,
      5,
      'three at first, one for the new destination, one for new settings',
    );
    assert.equal(await exporter.metric('sip_keepalive_exporter_destinations'), 3);
  });
}

test('an invalid configuration changes nothing and is reported; the next valid one is applied', async (t) => {
  const exporter = await startExporter(t, { destinations: [{ uri: '127.0.0.1:9', name: 'a' }] });
  const loadedAt = 'sip_keepalive_exporter_config_last_reload_success_timestamp_seconds';
  const first = await exporter.metric(loadedAt);
  for (const [wrong, why] of [
    [{ ping_interval: -1, destinations: ['127.0.0.1:9'] }, /ping_interval: expected a duration/],
    [{ destinations: ['http://x'], nonsense: 1 }, /nonsense: unknown setting/],
    [{ tls_config: { ca_file: '/nowhere/ca.pem' } }, /\/nowhere\/ca.pem: expected a readable file/],
  ] as const) {
    write(exporter, wrong);
    const answer = await exporter.post('/-/reload', '');
    assert.equal(answer.status, 500);
    assert.match(await answer.text(), why);
    assert.equal(await exporter.metric('sip_keepalive_exporter_config_last_reload_successful'), 0);
    assert.equal(await exporter.metric(loadedAt), first);
    assert.equal(await exporter.metric('sip_keepalive_exporter_destinations'), 1);
  }
  await exporter.logged(/configuration is invalid; keeping the current one/);
  write(exporter, { destinations: [{ uri: '127.0.0.1:9', name: 'b' }] });
  const answers = await Promise.all([1, 2, 3].map(() => exporter.post('/-/reload', '')));
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200],
    'reloads during a reload are answered like it',
  );
  assert.equal(await exporter.metric('sip_keepalive_exporter_config_last_reload_successful'), 1);
  assert.match(await exporter.get('/config'), /"name": "b"/);
});

test('settings of modules, probes and the log change with a reload; the listen address does not', async (t) => {
  const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
  write(exporter, {
    modules: { other: { ping_interval: 7 } },
    probe: { enabled: false },
    state_dir: '/nowhere',
    destinations: [{ uri: '127.0.0.1:9', name: 'a', module: 'other' }],
  });
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  // A new destination has series once the pinger thread has taken it.
  await eventually('the new interval', async () => {
    const interval = 'sip_keepalive_ping_interval_seconds';
    return (await exporter.metric(interval, { destination: 'a' })) === 7;
  });
  assert.equal((await fetch(`${exporter.url}/probe?target=127.0.0.1:9`)).status, 403);
  await exporter.logged(/changed setting ignored; restart the exporter to apply it/);
  assert.match(await exporter.get('/config'), /"state_dir": ""/);
});

test('a file that changes is reloaded automatically once it is complete', async (t) => {
  const config = (name: string) => ({
    config: { 'auto-reload-interval': '200ms' },
    destinations: [{ uri: '127.0.0.1:9', name }],
  });
  const exporter = await startExporter(t, config('before'));
  writeFileSync(exporter.configFile, JSON.stringify(config('after')).slice(0, 40));
  await sleep(500);
  assert.equal(await exporter.metric('sip_keepalive_exporter_config_last_reload_successful'), 1);
  write(exporter, config('after'));
  await eventually('it is loaded', async () => (await exporter.get('/config')).includes('"after"'));
  assert.equal(await exporter.metric('sip_keepalive_exporter_config_last_reload_successful'), 1);
});

test('a page of another site cannot trigger a reload', async (t) => {
  const exporter = await startExporter(t, {});
  for (const origin of ['http://evil.example', 'null', 'nonsense']) {
    assert.equal((await exporter.post('/-/reload', '', { origin })).status, 403, origin);
    assert.equal((await exporter.post('/rpc', '{}', { origin })).status, 403, origin);
  }
  assert.equal((await exporter.post('/-/reload', '', { origin: exporter.url })).status, 200);
  const answer = await fetch(`${exporter.url}/-/reload`);
  assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST']);
});

test('SIGHUPs at the same time are one reload; a file with a circular alias is only an error', async (t) => {
  const exporter = await startExporter(t, { destinations: [{ uri: '127.0.0.1:9', name: 'a' }] });
  write(exporter, { destinations: [{ uri: '127.0.0.1:9', name: 'b' }] });
  for (let i = 0; i < 20; i++) exporter.child.kill('SIGHUP');
  await eventually('it is loaded', async () => (await exporter.get('/config')).includes('"b"'));
  await sleep(200);
  const reloads = exporter.output().match(/configuration reloaded/g)?.length ?? 0;
  assert.ok(reloads >= 1 && reloads < 20, `${reloads} reloads`);
  writeFileSync(exporter.configFile, 'modules: &a\n  x: *a\n');
  exporter.child.kill('SIGHUP');
  await eventually('it is reported', () => /configuration is invalid/.test(exporter.output()));
  assert.equal(await exporter.metric('sip_keepalive_exporter_config_last_reload_successful'), 0);
});

test('another hosts file takes effect with the next start; until then the present one is used', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const hosts = join(folder(t), 'hosts');
  writeFileSync(hosts, '127.0.0.1 peer.example\n');
  const uri = `sip:peer.example:${peer.port}`;
  const config = (name: string) => ({ ping_interval: 0.5, destinations: [{ uri, name }] });
  const args = [`--dns.hosts_file=${hosts}`];
  const exporter = await startExporter(t, config('a'), args);
  await isUp(exporter, 'a');
  write(exporter, { ...config('b'), dns: { hosts_file: '/nowhere' } });
  await exporter.post('/-/reload', '');
  await isUp(exporter, 'b');
});

test('another source address on the same port takes effect within seconds', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const source_port = await freePort();
  const uri = `sip:127.0.0.1:${peer.port}`;
  const config = (source_address?: string) => ({
    ...{ ping_interval: 0.3, source_port, source_address },
    destinations: [{ uri, name: 'a' }],
  });
  const exporter = await startExporter(t, config());
  await isUp(exporter, 'a');
  write(exporter, config('127.0.0.1'));
  await exporter.post('/-/reload', '');
  const local = { destination: 'a', reason: 'local' };
  const seen: { readonly pings: number; readonly failures: number }[] = [];
  await eventually('eight pings without a failure of ours between them', async () => {
    const failures = (await exporter.metric('sip_keepalive_ping_failures_total', local)) ?? 0;
    const pings = await pingsOf(exporter, 'a');
    seen.push({ pings, failures });
    return seen.some((then) => then.failures === failures && pings > then.pings + 8);
  });
  await isUp(exporter, 'a');
});

test('a destination that moves to a slow source keeps its counters during a second reload', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const body = JSON.stringify([{ targets: [`127.0.0.1:${peer.port}`] }]);
  let answer = () => {};
  const server = http.createServer(({ url }, response) => {
    response.setHeader('Content-Type', 'application/json');
    if (url === '/old') response.end(body);
    else answer = () => response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const config = (path: string) => ({
    ping_interval: 0.3,
    discovery: { http_sd: [{ url: `http://127.0.0.1:${port}${path}`, refresh_interval: '1h' }] },
  });
  const exporter = await startExporter(t, config('/old'));
  const name = `sip:127.0.0.1:${peer.port}`;
  await eventually('some pings', async () => (await pingsOf(exporter, name)) > 3);
  const before = await pingsOf(exporter, name);
  write(exporter, config('/new'));
  const first = exporter.post('/-/reload', '');
  await sleep(300);
  const second = exporter.post('/-/reload', '');
  await sleep(700);
  assert.ok((await pingsOf(exporter, name)) >= before, 'it is still watched for the old source');
  answer();
  assert.deepEqual([(await first).status, (await second).status], [200, 200]);
  assert.ok((await pingsOf(exporter, name)) >= before, 'no counter was reset');
  assert.match(await exporter.get('/api/v1/destinations'), /"owners":\["http_sd"\]/);
});

test('clients that reload in a loop share reloads', async (t) => {
  const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
  const client = async () => {
    let answers = 0;
    for (let i = 0; i < 4; i++) answers += (await exporter.post('/-/reload', '')).ok ? 1 : 0;
    return answers;
  };
  const answers = await Promise.all(Array.from({ length: 20 }, client));
  assert.deepEqual(answers, Array(20).fill(4));
  const reloads = exporter.output().match(/configuration reloaded/g)?.length ?? 0;
  assert.ok(reloads >= 4 && reloads <= 12, `${reloads} reloads for 80 requests`);
});

test('a destination that moves into a file that already is a source keeps its counters', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const uri = `sip:127.0.0.1:${peer.port}`;
  const file = join(folder(t), 'targets.json');
  const list = (...targets: readonly string[]) =>
    writeFileSync(file, JSON.stringify([{ targets }]));
  list(`${uri};a=b`);
  const config = (destinations: readonly string[]) => ({
    ...{ ping_interval: 0.3, destinations },
    discovery: { file_sd: [{ files: [file], refresh_interval: '1h' }] },
  });
  const exporter = await startExporter(t, config([uri]));
  await isUp(exporter, uri);
  const before = await pingsOf(exporter, uri);
  list(`${uri};a=b`, uri);
  write(exporter, config([]));
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  assert.ok((await pingsOf(exporter, uri)) >= before, 'its counters go on');
  list(`${uri};a=b`);
  write(exporter, config([uri]));
  await exporter.post('/-/reload', '');
  assert.ok((await pingsOf(exporter, uri)) >= before, 'and so on the way back');
});
