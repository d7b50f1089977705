import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SourceError } from '../../../src/discovery/source-error.js';
import { readTargetGroups } from '../../../src/discovery/target-groups.js';

const read = (json: string) => readTargetGroups(JSON.parse(json), 'p');
const entries = (json: string) => read(json).found.map(({ entry }) => entry);

describe('what Prometheus takes is taken', () => {
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
      assert.deepEqual(read(json).skipped, []);
    });
  }
});

describe('a list that Prometheus refuses as a whole is refused, with its place', () => {
  for (const [json, why] of [
    ['{}', /^p: expected a list, got a mapping/],
    ['"x"', /^p: expected a list, got "x"/],
    ['[null]', /^p: \[0\]: expected a mapping, got null/],
    ['[{}, []]', /^p: \[1\]: expected a mapping, got a list/],
    ['[{"targets": "x"}]', /^p: \[0\]\.targets: expected a list of texts, got "x"/],
    ['[{"targets": ["a", {}]}]', /^p: \[0\]\.targets\[1\]: expected a text, got a mapping/],
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

describe('what is wrong with one group costs that group alone', () => {
  test('an owner that none can have', () => {
    const { found, skipped } = read(
      '[{"targets": ["a", "b"], "labels": {"__owner": "\\n"}}, {"targets": ["c"]}]',
    );
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['c'],
    );
    assert.match(skipped[0]?.reason ?? '', /^labels\.__owner: expected 1 to 128 .*: its 2 targets/);
    assert.equal(skipped[0]?.place, 'p: [0]');
  });

  test('a field that there is not is told with the one that may be meant', () => {
    const { found, skipped } = read(
      '[{"target": ["a"], "labels": {}}, {"targets": ["c"], "source": "x"}]',
    );
    assert.deepEqual(
      found.map(({ entry }) => entry['uri']),
      ['c'],
    );
    assert.match(skipped[0]?.reason ?? '', /\(nearest: "targets"\), got "target": not used/);
    assert.match(skipped[1]?.reason ?? '', /labels, got "source": not used/);
    assert.equal(skipped.length, 2);
  });
});

test('labels that are too many, too long or nested are refused before anything is made of them', () => {
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, i) => ['.'.repeat(i + 1), 'x']));
  const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
  for (const [labels, why] of [
    [JSON.stringify(many), 'labels: expected at most 100, got 101'],
    [
      JSON.stringify({ a: 'x'.repeat(16_384) }),
      'labels: expected at most 16384 characters in all, got 16385',
    ],
    [`{"a": ${deep}}`, 'labels.a: expected a text, got a list'],
  ] as const) {
    const { found, skipped } = read(
      `[{"targets": ["a.example", "b.example"], "labels": ${labels}}]`,
    );
    assert.deepEqual(found, []);
    assert.deepEqual(skipped, [
      { place: 'p: [0]', reason: `${why}: its 2 targets are not watched` },
    ]);
  }
});

test('a list with more entries than can be watched is refused', () => {
  const targets = Array.from({ length: 50_000 }, (_, i) => `h${i}.example`);
  assert.equal(readTargetGroups([{ targets }, { targets }], 'p').found.length, 100_000);
  assert.throws(
    () => readTargetGroups([{ targets }, { targets }, { targets }], 'p'),
    /^SourceError: p: \[2\]: expected at most 131072 entries, got more$/,
  );
});
