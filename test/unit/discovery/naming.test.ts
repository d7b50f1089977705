import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Origin } from '../../../src/config/source-settings.js';
import { candidatesOf, Naming } from '../../../src/discovery/naming.js';
import type { Parts } from '../../../src/discovery/origins.js';

interface Entry extends Parts {
  readonly ownName: string;
  readonly isNamed: boolean;
}

const DUID: Origin = { text: 'duid', kind: 'attribute', name: 'duid' };
const CARRIER: Origin = { text: 'label:carrier', kind: 'label', name: 'carrier' };
const URI: Origin = { text: 'uri', kind: 'uri', name: '' };

/** A destination `sip:NAME`, with the values of its duid. */
const entry = (name: string, duid: string | readonly string[] = [], carrier = ''): Entry => ({
  uri: `sip:${name}`,
  ownName: `sip:${name}`,
  isNamed: false,
  attributes: new Map([['duid', new Set(typeof duid === 'string' ? [duid] : duid)]]),
  labels: { carrier },
});

function named(entries: readonly Entry[], nameFrom: readonly Origin[] = [DUID, CARRIER]) {
  const naming = new Naming(nameFrom);
  const all = entries.map((one) => ({ ...one, candidates: candidatesOf(nameFrom, one) }));
  for (const one of all) naming.add(one);
  const reasons: string[] = [];
  const names = all.map((one) => naming.namesOf(one, (reason) => reasons.push(reason)));
  return { names: names.map(([best]) => best), all: names, reasons };
}

describe('a destination is named', () => {
  test('by the first part that has a value, else by its own name', () => {
    const entries = [entry('a', 'x', 'c'), entry('b', '', 'd'), entry('c', '  ')];
    assert.deepEqual(named(entries).names, ['x', 'd', 'sip:c']);
    assert.deepEqual(named(entries, []).names, ['sip:a', 'sip:b', 'sip:c']);
    assert.deepEqual(named(entries, [CARRIER, DUID]).names, ['c', 'd', 'sip:c']);
    assert.deepEqual(named(entries).reasons, []);
  });

  test('by its URI, where its own name says more', () => {
    const long = { ...entry('a', 'x'), ownName: 'sip:a via sip:p' };
    assert.deepEqual(named([long], [URI, DUID]).all, [['sip:a', 'x', 'sip:a via sip:p']]);
  });

  test('without the blanks around a value', () => {
    assert.deepEqual(named([entry('a', '\t x y ')]).names, ['x y']);
  });

  test('by its own name if a person chose that', () => {
    assert.deepEqual(named([{ ...entry('a', 'x'), isNamed: true }]).all, [['sip:a', 'sip:a']]);
  });
});

describe('a value is no name', () => {
  test('of two destinations that both have it; each keeps its next one', () => {
    const { names, reasons } = named([entry('a', 'x', 'c'), entry('b', 'x'), entry('c', 'y')]);
    assert.deepEqual(names, ['c', 'sip:b', 'y']);
    const reason =
      'duid: expected a value of one destination only, got "x", which another one has too: not used as the name';
    assert.deepEqual(reasons, [reason, reason]);
  });

  test('when another destination has it in a better part, or as its own name', () => {
    const { names } = named([entry('a', 'x'), entry('b', '', 'x'), entry('c', 'sip:a')]);
    assert.deepEqual(names, ['x', 'sip:b', 'sip:c']);
  });

  test('when several destinations have it in a better part', () => {
    const { names } = named([entry('a', 'x'), entry('b', 'x'), entry('c', '', 'x')]);
    assert.deepEqual(names, ['sip:a', 'sip:b', 'sip:c']);
  });

  test('when the destination has several values, and no other one gets any of them', () => {
    const { names, reasons } = named([entry('a', ['y', 'x'], 'c'), entry('b', 'y')]);
    assert.deepEqual(names, ['c', 'sip:b']);
    assert.match(reasons[0] ?? '', /^duid: expected one value, got "x" and "y": not used/);
  });

  for (const [what, value] of [
    ['is longer than names may be', 'x'.repeat(10_240)],
    ['has a line break', 'x\ny'],
    ['has a control character', 'x\u0007'],
    ['is a path', '..'],
  ] as const) {
    test(`when it ${what}`, () => {
      const { names, reasons } = named([entry('a', value, 'c')]);
      assert.deepEqual(names, ['c']);
      assert.match(reasons[0] ?? '', /^duid: expected 1 to 256 printable characters, not \. or/);
      assert.ok((reasons[0] ?? '').length < 300);
    });
  }

  test('of which nothing is reported when a better name is used', () => {
    const { names, reasons } = named([entry('a', 'x', 'c'), entry('b', 'y', 'c')]);
    assert.deepEqual([names, reasons], [['x', 'y'], []]);
  });
});

test('entries with one own name and one value are one destination', () => {
  const { names, reasons } = named([entry('a', 'x'), entry('a', 'x'), entry('a')]);
  assert.deepEqual([names, reasons], [['x', 'x', 'sip:a'], []]);
});

test('quotes are allowed in a name', () => {
  assert.deepEqual(named([entry('a', '"x"')]).names, ['"x"']);
});

test('names do not depend on the order of the entries, and no two destinations may share any', () => {
  const word = fc.constantFrom('', 'x', 'y', 'z', 'sip:a', 'sip:b', '.', 'x\n');
  const entries = fc.array(
    fc.tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.uniqueArray(word, { maxLength: 2 }),
      word,
    ),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(entries, fc.nat(), (drawn, turn) => {
      const all = drawn.map(([name, duid, carrier]) => entry(name, duid, carrier));
      const namesOf = (list: readonly Entry[]) => {
        const { all: names } = named(list, [DUID, CARRIER, URI]);
        return new Map(list.map((one, index) => [one, names[index]]));
      };
      const names = namesOf(all);
      const at = turn % (all.length + 1);
      const other = namesOf([...all.slice(at), ...all.slice(0, at)].reverse());
      for (const one of all) assert.deepEqual(other.get(one), names.get(one));
      for (const [one, its] of names) {
        for (const [another, theirs] of names) {
          if (one.ownName === another.ownName) continue;
          assert.ok(!its?.some((name) => theirs?.includes(name)), String(its));
        }
      }
    }),
  );
});
