import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import type { Findings, Reconciled } from '../../../src/discovery/found.js';
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
