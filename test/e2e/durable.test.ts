import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, folder, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

const KILLS = 40;
/** Additions that are in progress when the process is killed. */
const AT_A_TIME = 8;
const MAX_BEFORE_KILL = 50;

const config = (stateDir: string) => ({
  ping_interval: 3600,
  state_dir: stateDir,
  web: { 'enable-admin-api': true },
});

async function listed({ rpc }: Exporter): Promise<Set<string>> {
  const { result } = await rpc('keepalive.list', []);
  return new Set((result as { uri: string }[]).map(({ uri }) => uri));
}

/** Kills the process once it has acknowledged this many additions. Returns the acknowledged ones. */
async function killAfter(exporter: Exporter, count: number, first: number): Promise<string[]> {
  const acknowledged: string[] = [];
  let next = first;
  const addMore = async () => {
    for (;;) {
      const uri = `sip:host-${next++}.invalid`;
      const answer = await exporter.rpc('keepalive.add', [uri, 'test']).catch(() => undefined);
      if (answer === undefined) return;
      assert.equal(answer.result, 1);
      acknowledged.push(uri);
      // The others are in transit or being written.
      if (acknowledged.length === count) exporter.child.kill('SIGKILL');
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, addMore));
  await exporter.stop('SIGKILL');
  return acknowledged;
}

test(`kill -9 in the middle of additions, ${KILLS} times: every acknowledged one survives`, async (t) => {
  const stateDir = folder(t);
  let exporter = await startExporter(t, config(stateDir));
  const wanted = new Set<string>();
  for (let kill = 0; kill < KILLS; kill++) {
    const count = 1 + ((kill * 37) % MAX_BEFORE_KILL);
    const acknowledged = await killAfter(exporter, count, kill * 10_000);
    assert.ok(acknowledged.length >= count);
    for (const uri of acknowledged) wanted.add(uri);
    exporter = await startExporter(t, config(stateDir));
    if (kill % 10 !== 9) continue;
    const there = await listed(exporter);
    assert.deepEqual(
      [...wanted].filter((uri) => !there.has(uri)),
      [],
      `after kill ${kill}`,
    );
    // Each would be looked up and pinged; removing them keeps the test short.
    assert.equal(typeof (await exporter.rpc('keepalive.flush', [])).result, 'number');
    wanted.clear();
  }
  assert.doesNotMatch(exporter.output(), /corrupt/);
});

test('destinations added at run time survive a kill -9 and are pinged again', async (t) => {
  const stateDir = folder(t);
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const uri = `sip:127.0.0.1:${peer.port}`;
  const first = await startExporter(t, config(stateDir));
  const add = await first.rpc('keepalive.add', {
    uri,
    owner: 'me',
    ping_interval: 1,
    labels: { a: 'b' },
  });
  assert.equal(add.result, 1);
  await first.stop('SIGKILL');
  const second = await startExporter(t, config(stateDir));
  await eventually('it is up', async () => (await second.isAlive(uri)) === 1);
  const labels = { destination: uri, a: 'b' };
  assert.equal(await second.metric('sip_keepalive_ping_interval_seconds', labels), 1);
  assert.equal((await second.rpc('keepalive.add', [uri, 'me'])).result, -2);
  assert.equal((await second.rpc('keepalive.del', [uri, 'me'])).result, 1);
  await second.stop('SIGKILL');
  const third = await startExporter(t, config(stateDir));
  assert.deepEqual([...(await listed(third))], []);
});

test('a corrupt file is copied and reported, and its valid records are monitored', async (t) => {
  const stateDir = folder(t);
  const first = await startExporter(t, config(stateDir));
  for (const port of [11, 12, 13]) await first.rpc('keepalive.add', [`127.0.0.1:${port}`, 'me']);
  await first.stop('SIGTERM');
  const path = join(stateDir, 'runtime-destinations.jsonl');
  const lines = readFileSync(path, 'utf8').split('\n');
  writeFileSync(path, [lines[0], lines[1], 'rubbish', lines[3]].join('\n'));
  appendFileSync(path, '\n{"op":"ad');
  const second = await startExporter(t, config(stateDir));
  assert.deepEqual([...(await listed(second))], ['sip:127.0.0.1:11', 'sip:127.0.0.1:13']);
  await second.logged(/line 3 is not valid JSON; the last line is incomplete/);
  const copy = readdirSync(stateDir).find((name) => name.includes('corrupt'));
  assert.match(readFileSync(join(stateDir, copy ?? ''), 'utf8'), /rubbish/);
  assert.equal((await second.rpc('keepalive.add', ['127.0.0.1:14', 'me'])).result, 1);
});

test('a destination of a removed module is reported, kept, and monitored again once the module is back', async (t) => {
  const stateDir = folder(t);
  const withModule = { ...config(stateDir), modules: { carrier: { ping_interval: 77 } } };
  const exporter = await startExporter(t, withModule);
  await exporter.rpc('keepalive.add', { uri: '127.0.0.1:9', owner: 'me', module: 'carrier' });
  writeFileSync(exporter.configFile, JSON.stringify(config(stateDir)));
  await exporter.post('/-/reload', '');
  assert.deepEqual([...(await listed(exporter))], []);
  await exporter.logged(/destination added at run time is not monitored; it stays stored/);
  writeFileSync(exporter.configFile, JSON.stringify(withModule));
  await exporter.post('/-/reload', '');
  assert.deepEqual([...(await listed(exporter))], ['sip:127.0.0.1:9']);
  writeFileSync(exporter.configFile, JSON.stringify(config(stateDir)));
  await exporter.post('/-/reload', '');
  assert.equal((await exporter.rpc('keepalive.del', ['sip:127.0.0.1:9', 'me'])).result, 1);
  writeFileSync(exporter.configFile, JSON.stringify(withModule));
  await exporter.post('/-/reload', '');
  assert.deepEqual([...(await listed(exporter))], [], 'a deleted destination does not come back');
});

test(
  'additions that a full disk cannot store are refused, and earlier ones are kept',
  needs('prlimit'),
  async (t) => {
    const stateDir = folder(t);
    const exporter = await startExporter(t, config(stateDir));
    const limit = (bytes: number | 'unlimited') =>
      runToEnd('prlimit', [`--pid=${exporter.child.pid}`, `--fsize=${bytes}:unlimited`]);
    const acknowledged: string[] = [];
    const refused: string[] = [];
    const add = async (number: number) => {
      const uri = `sip:host-${number}.invalid`;
      const { result, error } = await exporter.rpc('keepalive.add', [uri, 'test']);
      if (result === 1) acknowledged.push(uri);
      else {
        refused.push(uri);
        assert.match(error?.message ?? '', /cannot write the state file/);
      }
    };
    // The limit is in the middle of a line, so a part of it is written.
    limit(1_000);
    for (let i = 0; i < 40; i++) await add(i);
    assert.ok(acknowledged.length > 2 && refused.length > 2, `${acknowledged.length} were stored`);
    assert.deepEqual([...(await listed(exporter))].sort(), [...acknowledged].sort());
    limit('unlimited');
    for (let i = 100; i < 110; i++) await add(i);
    await exporter.stop('SIGKILL');
    const second = await startExporter(t, config(stateDir));
    assert.deepEqual([...(await listed(second))].sort(), [...acknowledged].sort());
    assert.doesNotMatch(second.output(), /corrupt/);
  },
);

test('without a state directory a warning says that additions are lost', async (t) => {
  const exporter = await startExporter(t, { web: { 'enable-admin-api': true } });
  await eventually('the warning', () => /lost on restart; set state_dir/.test(exporter.output()));
});
