import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { escapedLabels, escapedName } from '../../../src/metrics/label-names.js';
import { isFreeLabelName, isPlainLabelName, RESERVED_LABELS } from '../../../src/shared/labels.js';

const SCHEMES = ['underscores', 'dots', 'values'] as const;

describe('names of labels that Prometheus before 3.0 does not allow', () => {
  for (const [name, underscores, dots, values] of [
    ['service.name', 'service_name', 'service_dot_name', 'U__service_2e_name'],
    ['a_b.c', 'a_b_c', 'a__b_dot_c', 'U__a__b_2e_c'],
    ['a-b', 'a_b', 'a__b', 'U__a_2d_b'],
    ['a:b', 'a_b', 'a__b', 'U__a_3a_b'],
    ['1a1', '_a1', '__a1', 'U___31_a1'],
    ['größe', 'gr__e', 'gr____e', 'U__gr_f6__df_e'],
    ['💡', '_', '__', 'U___1f4a1_'],
    ['..x', '_x', '_dot__dot_x', 'U___2e__2e_x'],
    ['a\n"', 'a__', 'a____', 'U__a_a__22_'],
  ] as const) {
    test(`${JSON.stringify(name)} is escaped as in client_golang`, () => {
      const escaped = SCHEMES.map((scheme) => escapedName(name, scheme));
      assert.deepEqual(escaped, [underscores, dots, values]);
    });
  }

  test('stay as they are for a scraper that allows UTF-8', () => {
    const labels = { 'service.name': 'x', a: 'y' };
    assert.equal(escapedLabels(labels, 'allow-utf-8'), labels);
  });

  for (const [given, wanted] of [
    [
      { 'service.name': 'a', service_name: 'b' },
      { service_name: 'b', exported_service_name: 'a' },
    ],
    [
      { 'a.b': '1', 'a-b': '2' },
      { a_b: '2', exported_a_b: '1' },
    ],
    [{ 'fingerprint.sha256': 'x' }, { exported_fingerprint_sha256: 'x' }],
  ] as const) {
    test(`of ${JSON.stringify(given)} none is lost, because they become the same`, () => {
      assert.deepEqual({ ...escapedLabels({ ...given }, 'underscores') }, wanted);
    });
  }

  test('whatever they are, each label is there once under a plain name that is free', () => {
    const name = fc
      .oneof(
        fc.constantFrom('a.b', 'a_b', 'a-b', 'exported_a_b', 'le.'),
        fc.string({ unit: 'binary' }),
      )
      .filter(isFreeLabelName);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 12 }),
        fc.constantFrom(...SCHEMES),
        (names, scheme) => {
          const labels = Object.fromEntries(names.map((one, index) => [one, String(index)]));
          const escaped = escapedLabels(labels, scheme);
          assert.equal(new Set(Object.values(escaped)).size, names.length);
          for (const one of Object.keys(escaped)) {
            assert.ok(isPlainLabelName(one) && isFreeLabelName(one), one);
            assert.ok(!RESERVED_LABELS.some((reserved) => reserved === one));
          }
        },
      ),
    );
  });
});
