import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { MAIN, startExporter } from '../support/exporter.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';

const call = (args: readonly string[], env: Record<string, string> = {}) =>
  runToEnd(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env } });

test('--help and --version print and exit', () => {
  const help = call(['--help']);
  assert.equal(help.status, 0);
  assert.match(help.stdout, /--ping_interval=30/);
  assert.match(call(['--version']).stdout, /^sip-keepalive-exporter \d+\.\d+\.\d+\n$/);
});

test('--config.check validates the configuration without starting', (t) => {
  const good = call(['--config.check', '--destination', '192.168.10.20']);
  assert.equal(good.status, 0);
  assert.match(good.stdout, /1 destinations/);
  const file = join(folder(t), 'bad.yml');
  writeFileSync(file, 'ping_interval: -3\ndestinations:\n  - uri: http://x\n');
  const bad = call(['--config.check', `--config.file=${file}`]);
  assert.equal(bad.status, 2);
  assert.match(bad.stderr, /ping_interval: expected a duration .*, got "-3"/);
});

test('an invalid flag, an invalid variable and a missing file stop the start with exit code 2', () => {
  const flag = call(['--no-such-flag']);
  assert.equal(flag.status, 2);
  assert.match(flag.stderr, /--no-such-flag/);
  const env = call([], { SIP_KEEPALIVE_RISE: 'often' });
  assert.equal(env.status, 2);
  assert.match(env.stderr, /: SIP_KEEPALIVE_RISE: expected a whole number .*, got "often"/);
  const file = call(['--config.file=/no/such/file.yml']);
  assert.equal(file.status, 2);
  assert.match(file.stderr, /\/no\/such\/file\.yml: expected a readable file/);
});

test('an HTTP port in use stops the start with an error', async (t) => {
  const server = http.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const result = call([`--web.listen-address=127.0.0.1:${port}`]);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /EADDRINUSE/);
  assert.doesNotMatch(result.stderr, /\n {4}at /, 'no stack');
});

test('a UDP source port in use does not change the verdict, is logged and shown at /-/ready, and is retried', async (t) => {
  const taken = dgram.createSocket('udp4');
  taken.bind(0, '127.0.0.1');
  await once(taken, 'listening');
  const exporter = await startExporter(t, {
    ping_interval: 1,
    source_address: '127.0.0.1',
    source_port: taken.address().port,
    destinations: [{ name: 'd', uri: '127.0.0.1:9' }],
  });
  const local = { destination: 'd', reason: 'local' };
  await eventually('its pings fail', async () => {
    return ((await exporter.metric('sip_keepalive_ping_failures_total', local)) ?? 0) >= 3;
  });
  assert.equal(await exporter.isAlive('d'), -1);
  const { state, reason, targets } = await exporter.destination('d');
  assert.deepEqual([state, reason, targets[0]?.state], ['unknown', 'local', 'unknown']);
  await exporter.logged(/cannot open a UDP socket/);
  assert.match(await exporter.get('/-/ready'), /cannot ping/);
  taken.close();
  await eventually('the socket opens', async () => {
    return (await exporter.destination('d')).reason === 'refused';
  });
  assert.equal(await exporter.get('/-/ready'), 'Ready\n');
});

test('without destinations it starts, warns and serves', async (t) => {
  const exporter = await startExporter(t, {});
  await exporter.logged(/no destinations/);
  assert.match(await exporter.get('/metrics'), /sip_keepalive_exporter_build_info/);
  assert.equal(await exporter.get('/-/healthy'), 'Healthy\n');
});

test('SIGTERM stops it, even during a ping', async (t) => {
  const exporter = await startExporter(t, { destinations: ['127.0.0.1:9', '[::1]:9'] });
  const ended = once(exporter.child, 'exit', { signal: AbortSignal.timeout(60_000) });
  exporter.child.kill('SIGTERM');
  const [code] = await ended;
  assert.equal(code, 0);
});

test('the environment and logfmt work as documented', async (t) => {
  const running = run(t, process.execPath, [MAIN], {
    env: {
      ...process.env,
      SIP_KEEPALIVE_DESTINATION: '127.0.0.1:9 127.0.0.1:10',
      SIP_KEEPALIVE_WEB_LISTEN_ADDRESS: '127.0.0.1:0',
    },
  });
  await eventually('it watches both', () =>
    /event=config_applied destinations=2/.test(running.output()),
  );
});
