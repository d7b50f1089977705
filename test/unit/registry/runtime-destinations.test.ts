import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { CONFIGURATION, DestinationRegistry } from '../../../src/registry/registry.js';
import {
  type DestinationEntry,
  RuntimeDestinationError,
} from '../../../src/registry/runtime-destination.js';
import { RuntimeDestinations } from '../../../src/registry/runtime-destinations.js';
import type { Destination } from '../../../src/shared/destination.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder as tempFolder } from '../../support/process.js';
import { settings } from '../../support/settings.js';

const FILE = 'runtime-destinations.jsonl';
const HEADER = '{"format":"sip-keepalive-exporter run-time destinations","version":1}\n';

const read = ({ uri, name = uri }: DestinationEntry): Destination => ({
  ...{ name: String(name), uri: String(uri), module: 'default', labels: {} },
  settings: settings(),
});
const claim = (uri: string, name: string) => ({ owner: 'file', destination: read({ uri, name }) });

async function setUp(t: Pick<TestContext, 'after'>, directory: string) {
  const watched: string[] = [];
  const lines: LogLine[] = [];
  let isWrong = false;
  const registry = new DestinationRegistry({
    monitor: (entries) => watched.push(...entries.map(({ destination }) => destination.uri)),
    unmonitor: () => {},
  });
  const runtimeDestinations = new RuntimeDestinations({
    ...{ registry, directory, log: (line: LogLine) => lines.push(line), clock: new FakeClock() },
    readEntry: (entry) => {
      if (isWrong) throw new Error('module: expected one of default\nuri: expected a SIP URI');
      return read(entry);
    },
  });
  const breakEntries = (is: boolean) => {
    isWrong = is;
  };
  t.after(() => runtimeDestinations.close());
  await runtimeDestinations.start();
  const names = () => registry.all().map(({ destination }) => destination.name);
  return { runtimeDestinations, registry, watched, lines, names, breakEntries };
}

test('a destination is monitored once it is on disk, and not before', async (t) => {
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

test('a name that is used by another URI is refused, also to its own owner, and nothing is written', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, registry } = await setUp(t, path);
  await runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' });
  const before = readFileSync(join(path, FILE), 'utf8');
  for (const owner of ['me', 'you']) {
    await assert.rejects(runtimeDestinations.add(owner, { uri: 'sip:b', name: 'x' }), {
      name: 'RuntimeDestinationError',
      message: 'x: the name is already used by sip:a',
    });
  }
  assert.equal(readFileSync(join(path, FILE), 'utf8'), before);
  assert.equal(registry.named('x')?.destination.uri, 'sip:a');
});

test('of two additions of one name at once, the first is monitored and the second is refused', async (t) => {
  const { runtimeDestinations, registry, watched } = await setUp(t, tempFolder(t));
  const [first, second, same, other] = await Promise.allSettled([
    runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' }),
    runtimeDestinations.add('you', { uri: 'sip:b', name: 'x' }),
    runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' }),
    runtimeDestinations.add('you', { uri: 'sip:b', name: 'y' }),
  ]);
  assert.deepEqual(first, { status: 'fulfilled', value: 1 });
  assert.match(
    String(second.status === 'rejected' && second.reason),
    /the name is already used by sip:a/,
  );
  assert.deepEqual(same, { status: 'fulfilled', value: -2 });
  assert.deepEqual(other, { status: 'fulfilled', value: 1 });
  assert.deepEqual(registry.named('x')?.owners, ['me']);
  assert.deepEqual(watched.sort(), ['sip:a', 'sip:b']);
});

