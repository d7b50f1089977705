import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { CONFIGURATION, DestinationRegistry } from '../../../src/registry/registry.js';
import type { Destination, DestinationSlot } from '../../../src/shared/destination.js';
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
const every = (intervalMs: number, name = 'a') =>
  destination(name, { settings: settings({ intervalMs }) });

describe('the roster', () => {
  let told: string[] = [];
  let registry = new DestinationRegistry({ watch: () => {}, unwatch: () => {} });

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
  /** `config` wants these watched, and nothing else. */
  const configure = (...all: readonly Destination[]) =>
    registry.set(CONFIGURATION, by('config', ...all));

  beforeEach(() => {
    told = [];
    registry = new DestinationRegistry({
      watch: (entries) => {
        for (const { destination: d, slot } of entries) told.push(`+${d.name} ${slotText(slot)}`);
      },
      unwatch: (slots) => {
        for (const slot of slots) told.push(`-${slotText(slot)}`);
      },
    });
  });

  test('watches what it is given, in that order, each in a row of its own', () => {
    assert.equal(registry.size, 0);
    configure(B, A);
    assert.deepEqual([names(), registry.size], [['b', 'a'], 2]);
    assert.deepEqual(told, ['+b 0/1', '+a 1/1']);
    assert.deepEqual(registry.named('a')?.targets, []);
    assert.equal(registry.named('a')?.server, '');
    assert.equal(registry.named('c'), undefined);
  });

  test('watches a destination of several owners once, and lets go of it with the last', () => {
    configure(A);
    registry.set('file', by('carriers', A, B));
    assert.equal(registry.add('run time', { owner: 'alice', destination: A }), undefined);
    assert.deepEqual(told, ['+a 0/1', '+b 1/1']);
    assert.deepEqual(ownersOf('a'), ['config', 'carriers', 'alice']);
    configure();
    registry.set('file', []);
    assert.deepEqual([names(), ownersOf('a'), told.at(-1)], [['a'], ['alice'], '-1/1']);
    assert.equal(registry.remove('run time', 'alice', 'a'), true);
    assert.deepEqual([names(), registry.size, told.at(-1)], [[], 0, '-0/1']);
    assert.deepEqual([registry.named('a'), registry.withUri('sip:a')], [undefined, []]);
  });

  test('tells only of what has changed when a source says what it wants anew', () => {
    configure(A, B);
    told = [];
    configure(destination('a'), C);
    assert.deepEqual(told, ['-1/1', '+c 1/2']);
    told = [];
    configure(every(5_000), C);
    assert.deepEqual([told, slotText(slotOf('a'))], [['+a 0/1'], '0/1']);
    told = [];
    configure(
      destination('a', { settings: settings({ intervalMs: 5_000 }), labels: { x: 'y' } }),
      C,
    );
    assert.deepEqual([told, registry.named('a')?.destination.labels], [[], { x: 'y' }]);
  });

  test('pings at the shortest interval of all who want it, in time for that', () => {
    configure(every(30_000));
    registry.set('file', by('carriers', every(4_000)));
    const wanted = registry.named('a')?.destination.settings;
    assert.deepEqual([wanted?.intervalMs, wanted?.timeoutMs], [4_000, 3_600]);
    registry.set('file', by('carriers', every(60_000)));
    assert.equal(registry.named('a')?.destination.settings.intervalMs, 30_000);
  });

  test('takes the settings of the configuration, and labels of everybody', () => {
    const found = destination('a', { module: 'other', labels: { setid: '1', site: 'x' } });
    registry.set('file', by('dispatcher', found));
    configure(destination('a', { labels: { site: 'home' } }));
    const { module, labels } = registry.named('a')?.destination ?? A;
    assert.deepEqual([module, labels], ['default', { setid: '1', site: 'home' }]);
    assert.deepEqual(ownersOf('a'), ['config', 'dispatcher']);
  });

  test('refuses a name that stands for another URI, until that is free', () => {
    const other = destination('a', { uri: 'sip:elsewhere' });
    configure(A);
    const [refused] = registry.set('file', by('carriers', other, B));
    assert.deepEqual(
      [refused?.claim.destination, refused?.why],
      [other, 'the name is that of sip:a'],
    );
    const why = registry.add('run time', { owner: 'alice', destination: other })?.why;
    assert.equal(why, 'the name is that of sip:a');
    assert.deepEqual([names(), ownersOf('a')], [['a', 'b'], ['config']]);
    told = [];
    configure();
    assert.deepEqual([ownersOf('a'), told], [['carriers'], ['-0/1', '+a 0/2']]);
    assert.equal(registry.named('a')?.destination.uri, 'sip:elsewhere');
    assert.deepEqual(registry.withUri('sip:a'), []);
  });

  test('gives a destination whose URI is another one a new row: it has no history', () => {
    configure(A);
    configure(destination('a', { uri: 'sip:moved' }));
    assert.deepEqual(told, ['+a 0/1', '-0/1', '+a 0/2']);
  });

  test('does nothing for one who does not own, or for a name that is not watched', () => {
    configure(A);
    assert.equal(registry.remove('run time', 'alice', 'a'), false);
    assert.equal(registry.remove(CONFIGURATION, 'config', 'nobody'), false);
    assert.deepEqual([names(), told], [['a'], ['+a 0/1']]);
  });

  test('gives a freed row to the next destination, with a new generation', () => {
    configure(A, B);
    configure(B, C);
    assert.deepEqual(told, ['+a 0/1', '+b 1/1', '-0/1', '+c 0/2']);
    configure(B, A);
    assert.equal(slotText(slotOf('a')), '0/3');
  });

  test('finds a destination by its row while it is its row', () => {
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

  test('takes over targets and server names, and ignores those for a former tenant', () => {
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
});
