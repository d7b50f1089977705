import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createKeepAlive, type DestinationChange, type PingEnd } from '../../src/library.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, run, runToEnd } from '../support/process.js';

const TSC = 'node_modules/typescript/bin/tsc';
const EXAMPLE = /```ts\n(.*?)```/s.exec(readFileSync('docs/library.md', 'utf8'))?.[1] ?? '';

/** A folder in which the package can be imported by its name. */
function inside(t: TestContext): string {
  mkdirSync('dist/test', { recursive: true });
  const path = mkdtempSync('dist/test/example-');
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

test('the example of docs/library.md has the right types', (t) => {
  const path = inside(t);
  writeFileSync(join(path, 'example.ts'), EXAMPLE);
  const config = {
    extends: join(process.cwd(), 'tsconfig.json'),
    include: ['example.ts'],
    exclude: [],
  };
  const compilerOptions = { noEmit: true, rootDir: process.cwd(), types: ['node'] };
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions }));
  const { status, output } = runToEnd(process.execPath, [TSC, '-p', path]);
  assert.equal(status, 0, output);
});

test('the example of docs/library.md runs', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const port = await freePort();
  const path = inside(t);
  const text = EXAMPLE.replaceAll('5099', String(peer.port)).replaceAll('8080', String(port));
  assert.match(text, /createKeepAlive/);
  writeFileSync(join(path, 'example.mjs'), text);
  const example = run(t, process.execPath, [join(path, 'example.mjs')]);
  const get = async (page: string) => (await fetch(`http://127.0.0.1:${port}${page}`)).text();
  await eventually('it is up', async () => (await get('/')) === '1\n');
  assert.match(await get('/metrics'), /^# HELP sip_keepalive[\s\S]*sip_keepalive_up\{.*\} 1/);
  await example.logged(/is up/);
  await eventually('pings are printed', () => /127\.0\.0\.1:\d+ 200 0\.\d+/.test(example.output()));
  assert.equal(await example.stop('SIGTERM'), 0, example.output());
});

test('the library monitors destinations for owners, and calls the functions of each', async (t) => {
  let isUp = true;
  const peer = await startFarEnd(t, 'udp', (_request, good) =>
    isUp ? [good] : [good.replace('200 OK', '500 Broken')],
  );
  const logged: string[] = [];
  const keepAlive = createKeepAlive({
    config: { ping_interval: 4, destinations: [{ uri: '127.0.0.1:9', name: 'static' }] },
    log: ({ message }) => logged.push(message),
  });
  t.after(() => keepAlive.close());
  const uri = `sip:127.0.0.1:${peer.port}`;
  const changes: DestinationChange[] = [];
  const pings: PingEnd[] = [];
  const onStateChange = (change: DestinationChange) => changes.push(change);
  assert.equal(keepAlive.add(uri, { owner: 'a', onStateChange }), true);
  assert.equal(keepAlive.add(uri.toUpperCase(), { owner: 'a' }), false);
  assert.equal(keepAlive.isAlive(uri), -1, 'not known yet is not up');
  assert.equal(keepAlive.isAlive('192.0.2.99'), -1);
  const onResponse = (ping: PingEnd) => {
    pings.push(ping);
    throw new Error('a fault of the program');
  };
  const onLater = async () => {
    throw new Error('a fault that comes later');
  };
  assert.equal(keepAlive.add(uri, { owner: 'c', onStateChange: onLater }), true);
  assert.equal(keepAlive.isAlive('no URI at all, and no name'), -1);
  assert.equal(keepAlive.remove('no URI at all, and no name', 'a'), false);
  assert.equal(keepAlive.add(uri, { owner: 'b', pingInterval: 3, onResponse }), true);
  await eventually('it is up', () => keepAlive.isAlive(uri) === 1);
  isUp = false;
  await eventually('it is down', () => keepAlive.isAlive(uri) === 2 && changes.length === 2);
  assert.deepEqual(
    changes.map(({ from, state, code, reason }) => [from, state, code, reason]),
    [
      ['unknown', 'up', 1, undefined],
      ['up', 'down', 2, 'code'],
    ],
  );
  await eventually('an answer is reported', () => pings.some(({ sipCode }) => sipCode === 500));
  const alive = pings.find(({ isAlive }) => isAlive);
  assert.deepEqual([alive?.sipCode, alive?.reason, alive?.transport], [200, undefined, 'udp']);
  // An answer that is read after a stall of this process has no round-trip time.
  await eventually('a round trip', () => pings.some(({ rtt }) => (rtt ?? 0) > 0));
  assert.ok(logged.includes('listener function failed'));
  const [, second] = keepAlive.list();
  assert.deepEqual([second?.uri, second?.owners, second?.ping_interval], [uri, ['a', 'c', 'b'], 3]);
  assert.match(await keepAlive.register.metrics(), /sip_keepalive_is_alive\{.*\} 2/);
  assert.equal(keepAlive.remove(uri, 'nobody'), false);
  assert.equal(keepAlive.remove(uri, 'a'), true);
  assert.equal(keepAlive.remove('static', 'config'), false, 'what is configured stays');
  assert.equal(keepAlive.remove(uri, 'c'), true);
  assert.equal(keepAlive.remove(uri, 'b'), true);
  assert.equal(keepAlive.list().length, 1);
  assert.equal(keepAlive.add(uri, { owner: 'a', name: 'mine' }), true);
  assert.equal(keepAlive.add(uri, { owner: 'a', name: 'mine' }), false);
  for (const owner of ['a', 'b']) {
    assert.throws(
      () => keepAlive.add('other.example', { owner, name: 'mine' }),
      { message: `mine: the name is already used by ${uri}` },
      owner,
    );
  }
  assert.equal(keepAlive.remove('mine', 'a'), true);
  for (const nonsense of ['http://x', '', 'sip:', '\0']) {
    assert.equal(keepAlive.isAlive(nonsense), -1, nonsense);
    assert.equal(keepAlive.remove(nonsense, 'a'), false, nonsense);
  }
  assert.throws(() => keepAlive.add('http://x', { owner: 'a' }), /uri: expected a SIP URI/);
  assert.throws(
    () => keepAlive.add('static.example', { owner: 'a', name: 'static' }),
    /is already used by/,
  );
  assert.throws(() => keepAlive.add(uri, { owner: '' }), /owner: expected 1 to 128 printable/);
  await keepAlive.close();
  assert.throws(() => keepAlive.add(uri, { owner: 'a' }), /already closed/);
  assert.throws(() => createKeepAlive({ config: { nonsense: 1 } }), /nonsense: unknown setting/);
});
