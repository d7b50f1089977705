import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { exposedLabels, isFreeLabelName, RESERVED_LABELS } from '../../../src/shared/labels.js';

describe('discovered labels are exposed under free names', () => {
  for (const [given, wanted] of [
    [{ carrier: 'a' }, { carrier: 'a' }],
    [{ module: 'a' }, { exported_module: 'a' }],
    [
      { module: 'a', exported_module: 'b' },
      { exported_module: 'b', exported_exported_module: 'a' },
    ],
    [{ 'service.name': 'a' }, { 'service.name': 'a' }],
    [
      { 'le!': 'x', le: 'y' },
      { 'le!': 'x', exported_le: 'y' },
    ],
    [
      { '1a': 'x', größe: 'y', '💡': 'z' },
      { '1a': 'x', größe: 'y', '💡': 'z' },
    ],
    [
      { '': 'x', __y: 'y', _: 'z' },
      { exported__: 'x', _y: 'y', _: 'z' },
    ],
    [{ '\ud83dx': 'y' }, { '\ufffdx': 'y' }],
  ] as const) {
    test(JSON.stringify(given), () => {
      const { labels, renamed } = exposedLabels<string>(given);
      assert.deepEqual(labels, wanted);
      const [before, after] = [new Set(Object.keys(given)), Object.keys(wanted)];
      assert.deepEqual([...renamed.values()].sort(), after.filter((n) => !before.has(n)).sort());
    });
  }

  test('each value once, in any order, whatever the names are', () => {
    const name = fc.oneof(
      fc.constantFrom(...RESERVED_LABELS, 'exported_module', 'a.b', 'a_b'),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 12 }), (names) => {
        const entries = names.map((one, index) => [one, String(index)] as const);
        const { labels } = exposedLabels(Object.fromEntries(entries));
        assert.ok(Object.keys(labels).every(isFreeLabelName));
        assert.equal(new Set(Object.values(labels)).size, names.length);
        const backwards = exposedLabels(Object.fromEntries(entries.toReversed()));
        const sorted = (all: object) => Object.entries(all).sort();
        assert.deepEqual(sorted(backwards.labels), sorted(labels));
      }),
    );
  });
});