test('after simultaneous additions and removals, registry and file agree', async (t) => {
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

test('an addition or removal that cannot be written does not take effect', async (t) => {
  const path = join(tempFolder(t), 'state');
  const { runtimeDestinations, names } = await setUp(t, path);
  await runtimeDestinations.add('me', { uri: 'sip:a' });
  // Neither a record nor a new file can be written.
  renameSync(path, `${path}-gone`);
  await runtimeDestinations.close();
  await assert.rejects(runtimeDestinations.add('me', { uri: 'sip:b' }), RuntimeDestinationError);
  await assert.rejects(runtimeDestinations.remove('me', ['sip:a']), /cannot write the state file/);
  assert.deepEqual(names(), ['sip:a']);
  renameSync(`${path}-gone`, path);
  assert.equal(await runtimeDestinations.add('me', { uri: 'sip:b' }), 1);
  assert.equal(await runtimeDestinations.remove('me', ['sip:a']), 1);
  assert.deepEqual(names(), ['sip:b']);
  const { names: later } = await setUp(t, path);
  assert.deepEqual(later(), ['sip:b']);
});

test('of a file of a later version, the known records are monitored and the others kept, and the file is copied', async (t) => {
  const path = tempFolder(t);
  const record = JSON.stringify({ op: 'add', owner: 'me', name: 'sip:a', entry: { uri: 'sip:a' } });
  const later = '{"op":"rename","from":"sip:a","n":1.0}';
  writeFileSync(join(path, FILE), `${HEADER.replace(':1', ':2')}${record}\n${later}\n`);
  const { runtimeDestinations, names, lines } = await setUp(t, path);
  assert.deepEqual(names(), ['sip:a']);
  const logged = lines.map(({ message }) => message).join('; ');
  assert.match(
    logged,
    /is corrupt.*that this version does not know.*copied the corrupt state file/,
  );
  await runtimeDestinations.add('me', { uri: 'sip:b' });
  const written = readFileSync(join(path, FILE), 'utf8');
  assert.ok(written.startsWith(`${HEADER}${later}\n`), written);
  assert.match(written, /sip:a.*sip:b/s);
});

test('without a state directory, destinations can be added and removed too', async (t) => {
  const { runtimeDestinations, names } = await setUp(t, '');
  assert.equal(runtimeDestinations.arePersistent, false);
  assert.equal(await runtimeDestinations.add('me', { uri: 'sip:a' }), 1);
  assert.deepEqual(names(), ['sip:a']);
  assert.equal(await runtimeDestinations.flush('me'), 1);
  assert.deepEqual(names(), []);
});

test('an addition whose name a source takes while it is written is stored, refused, and monitored later', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, registry } = await setUp(t, path);
  const adding = runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' });
  await Promise.resolve();
  registry.set('file', [claim('sip:b', 'x')]);
  await assert.rejects(adding, {
    name: 'RuntimeDestinationError',
    message: /^x: stored, but not monitored until .*: the name is already used by sip:b$/,
  });
  assert.match(readFileSync(join(path, FILE), 'utf8'), /"name":"x"/);
  registry.set('file', []);
  assert.equal(registry.named('x')?.destination.uri, 'sip:a');
  assert.equal(await runtimeDestinations.remove('me', ['x']), 1);
  assert.equal(registry.size, 0);
});

test('an invalid entry is refused in one line, and nothing is written', async (t) => {
  const path = tempFolder(t);
  const { runtimeDestinations, breakEntries } = await setUp(t, path);
  breakEntries(true);
  await assert.rejects(runtimeDestinations.add('me', { uri: 'sip:a' }), {
    name: 'RuntimeDestinationError',
    message: 'module: expected one of default; uri: expected a SIP URI',
  });
  assert.equal(readFileSync(join(path, FILE), 'utf8'), HEADER);
});

test('an entry that a reload makes invalid while it is written is stored and refused', async (t) => {
  const { runtimeDestinations, breakEntries, names } = await setUp(t, tempFolder(t));
  const adding = runtimeDestinations.add('me', { uri: 'sip:a' });
  await Promise.resolve();
  breakEntries(true);
  await assert.rejects(adding, {
    message: /^sip:a: stored, but not monitored .*: module: expected/,
  });
  breakEntries(false);
  runtimeDestinations.use(read);
  assert.deepEqual(names(), ['sip:a']);
});

test('after a reload, invalid entries and those whose name is taken are logged and stay stored', async (t) => {
  const { runtimeDestinations, registry, names, lines } = await setUp(t, tempFolder(t));
  await runtimeDestinations.add('me', { uri: 'sip:a', name: 'x' });
  await runtimeDestinations.add('me', { uri: 'sip:c', name: 'y' });
  registry.set(CONFIGURATION, [claim('sip:b', 'x')]);
  runtimeDestinations.use((entry) => {
    if (entry['name'] === 'y') throw new Error('uri: expected a SIP URI');
    return read(entry);
  });
  assert.deepEqual(names(), ['x']);
  const skipped = lines.filter(({ event }) => event === 'runtime_destination_skipped');
  assert.deepEqual(
    skipped.map(({ fields }) => [fields['destination'], fields['error']]),
    [
      ['y', 'uri: expected a SIP URI'],
      ['x', 'the name is already used by sip:b'],
    ],
  );
  registry.set(CONFIGURATION, []);
  runtimeDestinations.use(read);
  assert.deepEqual(names(), ['x', 'y']);
});

test('a state file that cannot be replaced at the start is logged, and its destinations are monitored', async (t) => {
  const path = tempFolder(t);
  const record = JSON.stringify({ op: 'add', owner: 'me', name: 'sip:a', entry: { uri: 'sip:a' } });
  writeFileSync(join(path, FILE), `${HEADER}${record}\n`);
  // A folder with the name of a leftover cannot be unlinked, not even by root.
  mkdirSync(join(path, `${FILE}.new`));
  const { lines, names } = await setUp(t, path);
  assert.deepEqual(names(), ['sip:a']);
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['state_file_unwritable'],
  );
});

test('a folder that other users can write to is logged', async (t) => {
  const path = tempFolder(t);
  chmodSync(path, 0o770);
  const { lines } = await setUp(t, path);
  assert.deepEqual(
    lines.map(({ event, level }) => [event, level]),
    [['state_dir_exposed', 'warn']],
  );
});
