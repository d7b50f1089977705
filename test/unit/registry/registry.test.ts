import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { CONFIGURATION, DestinationRegistry } from '../../../src/registry/registry.js';
import type { Destination, DestinationSlot } from '../../../src/shared/destination.js';
import { LEDGER_CAPACITY } from '../../../src/shared/ledger/layout.js';
import { settings } from '../../support/settings.js';

function destination(name: string, change: Partial<Destination> = {}): Destination {
  return {
    name,
    uri: `sip:${name}`,
    module: 'default',
    labels: {},
    settings: settings(),
    ...change,
  };
}

const NO_SRV = { priority: undefined, weight: undefined };
const [A, B, C] = [destination('a'), destination('b'), destination('c')] as const;
/** Interval, retry_interval, down_interval and timeout, seconds. */
type Times = readonly [number, number, number, number];

const every = (intervalMs: number, name = 'a') =>
  destination(name, { settings: settings({ intervalMs }) });

describe('the registry', () => {
  let notified: string[] = [];
  let registry = new DestinationRegistry({ monitor: () => {}, unmonitor: () => {} });

  const slotText = ({ index, generation }: DestinationSlot) => `${index}/${generation}`;
  const names = () => registry.all().map((watched) => watched.destination.name);
  const ownersOf = (name: string) => registry.named(name)?.owners;
  const slotOf = (name: string): DestinationSlot => {
    const watched = registry.named(name);
    assert.ok(watched);
    return watched.slot;
  };
  const by = (owner: string, ...all: readonly Destination[]) =>
    all.map((one) => ({ owner, destination: one }));
  /** Makes these the only claims of `config`. */
  const configure = (...all: readonly Destination[]) =>
    registry.set(CONFIGURATION, by('config', ...all));

  beforeEach(() => {
    notified = [];
    registry = new DestinationRegistry({
      monitor: (entries) => {
        for (const { destination: d, slot } of entries)
          notified.push(`+${d.name} ${slotText(slot)}`);
      },
      unmonitor: (removed) => {
        for (const { slot } of removed) notified.push(`-${slotText(slot)}`);
      },
    });
  });

  test('gives each destination of a set its own row, in their order', () => {
    assert.equal(registry.size, 0);
    configure(B, A);
    assert.deepEqual([names(), registry.size], [['b', 'a'], 2]);
    assert.deepEqual(notified, ['+b 0/1', '+a 1/1']);
    assert.deepEqual(registry.named('a')?.targets, []);
    assert.equal(registry.named('a')?.server, '');
    assert.equal(registry.named('c'), undefined);
  });

  test('monitors a destination of several owners once, and removes it with the last', () => {
    configure(A);
    registry.set('file', by('carriers', A, B));
    assert.equal(registry.add('run time', { owner: 'alice', destination: A }), undefined);
    assert.deepEqual(notified, ['+a 0/1', '+b 1/1']);
    assert.deepEqual(ownersOf('a'), ['config', 'carriers', 'alice']);
    configure();
    registry.set('file', []);
    assert.deepEqual([names(), ownersOf('a'), notified.at(-1)], [['a'], ['alice'], '-1/1']);
    assert.equal(registry.remove('run time', 'alice', 'a'), true);
    assert.deepEqual([names(), registry.size, notified.at(-1)], [[], 0, '-0/1']);
    assert.deepEqual([registry.named('a'), registry.withUri('sip:a')], [undefined, []]);
  });

  test('notifies only of what has changed when a source replaces its claims', () => {
    configure(A, B);
    notified = [];
    configure(destination('a'), C);
    assert.deepEqual(notified, ['-1/1', '+c 1/2']);
    notified = [];
    configure(every(5_000), C);
    assert.deepEqual([notified, slotText(slotOf('a'))], [['+a 0/1'], '0/1']);
    notified = [];
    configure(
      destination('a', { settings: settings({ intervalMs: 5_000 }), labels: { x: 'y' } }),
      C,
    );
    assert.deepEqual([notified, registry.named('a')?.destination.labels], [[], { x: 'y' }]);
  });

  test('pings at the shortest interval of all owners, with a timeout that fits it', () => {
    configure(every(30_000));
    registry.set('file', by('carriers', every(4_000)));
    const wanted = registry.named('a')?.destination.settings;
    assert.deepEqual([wanted?.intervalMs, wanted?.timeoutMs], [4_000, 3_600]);
    registry.set('file', by('carriers', every(60_000)));
    assert.equal(registry.named('a')?.destination.settings.intervalMs, 30_000);
  });

  for (const [what, a, b, wanted] of [
    ['of both', [30, 2, 60, 1], [60, 5, 10, 5], [30, 2, 10, 1]],
    ['where only the second has any', [30, 30, 30, 5], [30, 2, 10, 1], [30, 2, 10, 1.8]],
    ['where only the first has any', [30, 2, 300, 1], [60, 60, 60, 5], [30, 2, 60, 1]],
    ['never longer than the interval', [30, 20, 30, 5], [4, 4, 4, 3], [4, 4, 4, 3.6]],
    ['where nothing differs', [30, 2, 10, 1], [30, 2, 10, 1.5], [30, 2, 10, 1]],
  ] as const satisfies readonly (readonly [string, Times, Times, Times])[]) {
    test(`takes the shortest retry_interval and down_interval of all owners, ${what}`, () => {
      const claimed = ([intervalMs, retryIntervalMs, downIntervalMs, timeoutMs]: Times) =>
        destination('a', {
          settings: settings({
            ...{ intervalMs: intervalMs * 1000, retryIntervalMs: retryIntervalMs * 1000 },
            ...{ downIntervalMs: downIntervalMs * 1000, timeoutMs: timeoutMs * 1000 },
          }),
        });
      configure(claimed(a));
      registry.set('file', by('carriers', claimed(b)));
      const merged = registry.named('a')?.destination.settings ?? assert.fail('no destination');
      assert.deepEqual(
        [merged.intervalMs, merged.retryIntervalMs, merged.downIntervalMs, merged.timeoutMs],
        wanted.map((seconds) => seconds * 1000),
      );
    });
  }

  test('takes the settings of the configuration, and the labels of all owners', () => {
    const found = destination('a', { module: 'other', labels: { setid: '1', site: 'x' } });
    registry.set('file', by('dispatcher', found));
    configure(destination('a', { labels: { site: 'home' } }));
    const { module, labels } = registry.named('a')?.destination ?? A;
    assert.deepEqual([module, labels], ['default', { setid: '1', site: 'home' }]);
    assert.deepEqual(ownersOf('a'), ['config', 'dispatcher']);
  });

  test('refuses a name that is used by another URI, until the name is free', () => {
    const other = destination('a', { uri: 'sip:elsewhere' });
    configure(A);
    const [refused] = registry.set('file', by('carriers', other, B));
    assert.deepEqual(
      [refused?.claim.destination, refused?.reason],
      [other, 'the name is already used by sip:a'],
    );
    const reason = registry.add('run time', { owner: 'alice', destination: other })?.reason;
    assert.equal(reason, 'the name is already used by sip:a');
    assert.deepEqual([names(), ownersOf('a')], [['a', 'b'], ['config']]);
    notified = [];
    configure();
    assert.deepEqual(
      [ownersOf('a'), notified],
      [
        ['carriers', 'alice'],
        ['-0/1', '+a 0/2'],
      ],
    );
    assert.equal(registry.named('a')?.destination.uri, 'sip:elsewhere');
    assert.deepEqual(registry.withUri('sip:a'), []);
  });

  test('gives a destination a new row when its URI changes: it has no history', () => {
    configure(A);
    configure(destination('a', { uri: 'sip:moved' }));
    assert.deepEqual(notified, ['+a 0/1', '-0/1', '+a 0/2']);
  });

  test('removes nothing for another owner or an unknown name', () => {
    configure(A);
    assert.equal(registry.remove('run time', 'alice', 'a'), false);
    assert.equal(registry.remove(CONFIGURATION, 'config', 'nobody'), false);
    assert.deepEqual([names(), notified], [['a'], ['+a 0/1']]);
  });

  test('gives a freed row to the next destination, with a new generation', () => {
    configure(A, B);
    configure(B, C);
    assert.deepEqual(notified, ['+a 0/1', '+b 1/1', '-0/1', '+c 0/2']);
    configure(B, A);
    assert.equal(slotText(slotOf('a')), '0/3');
  });

  test('finds a destination by its slot as long as it has that slot', () => {
    configure(A);
    const former = slotOf('a');
    assert.equal(registry.at(former)?.destination.name, 'a');
    configure();
    assert.equal(registry.at(former), undefined);
    configure(B);
    assert.equal(registry.at(former), undefined);
    assert.equal(registry.at(slotOf('b'))?.destination.name, 'b');
  });

  test('finds every destination that shares a URI', () => {
    const [one, two] = [destination('one', { uri: 'sip:x' }), destination('two', { uri: 'sip:x' })];
    configure(one, two, A);
    const found = () => registry.withUri('sip:x').map((watched) => watched.destination.name);
    assert.deepEqual(found(), ['one', 'two']);
    configure(two, A);
    assert.deepEqual(found(), ['two']);
    assert.deepEqual(registry.withUri('sip:nobody'), []);
  });

  test('stores targets and server names, and ignores those for a former user of the row', () => {
    const targets = [
      { slot: { index: 0, generation: 1 }, transport: 'udp', address: '192.0.2.1:5060', ...NO_SRV },
    ] as const;
    configure(A);
    const former = slotOf('a');
    registry.setTargets([{ destination: former, targets }]);
    registry.setServers([{ destination: former, server: 'kamailio' }]);
    assert.deepEqual(
      [registry.named('a')?.targets, registry.named('a')?.server],
      [targets, 'kamailio'],
    );
    configure(B);
    registry.setTargets([{ destination: former, targets }]);
    registry.setServers([{ destination: former, server: 'kamailio' }]);
    assert.deepEqual([registry.named('b')?.targets, registry.named('b')?.server], [[], '']);
  });

  test('stores details of targets, and drops those of removed targets', () => {
    const target = (index: number) => ({
      ...{ slot: { index, generation: 1 }, transport: 'udp' as const, ...NO_SRV },
      address: `192.0.2.${index}:5060`,
    });
    const peer = { detail: 'connection refused', tls: undefined };
    configure(A);
    const slot = slotOf('a');
    registry.setTargets([{ destination: slot, targets: [target(1), target(2)] }]);
    const peersOf = () => [...(registry.named('a')?.peers.keys() ?? [])];
    registry.setPeers([1, 2, 3].map((i) => ({ destination: slot, target: target(i).slot, peer })));
    assert.deepEqual(peersOf(), [1, 2], 'target 3 is none');
    registry.setPeers([{ destination: slot, target: { index: 1, generation: 2 }, peer }]);
    registry.setTargets([{ destination: slot, targets: [target(2)] }]);
    assert.deepEqual(peersOf(), [2]);
    registry.setPeers([{ destination: { index: 7, generation: 1 }, target: target(1).slot, peer }]);
    assert.deepEqual(peersOf(), [2], 'another destination');
  });

  test('says in advance what it would do with a claim, and changes nothing', () => {
    configure(A);
    const [alice, config] = by('alice', A).concat(by('config', A));
    const [moved] = by('config', destination('a', { uri: 'sip:elsewhere' }));
    assert.ok(alice && config && moved);
    assert.deepEqual(registry.wouldAccept(alice), { kind: 'acceptable' });
    assert.deepEqual(registry.wouldAccept(config), { kind: 'held' });
    const reason = 'the name is already used by sip:a';
    assert.deepEqual(registry.wouldAccept(moved), { kind: 'refused', reason });
    const [b] = by('alice', B);
    assert.ok(b);
    assert.deepEqual(registry.wouldAccept(b), { kind: 'acceptable' });
    assert.deepEqual(registry.wouldAccept(b, LEDGER_CAPACITY), {
      kind: 'refused',
      reason: `the limit of ${LEDGER_CAPACITY} destinations is reached`,
    });
    assert.deepEqual([names(), ownersOf('a')], [['a'], ['config']]);
  });

  test('rejects a destination without a free row, and accepts it once a row is free', () => {
    const shared = settings();
    const many = Array.from({ length: LEDGER_CAPACITY }, (_, i) => {
      const one = destination(`h${i}`, { settings: shared });
      return { owner: 'carriers', destination: one };
    });
    assert.deepEqual(registry.set('file', many), []);
    const claim = { owner: 'alice', destination: A };
    const reason = `the limit of ${LEDGER_CAPACITY} destinations is reached`;
    assert.equal(registry.add('run time', claim)?.reason, reason);
    assert.deepEqual(registry.wouldAccept(claim), { kind: 'refused', reason });
    registry.set('file', many.slice(1));
    assert.equal(registry.add('run time', claim), undefined);
    assert.deepEqual(slotText(slotOf('a')), '0/2');
  });

  test('sends a destination again when an owner starts or stops listening to its pings', () => {
    configure(A);
    registry.add('library', { owner: 'alice', destination: A, isFollowed: true });
    assert.equal(registry.named('a')?.isFollowed, true);
    registry.remove('library', 'alice', 'a');
    assert.equal(registry.named('a')?.isFollowed, false);
    assert.deepEqual(notified, ['+a 0/1', '+a 0/1', '+a 0/1']);
  });
});
