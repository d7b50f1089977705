import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { Roster } from '../../src/roster.js';
import type { Destination, DestinationSlot } from '../../src/shared/destination.js';
import { settings } from '../support/settings.js';

function destination(name: string, uri = `sip:${name}`): Destination {
  return {
    name,
    uri,
    module: 'default',
    labels: {},
    settings: settings(),
  };
}

const NO_SRV = { priority: undefined, weight: undefined };
const [A, B, C] = [destination('a'), destination('b'), destination('c')] as const;

describe('the roster', () => {
  let told: string[] = [];
  let roster = new Roster({ watch: () => {}, unwatch: () => {} });

  const slotText = ({ index, generation }: DestinationSlot) => `${index}/${generation}`;
  const names = () => roster.all().map((watched) => watched.destination.name);
  const ownersOf = (name: string) => roster.named(name)?.owners;
  const slotOf = (name: string): DestinationSlot => {
    const watched = roster.named(name);
    assert.ok(watched);
    return watched.slot;
  };

  beforeEach(() => {
    told = [];
    roster = new Roster({
      watch: (entries) => {
        for (const { destination: d, slot } of entries) told.push(`+${d.name} ${slotText(slot)}`);
      },
      unwatch: (slots) => {
        for (const slot of slots) told.push(`-${slotText(slot)}`);
      },
    });
  });

  test('watches what it is given, in that order, each in a row of its own', () => {
    assert.equal(roster.size, 0);
    roster.add('config', [B, A]);
    assert.deepEqual([names(), roster.size], [['b', 'a'], 2]);
    assert.deepEqual(told, ['+b 0/1', '+a 1/1']);
    assert.deepEqual(roster.named('a')?.targets, []);
    assert.equal(roster.named('a')?.server, '');
    assert.equal(roster.named('c'), undefined);
  });

  test('watches a destination of several owners once', () => {
    roster.add('config', [A]);
    roster.add('rpc', [A, B]);
    roster.add('rpc', [A]);
    assert.deepEqual(told, ['+a 0/1', '+b 1/1']);
    assert.deepEqual([ownersOf('a'), ownersOf('b')], [['config', 'rpc'], ['rpc']]);
  });

  test('lets go of a destination with its last owner', () => {
    roster.add('config', [A]);
    roster.add('rpc', [A]);
    roster.remove('config', ['a']);
    assert.deepEqual([names(), ownersOf('a'), told.length], [['a'], ['rpc'], 1]);
    roster.remove('rpc', ['a']);
    assert.deepEqual([names(), roster.size, told.at(-1)], [[], 0, '-0/1']);
    assert.deepEqual([roster.named('a'), roster.withUri('sip:a')], [undefined, []]);
  });

  test('does nothing for one who does not own, or for a name that is not watched', () => {
    roster.add('config', [A]);
    roster.remove('rpc', ['a', 'nobody']);
    roster.remove('config', ['nobody']);
    assert.deepEqual([names(), told], [['a'], ['+a 0/1']]);
  });

  test('gives a freed row to the next destination, with a new generation', () => {
    roster.add('config', [A, B]);
    roster.remove('config', ['a']);
    roster.add('config', [C]);
    assert.deepEqual(told, ['+a 0/1', '+b 1/1', '-0/1', '+c 0/2']);
    roster.remove('config', ['c']);
    roster.add('config', [A]);
    assert.equal(slotText(slotOf('a')), '0/3');
  });

  test('finds a destination by its row while it is its row', () => {
    roster.add('config', [A]);
    const former = slotOf('a');
    assert.equal(roster.at(former)?.destination.name, 'a');
    roster.remove('config', ['a']);
    assert.equal(roster.at(former), undefined);
    roster.add('config', [B]);
    assert.equal(roster.at(former), undefined);
    assert.equal(roster.at(slotOf('b'))?.destination.name, 'b');
  });

  test('finds every destination that shares a URI', () => {
    const [one, two] = [destination('one', 'sip:x'), destination('two', 'sip:x')];
    roster.add('config', [one, two, A]);
    const found = () => roster.withUri('sip:x').map((watched) => watched.destination.name);
    assert.deepEqual(found(), ['one', 'two']);
    roster.remove('config', ['one']);
    assert.deepEqual(found(), ['two']);
    assert.deepEqual(roster.withUri('sip:nobody'), []);
  });

  test('takes over targets and server names, and ignores those for a former tenant', () => {
    const targets = [
      { slot: { index: 0, generation: 1 }, transport: 'udp', address: '192.0.2.1:5060', ...NO_SRV },
    ] as const;
    roster.add('config', [A]);
    const former = slotOf('a');
    roster.setTargets([{ destination: former, targets }]);
    roster.setServers([{ destination: former, server: 'kamailio' }]);
    assert.deepEqual(
      [roster.named('a')?.targets, roster.named('a')?.server],
      [targets, 'kamailio'],
    );
    roster.remove('config', ['a']);
    roster.add('config', [B]);
    roster.setTargets([{ destination: former, targets }]);
    roster.setServers([{ destination: former, server: 'kamailio' }]);
    assert.deepEqual([roster.named('b')?.targets, roster.named('b')?.server], [[], '']);
  });
});
