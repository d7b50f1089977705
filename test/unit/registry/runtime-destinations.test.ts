import assert from 'node:assert/strict';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { RuntimeDestinationError } from '../../../src/registry/entry.js';
import { DestinationRegistry } from '../../../src/registry/registry.js';
import { RuntimeDestinations } from '../../../src/registry/runtime-destinations.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { folder as tempFolder } from '../../support/process.js';
import { settings } from '../../support/settings.js';

const FILE = 'additions.jsonl';
const HEADER = '{"format":"sip-keepalive-exporter additions","version":1}\n';

async function setUp(t: Pick<TestContext, 'after'>, folder: string) {
  const watched: string[] = [];
  const lines: LogLine[] = [];
  const registry = new DestinationRegistry({
    watch: (entries) => watched.push(...entries.map(({ destination }) => destination.uri)),
    unwatch: () => {},
  });
  const runtimeDestinations = new RuntimeDestinations({
    ...{ registry, folder, log: (line: LogLine) => lines.push(line), now: () => new Date(0) },
    readEntry: ({ uri, name = uri }) => ({
      ...{ name: String(name), uri: String(uri), module: 'default', labels: {} },
      settings: settings(),
    }),
  });
  t.after(() => runtimeDestinations.close());
  await runtimeDestinations.start();
  const names = () => registry.all().map(({ destination }) => destination.name);
  return { runtimeDestinations, registry, watched, lines, names };
}

test('an addition is watched once it is on disk, and not before', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, registry, names } = await setUp(t, path);
  const adding = runtimeDestinations.add('me', { uri: 'sip:a' });
  await Promise.resolve();
  assert.deepEqual(names(), []);
  assert.equal(await adding, 1);
  assert.deepEqual(names(), ['sip:a']);
  assert.match(readFileSync(join(path, FILE), 'utf8'), /"name":"sip:a"/);
  assert.equal(await runtimeDestinations.add('me', { uri: 'sip:a' }), -2);
  assert.equal(await runtimeDestinations.add('you', { uri: 'sip:a' }), 1);
  assert.deepEqual(registry.named('sip:a')?.owners, ['me', 'you']);
});

test('a name that is that of another URI is refused, also to its own owner, and nothing is written', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, registry } = await setUp(t, path);
  await runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' });
  const before = readFileSync(join(path, FILE), 'utf8');
  for (const owner of ['me', 'you']) {
    await assert.rejects(runtimeDestinations.add(owner, { uri: 'sip:b', name: 'x' }), {
      name: 'AdditionError',
      message: 'x: the name is that of sip:a',
    });
  }
  assert.equal(readFileSync(join(path, FILE), 'utf8'), before);
  assert.equal(registry.named('x')?.destination.uri, 'sip:a');
});

test('two additions of one name at once: the first is watched, the second is told', async (t) => {
  const { runtimeDestinations, registry, watched } = await setUp(t, tempFolder(t));
  const [first, second, same, other] = await Promise.allSettled([
    runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' }),
    runtimeDestinations.add('you', { uri: 'sip:b', name: 'x' }),
    runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' }),
    runtimeDestinations.add('you', { uri: 'sip:b', name: 'y' }),
  ]);
  assert.deepEqual(first, { status: 'fulfilled', value: 1 });
  assert.match(String(second.status === 'rejected' && second.reason), /the name is that of sip:a/);
  assert.deepEqual(same, { status: 'fulfilled', value: -2 });
  assert.deepEqual(other, { status: 'fulfilled', value: 1 });
  assert.deepEqual(registry.named('x')?.owners, ['me']);
  assert.deepEqual(watched.sort(), ['sip:a', 'sip:b']);
});

test('an addition and its removal at once leave what the file says', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, names } = await setUp(t, path);
  await runtimeDestinations.add('me', { uri: 'sip:a' });
  const results = await Promise.all([
    runtimeDestinations.remove('me', ['sip:a']),
    runtimeDestinations.remove('me', ['sip:a']),
    runtimeDestinations.add('me', { uri: 'sip:a' }),
    runtimeDestinations.flush(),
  ]);
  assert.deepEqual(results, [1, 0, 1, 1]);
  assert.deepEqual(names(), []);
  const { names: later } = await setUp(t, path);
  assert.deepEqual(later(), []);
});

test('what cannot be written down is neither watched nor removed', async (t) => {
  const path = join(tempFolder(t), 'state');
  const { runtimeDestinations, names } = await setUp(t, path);
  await runtimeDestinations.add('me', { uri: 'sip:a' });
  // A record that cannot be written, and a file that cannot be written anew.
  renameSync(path, `${path}-gone`);
  await runtimeDestinations.close();
  await assert.rejects(runtimeDestinations.add('me', { uri: 'sip:b' }), RuntimeDestinationError);
  await assert.rejects(runtimeDestinations.remove('me', ['sip:a']), /could not be written down/);
  assert.deepEqual(names(), ['sip:a']);
  renameSync(`${path}-gone`, path);
  assert.equal(await runtimeDestinations.add('me', { uri: 'sip:b' }), 1);
  assert.equal(await runtimeDestinations.remove('me', ['sip:a']), 1);
  assert.deepEqual(names(), ['sip:b']);
  const { names: later } = await setUp(t, path);
  assert.deepEqual(later(), ['sip:b']);
});

test('a file of a later version: what can be read is watched, the file is set aside, the rest is kept', async (t) => {
  const path = tempFolder(t);
  const record = JSON.stringify({ op: 'add', owner: 'me', name: 'sip:a', entry: { uri: 'sip:a' } });
  const later = '{"op":"rename","from":"sip:a","n":1.0}';
  writeFileSync(join(path, FILE), `${HEADER.replace(':1', ':2')}${record}\n${later}\n`);
  const { runtimeDestinations, names, lines } = await setUp(t, path);
  assert.deepEqual(names(), ['sip:a']);
  const logged = lines.map(({ message }) => message).join('; ');
  assert.match(logged, /is damaged.*that this version does not know are kept.*was copied aside/);
  await runtimeDestinations.add('me', { uri: 'sip:b' });
  const written = readFileSync(join(path, FILE), 'utf8');
  assert.ok(written.startsWith(`${HEADER}${later}\n`), written);
  assert.match(written, /sip:a.*sip:b/s);
});

test('without a folder what is added is watched and removed all the same', async (t) => {
  const { runtimeDestinations, names } = await setUp(t, '');
  assert.equal(runtimeDestinations.areKept, false);
  assert.equal(await runtimeDestinations.add('me', { uri: 'sip:a' }), 1);
  assert.deepEqual(names(), ['sip:a']);
  assert.equal(await runtimeDestinations.flush('me'), 1);
  assert.deepEqual(names(), []);
});
