import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SourceError } from '../../../src/discovery/source-error.js';
import { readTargetGroups } from '../../../src/discovery/target-groups.js';

const read = (json: string) => readTargetGroups(JSON.parse(json), 'p');
const entries = (json: string) => read(json).found.map(({ entry }) => entry);

describe('a list that Prometheus accepts is accepted', () => {
  for (const [json, wanted] of [
    ['null', []],
    ['[]', []],
    ['[{}]', []],
    ['[{"targets": null, "labels": null}]', []],
    ['[{"targets": ["a.example"], "labels": null}]', [{ uri: 'a.example', labels: {} }]],
    ['[{"targets": ["a.example"]}, {}]', [{ uri: 'a.example', labels: {} }]],
    [
      '[{"targets": ["a.example"], "labels": {"x": null, "y": "", "z": "1", "__meta": "m"}}]',
      [{ uri: 'a.example', labels: { z: '1' } }],
    ],
    [
      '[{"Targets": ["a.example"], "LABELS": {"x": "y"}}]',
      [{ uri: 'a.example', labels: { x: 'y' } }],
    ],
    [
      '[{"targets": ["a.example", null, ""]}]',
      ['a.example', '', ''].map((uri) => ({ uri, labels: {} })),
    ],
    [
      '[{"targets": ["a.example"], "labels": {"__name": "n", "__module": null}}]',
      [{ uri: 'a.example', name: 'n', labels: {} }],
    ],
  ] as const) {
    test(json, () => {
      assert.deepEqual(entries(json), wanted);
      assert.deepEqual(read(json).remarks, []);
    });
  }
});

describe('a list that Prometheus rejects is rejected, with its place', () => {
  for (const [json, why] of [
    ['{}', /^p: expected a list, got a mapping/],
    ['"x"', /^p: expected a list, got "x"/],
    ['[null]', /^p: \[0\]: expected a mapping, got null/],
    ['[{}, []]', /^p: \[1\]: expected a mapping, got a list/],
    ['[{"targets": "x"}]', /^p: \[0\]\.targets: expected a list of strings, got "x"/],
    ['[{"targets": ["a", {}]}]', /^p: \[0\]\.targets\[1\]: expected a string, got a mapping/],
    ['[{"targets": ["a"], "labels": ["x"]}]', /^p: \[0\]\.labels: expected a mapping, got a list/],
  ] as const) {
    test(json, () => {
      assert.throws(
        () => read(json),
        (error) => error instanceof SourceError && why.test(error.message),
      );
    });
  }
});

describe('an error in one group affects only that group', () => {
  test('an owner that is not valid', () => {
    const { found, remarks } = read(
      '[{"targets": ["a", "b"], "labels": {"__owner": "\\n"}}, {"targets": ["c"]}]',
    );
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['c'],
    );
    assert.match(remarks[0]?.reason ?? '', /^labels\.__owner: expected 1 to 128 .* \(2 targets\)$/);
    assert.equal(remarks[0]?.place, 'p: [0]');
  });

  test('an unknown field is reported with the nearest known one', () => {
    const { found, remarks } = read(
      '[{"target": ["a"], "labels": {}}, {"targets": ["c"], "source": "x"}]',
    );
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['c'],
    );
    assert.match(remarks[0]?.reason ?? '', /got "target" \(nearest: "targets"\): ignored/);
    assert.match(remarks[1]?.reason ?? '', /labels, got "source": ignored/);
    assert.equal(remarks.length, 2);
  });
});

test('labels that are too many, too long or nested are rejected at once', () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => ['.'.repeat(i + 1), 'x']));
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  for (const [labels, why] of [
    [JSON.stringify(many), 'labels: expected at most 100, got 101'],
    [
      JSON.stringify({ a: 'x'.repeat(16_384) }),
      'labels: expected at most 16384 characters in total, got 16385',
    ],
    [`{"a": ${deep}}`, 'labels.a: expected a string, got a list'],
  ] as const) {
    const { found, remarks } = read(
      `[{"targets": ["a.example", "b.example"], "labels": ${labels}}]`,
    );
    assert.deepEqual(found, []);
    assert.deepEqual(remarks, [{ kind: 'skipped', place: 'p: [0]', reason: `${why} (2 targets)` }]);
  }
});

test('a list with too many entries is rejected', () => {
  const targets = Array.from({ length: 50_000 }, (_, i) => `h${i}.example`);
  assert.equal(readTargetGroups([{ targets }, { targets }], 'p').found.length, 100_000);
  assert.throws(
    () => readTargetGroups([{ targets }, { targets }, { targets }], 'p'),
    /^SourceError: p: \[2\]: expected at most 131072 entries, got more$/,
  );
});
