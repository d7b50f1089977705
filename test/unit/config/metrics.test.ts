import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { showConfig } from '../../../src/config/show.js';
import { folder } from '../../support/process.js';

const read = (content: Record<string, unknown>, flags: readonly string[] = [], env = {}) =>
  readConfig({ flags: readFlags(flags), env, version: '1', content });

function readFile(t: TestContext, text: string) {
  const file = join(folder(t), 'config.yml');
  writeFileSync(file, text);
  return readConfig({ flags: readFlags([`--config.file=${file}`]), env: {}, version: '1' });
}

describe('buckets of histograms', () => {
  test('are those of Prometheus clients unless they are set', () => {
    const { metrics } = read({});
    assert.equal(metrics.rttBuckets.length, 13);
    assert.deepEqual(metrics.connectBuckets, metrics.rttBuckets);
    assert.deepEqual(
      [metrics.histograms, metrics.hasExemplars, metrics.isCreatedShown],
      ['both', true, false],
    );
  });

  test('can be set in the file, by flags and by a variable', () => {
    const bounds = [0.001, 0.02, 30];
    const set = [
      read({ metrics: { rtt_buckets: bounds } }),
      read(
        {},
        bounds.map((bound) => `--metrics.rtt_buckets=${bound}`),
      ),
      read({}, [], { SIP_KEEPALIVE_METRICS_RTT_BUCKETS: '1e-3 0.02  30' }),
    ];
    for (const { metrics } of set) assert.deepEqual(metrics.rttBuckets, bounds);
    const [config] = set;
    assert.ok(config);
    const shown: Record<string, unknown> = JSON.parse(showConfig(config));
    assert.deepEqual(read(shown).metrics, config.metrics);
  });

  const thirty = Array.from({ length: 30 }, (_, i) => i + 1);
  test('may be thirty', () => {
    assert.equal(read({ metrics: { rtt_buckets: thirty } }).metrics.rttBuckets.length, 30);
  });

  for (const [given, problem] of [
    [[...thirty, 31], 'expected 1 to 30 buckets, got 31'],
    [[], 'expected 1 to 30 buckets, got 0'],
    [[0.2, 0.1], 'expected rising bounds of buckets, more than 0.2, got 0.1'],
    [[0.1, 0.1], 'expected rising bounds of buckets, more than 0.1, got 0.1'],
    [[0.1, 0.10000001], 'expected rising bounds of buckets, more than 0.1, got 0.10000001'],
    [[-1], 'expected seconds from 0.000001 to 3600 as the bound of a bucket, got -1'],
    [[0], 'expected seconds from 0.000001 to 3600 as the bound of a bucket, got 0'],
    [[Number.NaN], 'expected seconds from 0.000001 to 3600 as the bound of a bucket, got NaN'],
    [['+Inf'], 'expected seconds from 0.000001 to 3600 as the bound of a bucket, got "+Inf"'],
    [[Number.POSITIVE_INFINITY], 'as the bound of a bucket, got Infinity'],
    [['1 s'], 'as the bound of a bucket, got "1 s"'],
    [[''], 'as the bound of a bucket, got ""'],
    [[true], 'as the bound of a bucket, got true'],
    [{ a: 1 }, 'expected a single value, got a mapping'],
    [5, 'expected a list of seconds, got 5'],
  ] as const) {
    test(`are refused: ${JSON.stringify(given)} (${problem})`, () => {
      assert.throws(
        () => read({ metrics: { connect_buckets: given } }),
        (error: Error) =>
          error.message.startsWith('metrics.connect_buckets: ') && error.message.includes(problem),
      );
    });
  }

  test('are refused with the file and the line', (t) => {
    assert.throws(
      () => readFile(t, 'metrics:\n  histograms: both\n  rtt_buckets: [0.5, .inf]\n'),
      /config\.yml:3: metrics\.rtt_buckets: expected seconds .* got "\.inf"/,
    );
    assert.throws(
      () => readFile(t, 'metrics: {histograms: all}\n'),
      /one of classic, native, both/,
    );
  });
});
