import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildSync } from 'esbuild';
import { Gauge, Registry } from 'prom-client';
import {
  createKeepAlive,
  type DestinationChange,
  type KeepAliveConfig,
  type KeepAliveError,
  type PingEnd,
} from '../../src/library.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';

const TSC = 'node_modules/typescript/bin/tsc';
const EXAMPLE = /```ts\n(.*?)```/s.exec(readFileSync('docs/library.md', 'utf8'))?.[1] ?? '';

/** A folder in which the package can be imported by its name. */
function inside(t: TestContext): string {
  mkdirSync('dist/test', { recursive: true });
  const path = mkdtempSync('dist/test/example-');
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** What the compiler says of a program, in the strictest mode; empty when nothing is wrong. */
function typeErrors(t: TestContext, program: string): string {
  const path = inside(t);
  writeFileSync(join(path, 'example.ts'), program);
  const config = {
    extends: join(process.cwd(), 'tsconfig.json'),
    include: ['example.ts'],
    exclude: [],
  };
  const compilerOptions = { noEmit: true, rootDir: process.cwd(), types: ['node'] };
  writeFileSync(join(path, 'tsconfig.json'), JSON.stringify({ ...config, compilerOptions }));
  return runToEnd(process.execPath, [TSC, '-p', path]).output;
}

test('the example of docs/library.md has the right types', (t) => {
  assert.equal(typeErrors(t, EXAMPLE), '');
});

test('the compiler finds wrong settings', (t) => {
  const errors = (config: string) =>
    typeErrors(
      t,
      `import { createKeepAlive } from 'sip-keepalive-exporter';\ncreateKeepAlive({ config: ${config} });\n`,
    );
  const right = `{ ping_interval: '500ms', auth: { username: 'a', password: 'b' }, transport: 'tcp',
    headers: { 'X-A': 'b' }, alive_codes: '2xx', dns: { servers: ['127.0.0.1'] },
    tls_config: { insecure_skip_verify: true }, modules: { m: { fall: 2 } },
    destinations: ['a.example', { uri: 'b.example', labels: { site: 'x' }, ping_timeout: 1 }] }`;
  assert.equal(errors(right), '');
  for (const [wrong, message] of [
    ['{ ping_intervall: 10 }', /'ping_intervall' does not exist/],
    ["{ destinations: 'oops' }", /Type 'string' is not assignable/],
    ["{ transport: 'carrier pigeon' }", /is not assignable/],
    ['{ auth: { user: 1 } }', /'user' does not exist/],
    ['{ modules: { m: { fal: 1 } } }', /'fal' does not exist/],
  ] as const) {
    assert.match(errors(wrong), message, wrong);
  }
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
  assert.throws(() => keepAlive.add('http://x', { owner: 'a' }), {
    ...{ code: 'ERR_INVALID_ARGUMENT', message: /uri: expected a SIP URI/ },
  });
  const untyped = keepAlive as unknown as { add(uri?: unknown, options?: unknown): unknown };
  assert.throws(() => untyped.add(uri), {
    code: 'ERR_INVALID_ARGUMENT',
    message: /^owner: expected/,
  });
  assert.throws(() => untyped.add(undefined, { owner: 'a' }), { code: 'ERR_INVALID_ARGUMENT' });
  assert.equal(keepAlive.isAlive(undefined as unknown as string), -1);

  assert.throws(
    () => keepAlive.add('static.example', { owner: 'a', name: 'static' }),
    /is already used by/,
  );
  assert.throws(() => keepAlive.add(uri, { owner: '' }), /owner: expected 1 to 128 printable/);
  await keepAlive.close();
  assert.throws(() => keepAlive.add(uri, { owner: 'a' }), { code: 'ERR_CLOSED' });
  await assert.rejects(keepAlive.ping(uri), { code: 'ERR_CLOSED' });
  assert.equal(keepAlive.isAlive('static'), -1, 'nothing is known after the end');
  const wrong = { config: { nonsense: 1 } as KeepAliveConfig };
  assert.throws(() => createKeepAlive(wrong), {
    ...{
      name: 'KeepAliveError',
      code: 'ERR_INVALID_ARGUMENT',
      message: /nonsense: unknown setting/,
    },
  });
});

test('a program without destinations pings once, with settings of its own', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  await using keepAlive = createKeepAlive({
    config: { modules: { strict: { alive_codes: '2xx' } } },
  });
  const uri = `sip:127.0.0.1:${peer.port}`;
  await eventually('the pinger runs', async () => {
    return keepAlive.ping(uri).catch((error: KeepAliveError) => {
      assert.equal(error.code, 'ERR_PING_UNAVAILABLE');
    });
  });
  const result = await keepAlive.ping(uri, { module: 'strict' });
  assert.deepEqual(
    [result.uri, result.isAlive, result.sipCode, result.transport, result.address, result.reason],
    [uri, true, 200, 'udp', '127.0.0.1', undefined],
  );
  assert.ok(result.duration > 0);
  const closed = await keepAlive.ping('127.0.0.1:9', { ping_timeout: '500ms' });
  assert.deepEqual([closed.isAlive, closed.sipCode], [false, undefined]);
  await assert.rejects(keepAlive.ping('http://x'), { code: 'ERR_INVALID_ARGUMENT' });
  await assert.rejects(keepAlive.ping(uri, { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
  assert.equal(keepAlive.list().length, 0);
});

test('functions for all destinations are called, and metrics are served by the registry of the program', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const uri = `sip:127.0.0.1:${peer.port}`;
  const states: string[] = [];
  const pinged: string[] = [];
  await using keepAlive = createKeepAlive({
    config: { destinations: [{ uri, name: 'configured "one"', labels: { site: 'a\\b' } }] },
    onStateChange: ({ destination, state }) => states.push(`${destination} ${state}`),
    onResponse: ({ destination }) => pinged.push(destination),
  });
  keepAlive.add(uri, { owner: 'a', name: 'added', pingInterval: 1 });
  await eventually('both are up', () => states.length === 2);
  assert.deepEqual(states.sort(), ['added up', 'configured "one" up']);
  await eventually('pings of both', () => new Set(pinged).size === 2);
  const registry = new Registry();
  new Gauge({ name: 'mine', help: 'Mine.', registers: [registry] }).set(7);
  await keepAlive.registerMetrics(registry);
  await assert.rejects(keepAlive.registerMetrics(registry), /already been registered/);
  const text = await registry.metrics();
  assert.match(text, /^mine 7$/m);
  const own = /^sip_keepalive_is_alive\{destination="configured \\"one\\"",site="a\\\\b"\} 1$/m;
  assert.match(text, own);
  assert.match(await keepAlive.register.metrics(), own, 'the same line as without a registry');
  assert.match(text, /^sip_keepalive_rtt_seconds_bucket\{.*le="\+Inf".*\} \d+$/m);
  assert.match(text, /^# TYPE sip_keepalive_rtt_seconds histogram$/m);
  registry.setDefaultLabels({ program: 'x' });
  assert.match(await registry.metrics(), /^sip_keepalive_is_alive\{.*program="x".*\} 1$/m);
});

test('a program can be bundled by esbuild, with the thread as a second file', async (t) => {
  const path = inside(t);
  const program = `import { createKeepAlive } from 'sip-keepalive-exporter';
const worker = new URL('./pinger.js', import.meta.url);
const keepAlive = createKeepAlive({ worker, onStateChange: ({ state, reason }) => console.log(state, reason) });
keepAlive.add('sip:127.0.0.1:9', { owner: 'a', pingInterval: 1 });
`;
  writeFileSync(join(path, 'app.js'), program);
  writeFileSync(join(path, 'pinger.js'), "import 'sip-keepalive-exporter/pinger';\n");
  const [, command = ''] =
    /```sh\n(npx esbuild [\s\S]*?)```/.exec(readFileSync('docs/library.md', 'utf8')) ?? [];
  const [banner = ''] = /(?<=--banner:js=")[^"]+/.exec(command) ?? [];
  const flags = command.match(/--(?:bundle|platform|format)\S*/g) ?? [];
  assert.deepEqual(flags, ['--bundle', '--platform=node', '--format=esm']);
  const out = folder(t);
  const built = buildSync({
    ...{ entryPoints: [join(path, 'app.js'), join(path, 'pinger.js')], outdir: out },
    ...{ bundle: true, platform: 'node', format: 'esm', banner: { js: banner } },
    logLevel: 'silent',
  });
  assert.deepEqual(built.errors, []);
  writeFileSync(join(out, 'package.json'), '{"name":"a-program","type":"module"}');
  const bundled = run(t, process.execPath, [join(out, 'app.js')], { cwd: out });
  await bundled.logged(/^down (?:refused|timeout)/m);
});

test('docs/library.md names every function, option and field that is exported', () => {
  const documented = readFileSync('docs/library.md', 'utf8');
  const declared = ['library-types', 'library-listeners', 'library-ping', 'library-error']
    .map((name) => readFileSync(`dist/src/${name}.d.ts`, 'utf8'))
    .join('\n');
  const shapes = declared.match(
    /export interface (?:KeepAlive\w*|AddOptions|ListenerFunctions|DestinationChange|PingEnd|PingResult) [\s\S]*?\n\}/g,
  );
  assert.ok((shapes?.length ?? 0) >= 8);
  const members = (shapes ?? []).flatMap((text) =>
    [...text.matchAll(/^ {4}(?:readonly )?(\w+)\??[:(]/gm)].map(([, name = '']) => name),
  );
  const missing = [...new Set(members)].filter((name) => !documented.includes(name));
  assert.deepEqual(missing, []);
  const codes = declared.match(/ERR_[A-Z_]+(?=')/g) ?? [];
  assert.deepEqual(
    codes.filter((code) => !documented.includes(code)),
    [],
  );
});
