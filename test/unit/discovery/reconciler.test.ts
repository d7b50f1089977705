import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import type { Findings, FoundDestination, Reconciled } from '../../../src/discovery/found.js';
import { Reconciler } from '../../../src/discovery/reconciler.js';
import { DestinationRegistry } from '../../../src/registry/registry.js';

const config = (content: Readonly<Record<string, unknown>>) =>
  readConfig({ flags: readFlags([]), env: {}, version: '1', content });
const sources = (...files: readonly string[]) => ({
  discovery: { file_sd: files.map((file) => ({ files: [`/${file}`], labels: { from: file } })) },
});
const findings = (...entries: readonly Readonly<Record<string, unknown>>[]): Findings => ({
  found: entries.map((entry, i) => ({ place: `p:${i + 1}`, owner: undefined, entry })),
  remarks: [],
});
const many = (count: number) =>
  findings(...Array.from({ length: count }, (_, i) => ({ uri: `h${i}.example`, labels: {} })));

describe('the reconciler', () => {
  let reconciled = new Map<string, Reconciled>();
  let opened = 0;
  let registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
  const begin = (content: Readonly<Record<string, unknown>>) => {
    const first = config(content);
    const reconciler = new Reconciler(registry, first, (source, what) =>
      reconciled.set(source, what),
    );
    const settings = (file: string) => {
      const found = first.sources.find(({ name }) => name.endsWith(`/${file}`));
      assert.ok(found);
      return found;
    };
    return { reconciler, settings };
  };
  const names = () => registry.all().map(({ destination }) => destination.name);
  const labelsOf = (name: string) => registry.named(name)?.destination.labels;

  beforeEach(() => {
    reconciled = new Map();
    opened = 0;
    registry = new DestinationRegistry({
      monitor: (entries) => {
        opened += entries.length;
      },
      unmonitor: () => {},
    });
  });

  test('a destination that moves from the configuration to a source stays monitored until that source is read', async () => {
    const { reconciler, settings } = begin(sources('a'));
    await reconciler.use(config({ destinations: ['a.example', 'b.example'] }));
    await reconciler.use(config(sources('a')));
    await reconciler.use(config(sources('a')));
    assert.deepEqual(names(), ['sip:a.example', 'sip:b.example']);
    await reconciler.apply(settings('a'), findings({ uri: 'a.example', labels: {} }));
    await reconciler.dropStaleSources();
    assert.deepEqual(names(), ['sip:a.example']);
    assert.equal(opened, 2);
  });

  test('monitors a destination whose labels have reserved names, and reports each name once', async () => {
    const { reconciler, settings } = begin(sources('a'));
    const labels = { module: 'x', 'service.name': 'y', from: 'z' };
    await reconciler.apply(
      settings('a'),
      findings({ uri: 'a.example', labels }, { uri: 'b.example', labels }),
    );
    const exposed = { exported_module: 'x', 'service.name': 'y', from: 'z' };
    assert.deepEqual([labelsOf('sip:a.example'), labelsOf('sip:b.example')], [exposed, exposed]);
    const { destinations, remarks, renamed } = reconciled.get('file_sd /a') ?? {};
    assert.deepEqual([destinations, remarks], [2, []]);
    const wanted = [['module', 'exported_module']];
    assert.deepEqual([...(renamed ?? [])].sort(), wanted);
  });

  test('does not apply the same destinations again, until the configuration changes', async () => {
    const { reconciler, settings } = begin(sources('a', 'b'));
    const same = findings({ uri: 'a.example', labels: {} });
    await reconciler.apply(settings('a'), same);
    const first = reconciled.get('file_sd /a');
    await reconciler.apply(settings('a'), { ...same, listings: [] });
    assert.equal(reconciled.get('file_sd /a'), first);
    await reconciler.apply(settings('a'), findings({ uri: 'b.example', labels: {} }));
    assert.deepEqual(names(), ['sip:b.example']);
    await reconciler.apply(settings('a'), same);
    assert.deepEqual(names(), ['sip:a.example']);
    await reconciler.use(config({ ...sources('a'), modules: { x: {} } }));
    assert.notEqual(reconciled.get('file_sd /a'), first);
    await reconciler.use(config({}));
    await reconciler.dropStaleSources();
    assert.deepEqual(names(), []);
    await reconciler.use(config(sources('a')));
    await reconciler.apply(settings('a'), same);
    assert.deepEqual(names(), ['sip:a.example']);
  });

  test('applies the same destinations again as long as one was refused', async () => {
    const { reconciler, settings } = begin(sources('a', 'b'));
    const other = findings({ uri: 'b.example', name: 'n', labels: {} });
    const same = findings({ uri: 'a.example', name: 'n', labels: {} });
    await reconciler.apply(settings('b'), other);
    await reconciler.apply(settings('a'), same);
    assert.equal(reconciled.get('file_sd /a')?.destinations, 0);
    await reconciler.apply(settings('b'), findings());
    await reconciler.apply(settings('a'), same);
    assert.equal(reconciled.get('file_sd /a')?.destinations, 1);
  });

  test('uses the first of two entries with one name, and says how to keep both', async () => {
    const { reconciler, settings } = begin(sources('a'));
    const entry = { uri: 'a.example', labels: {} };
    await reconciler.apply(settings('a'), findings(entry, { ...entry, ping_interval: 7 }, entry));
    const [other, same] = reconciled.get('file_sd /a')?.remarks ?? [];
    assert.deepEqual([other?.kind, same?.kind], ['skipped', 'duplicate']);
    assert.match(
      other?.reason ?? '',
      /^duplicate destination name sip:a.example \(also used at p:1, with other settings .*: set a name$/,
    );
    assert.match(
      same?.reason ?? '',
      /^duplicate destination name sip:a.example \(also used at p:1\)$/,
    );
  });

  test('skips an invalid entry, and one whose name another URI uses, and reports their places', async () => {
    const { reconciler, settings } = begin(sources('a'));
    await reconciler.use(config({ destinations: [{ uri: 'a.example', name: 'x' }] }));
    await reconciler.apply(
      settings('a'),
      findings(
        { uri: 'http://x', labels: {} },
        { uri: 'b.example', name: 'x' },
        { uri: 'c.example' },
      ),
    );
    const { destinations, remarks = [], names } = reconciled.get('file_sd /a') ?? {};
    assert.equal(destinations, 1);
    assert.deepEqual(names, [undefined, undefined, 'sip:c.example']);
    assert.deepEqual(
      remarks.map(({ kind, place }) => [kind, place]),
      [
        ['skipped', 'p:1'],
        ['skipped', 'p:2'],
      ],
    );
    assert.match(remarks[0]?.reason ?? '', /^uri: expected a SIP URI/);
    assert.equal(remarks[1]?.reason, 'x: the name is already used by sip:a.example');
  });

  test('applies long lists in batches, with other work in between', async () => {
    const { reconciler, settings } = begin(sources('a'));
    let turns = 0;
    const count = () => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await reconciler.apply(settings('a'), many(5_000));
    clearImmediate(next);
    assert.equal(registry.size, 5_000);
    assert.ok(turns >= 50, `${turns} turns`);
    assert.equal(opened, 5_000);
  });

  test('later findings replace those that are still being applied', async () => {
    const { reconciler, settings } = begin(sources('a'));
    const early = reconciler.apply(settings('a'), many(2_000));
    await new Promise(setImmediate);
    const late = reconciler.apply(settings('a'), many(300));
    await Promise.all([early, late]);
    assert.equal(registry.size, 300);
    assert.equal(reconciled.get('file_sd /a')?.destinations, 300);
  });

  test('a destination that moves to another source during a reload keeps its row', async () => {
    const { reconciler, settings } = begin(sources('a'));
    await reconciler.apply(settings('a'), many(1_000));
    const slots = registry.all().map(({ slot }) => slot);
    const next = config(sources('b'));
    const [b] = next.sources;
    assert.ok(b);
    await reconciler.use(next);
    const move = reconciler.apply(b, many(1_000));
    await move;
    await reconciler.dropStaleSources();
    assert.equal(labelsOf('sip:h7.example')?.['from'], 'b');
    assert.deepEqual(
      registry.all().map(({ slot }) => slot),
      slots,
    );
  });

  test('a reload while findings are being applied gives them the new settings', async () => {
    const { reconciler, settings } = begin(sources('a'));
    const early = reconciler.apply(settings('a'), many(1_000));
    await new Promise(setImmediate);
    const next = config({ ...sources('a'), ping_interval: 7, destinations: ['own.example'] });
    await Promise.all([early, reconciler.use(next)]);
    assert.equal(registry.size, 1_001);
    const intervals = new Set(
      registry.all().map(({ destination }) => destination.settings.intervalMs),
    );
    assert.deepEqual([...intervals], [7_000]);
    assert.ok(names().includes('sip:own.example'));
  });
});

describe('the names of a source', () => {
  let registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
  let last: Reconciled | undefined;
  beforeEach(() => {
    registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
    last = undefined;
  });

  const gateway = (uri: string, duid: string, entry: object = {}): FoundDestination => ({
    ...{ place: `l:${uri}`, owner: undefined },
    entry: { uri, labels: { setid: '1,2' }, ...entry },
    attributes: new Map([['duid', new Set(duid === '' ? [] : [duid])]]),
  });
  const list = (...found: readonly FoundDestination[]): Findings => ({ found, remarks: [] });
  const begin = async (content: Readonly<Record<string, unknown>>, shard = 0, shards = 1) => {
    const desired = { ...config(content), shard: { ordinal: shard, total: shards } };
    const reconciler = new Reconciler(registry, desired, (_source, reconciled) => {
      last = reconciled;
    });
    await reconciler.use(desired);
    const [first, second = first] = desired.sources;
    assert.ok(first !== undefined && second !== undefined);
    return { reconciler, first, second };
  };
  const lists = (count: number, settings: object = {}) => ({
    discovery: {
      dispatcher_list: Array.from({ length: count }, (_, i) => ({ file: `/${i}`, ...settings })),
    },
  });
  const registered = () =>
    Object.fromEntries(registry.all().map(({ destination: { name, uri } }) => [name, uri]));
  const reasons = () => last?.remarks.map(({ kind, reason }) => `${kind} ${reason}`);

  test('are the duids where they are unique, and change with them, which is said', async () => {
    const { reconciler, first } = await begin(lists(1));
    const [a, b] = [gateway('sip:a', 'x'), gateway('sip:b', '', { name: 'sip:b via sip:p' })];
    await reconciler.apply(first, list(a, b));
    assert.deepEqual(registered(), { x: 'sip:a', 'sip:b via sip:p': 'sip:b' });
    assert.deepEqual(last?.names, ['x', 'sip:b via sip:p']);
    assert.deepEqual(last?.renamedDestinations, []);
    await reconciler.apply(first, list(gateway('sip:c', 'x'), a, b));
    assert.deepEqual(last?.names, ['sip:c', 'sip:a', 'sip:b via sip:p']);
    assert.deepEqual(last?.renamedDestinations, [{ from: 'x', to: 'sip:a' }]);
    assert.equal(reasons()?.length, 1);
    assert.match(reasons()?.[0] ?? '', /^adjusted duid: expected a value of one destination only/);
    assert.equal(registry.size, 3);
    await reconciler.apply(first, list(a, b));
    assert.deepEqual(last?.renamedDestinations, [{ from: 'sip:a', to: 'x' }]);
    assert.deepEqual(reasons(), []);
  });

  test('that another source uses for another URI are not used, and it is monitored nevertheless', async () => {
    const { reconciler, first, second } = await begin(lists(2));
    await reconciler.apply(first, list(gateway('sip:a', 'x')));
    await reconciler.apply(second, list(gateway('sip:a', 'x')));
    assert.deepEqual(registered(), { x: 'sip:a' });
    await reconciler.apply(second, list(gateway('sip:b', 'x')));
    assert.deepEqual(reasons(), [
      'adjusted x: the name is already used by sip:a: not used as the name',
    ]);
    assert.deepEqual(registered(), { x: 'sip:a', 'sip:b': 'sip:b' });
    await reconciler.apply(first, list(gateway('sip:c', 'x')));
    assert.deepEqual(registered(), { x: 'sip:c', 'sip:b': 'sip:b' });
    await reconciler.apply(first, list());
    await reconciler.apply(second, list(gateway('sip:b', 'x')));
    assert.deepEqual(registered(), { x: 'sip:b' });
  });

  test('that another source takes meanwhile are given up, too', async () => {
    const { reconciler, first, second } = await begin(lists(2));
    const others = Array.from({ length: 300 }, (_, i) => gateway(`sip:h${i}`, `h${i}`));
    const rest = Array.from({ length: 300 }, (_, i) => gateway(`sip:i${i}`, `i${i}`));
    await Promise.all([
      reconciler.apply(first, list(gateway('sip:a', 'x'), ...others)),
      reconciler.apply(second, list(gateway('sip:b', 'x'), ...rest)),
    ]);
    assert.equal(registry.size, 602);
    const { x: winner, ...names } = registered();
    const loser = winner === 'sip:a' ? 'sip:b' : 'sip:a';
    assert.equal(names[loser], loser);
  });

  test('give way to the configuration: to a name of another URI, and to a URI that is its name', async () => {
    const destinations = [{ uri: 'a', name: 'x' }, 'sip:b'];
    const { reconciler, first } = await begin({ ...lists(1), destinations });
    await reconciler.apply(first, list(gateway('sip:c', 'x'), gateway('sip:b', 'y')));
    assert.deepEqual(registered(), { x: 'sip:a', 'sip:b': 'sip:b', 'sip:c': 'sip:c' });
    assert.deepEqual(registry.named('sip:b')?.owners, ['config', 'dispatcher_list']);
  });

  test('that a person gives with __name are kept', async () => {
    const file_sd = [{ files: ['/f'], name_from: ['label:site'] }];
    const { reconciler, first } = await begin({ discovery: { file_sd } });
    const target = (uri: string, entry: object): FoundDestination => ({
      ...{ place: uri, owner: undefined, entry: { uri, ...entry } },
    });
    await reconciler.apply(
      first,
      list(
        target('a', { name: 'n', labels: { site: 's' } }),
        target('b', { labels: { site: 't' } }),
        target('b', { labels: { site: 'u' } }),
        target('c', { labels: { site: null } }),
      ),
    );
    assert.deepEqual(registered(), { n: 'sip:a', t: 'sip:b', u: 'sip:b', 'sip:c': 'sip:c' });
    await reconciler.apply(first, list(target('b', { labels: { site: 'v' } })));
    assert.deepEqual(last?.renamedDestinations, []);
  });

  test('decide the shard before another source has a say, so that each destination is in one shard', async () => {
    const monitored: string[] = [];
    for (const shard of [0, 1, 2]) {
      registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });
      const { reconciler, first, second } = await begin(lists(2), shard, 3);
      const gateways = (side: string) =>
        list(...Array.from({ length: 20 }, (_, i) => gateway(`sip:${side}${i}`, `gw${i}`)));
      await reconciler.apply(first, gateways('a'));
      await reconciler.apply(second, gateways('b'));
      monitored.push(...Object.values(registered()));
    }
    assert.equal(monitored.length, 40);
    assert.equal(new Set(monitored).size, 40);
  });

  test('are not needed for modules, which labels and attributes choose', async () => {
    const modules = { setid: { '2': 'two' } };
    const content = {
      ...{ modules: { one: { fall: 2 }, two: { fall: 3 }, three: { fall: 4 } } },
      ...lists(1, { module: 'one', modules, module_from: 'attribute:duid' }),
    };
    const { reconciler, first } = await begin(content);
    const found = [
      gateway('sip:a', 'three'),
      gateway('sip:b', 'three', { labels: { setid: '1' } }),
      gateway('sip:c', 'four', { labels: {} }),
      gateway('sip:d', '', { labels: {} }),
      gateway('sip:e', 'three', { module: 'default' }),
    ];
    await reconciler.apply(first, list(...found));
    const moduleOf = (uri: string) => registry.withUri(uri)[0]?.destination.module;
    assert.deepEqual(
      found.map(({ entry }) => moduleOf(String(entry['uri']))),
      ['two', 'three', 'one', 'one', 'default'],
    );
    assert.match(
      reasons()?.find((reason) => reason.includes('four')) ?? '',
      /^adjusted attribute:duid: unknown module "four" .*: not used$/,
    );
  });
});
