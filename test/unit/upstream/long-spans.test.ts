import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { KNOWN, LongSpans, RTT, UP } from '../../../src/upstream/long-spans.js';
import { destinationMatcher } from '../../../src/upstream/promql.js';
import { type Asked, httpSettings, upstreamRig } from '../../support/upstream-rig.js';

const parametersOf = ({ body = '' }: Asked) => Object.fromEntries(new URLSearchParams(body));
const queryOf = (asked: Asked) => parametersOf(asked)['query'] ?? '';

const vector = (values: Readonly<Record<string, string>>) => ({
  status: 'success',
  data: {
    resultType: 'vector',
    result: Object.entries(values).map(([destination, value]) => ({
      metric: { destination },
      value: [1_700_000_000.5, value],
    })),
  },
});

const matrix = (...values: readonly (readonly [number, string])[]) => ({
  status: 'success',
  data: { resultType: 'matrix', result: values.length === 0 ? [] : [{ metric: {}, values }] },
});

function spansThat(answer: (asked: Asked) => unknown) {
  const rig = upstreamRig('Prometheus', answer);
  return { ...rig, spans: new LongSpans(rig.server, rig.clock) };
}

test('the metrics that are asked for are recorded by the rules', () => {
  const rules = readFileSync('rules/sip-keepalive-recording.yml', 'utf8');
  for (const name of [UP, KNOWN, ...Object.values(RTT)]) {
    assert.ok(rules.includes(`- record: ${name}\n`), name);
  }
});

describe('availability', () => {
  test('is that of a day, a week and a month; what Prometheus does not have is null', async () => {
    const { spans, asked } = spansThat((one) => {
      if (queryOf(one).includes('[1d]')) return vector({ a: '0.5', b: 'NaN', other: '1' });
      return queryOf(one).includes('[7d]') ? vector({ b: '1' }) : vector({});
    });
    assert.deepEqual(await spans.availability(['a', 'b']), {
      spans: { day: { a: 0.5, b: null }, week: { a: null, b: 1 }, month: { a: null, b: null } },
    });
    const seconds = (metric: string, window: string) =>
      `sum by (destination) (sum_over_time(${metric}{destination=~"a|b"}[${window}]))`;
    assert.deepEqual(
      asked.map(queryOf),
      ['1d', '7d', '30d'].map((window) => `${seconds(UP, window)} / ${seconds(KNOWN, window)}`),
    );
    for (const { method, url } of asked) {
      assert.deepEqual([method, url], ['POST', 'http://upstream.example:9090/prefix/api/v1/query']);
    }
    assert.deepEqual(parametersOf(asked[0] ?? assert.fail())['timeout'], '10s');
  });

  test('is asked once a minute for each destination, whoever asks with whichever others', async () => {
    const { spans, asked, clock } = spansThat(() => vector({ a: '1', b: '1', c: '1' }));
    const ten = Array.from({ length: 10 }, () => spans.availability(['a', 'b']));
    const [first] = await Promise.all(ten);
    assert.deepEqual(first?.spans.day, { a: 1, b: 1 });
    assert.equal(asked.length, 3);
    assert.deepEqual((await spans.availability(['b', 'c'])).spans.day, { b: 1, c: 1 });
    assert.equal(asked.length, 6);
    assert.ok(queryOf(asked[3] ?? assert.fail()).includes('{destination="c"}'));
    clock.advance(59_999);
    await spans.availability(['c', 'b', 'a']);
    assert.equal(asked.length, 6);
    clock.advance(1);
    await spans.availability(['a', 'b', 'c']);
    assert.equal(asked.length, 9);
  });

  test('is not asked for nobody', async () => {
    const { spans, asked } = spansThat(() => vector({}));
    assert.deepEqual(await spans.availability([]), { spans: { day: {}, week: {}, month: {} } });
    assert.equal(asked.length, 0);
  });

  test('that failed is an error for five seconds, then it is asked again', async () => {
    let isDown = true;
    const { spans, asked, clock } = spansThat(() =>
      isDown ? new Error('connect ECONNREFUSED') : vector({ a: '1' }),
    );
    const fails = () => assert.rejects(spans.availability(['a']), /got connect ECONNREFUSED$/);
    await fails();
    const requests = asked.length;
    isDown = false;
    clock.advance(4_999);
    await fails();
    assert.equal(asked.length, requests);
    clock.advance(1);
    assert.deepEqual((await spans.availability(['a'])).spans.day, { a: 1 });
  });

  test('is asked of another server after a reload', async () => {
    const { spans, use, asked } = spansThat(() => vector({ a: '1' }));
    await spans.availability(['a']);
    use(httpSettings('http://other.example'));
    await spans.availability(['a']);
    assert.equal(asked.at(-1)?.url, 'http://other.example/api/v1/query');
    use(undefined);
    await assert.rejects(spans.availability(['a']), /^UpstreamError: set web.test_url /);
  });

  for (const [what, json, got] of [
    ['nothing', undefined, 'the JSON of its API (data.result), got nothing'],
    ['a list', [], 'the JSON of its API (data.result), got a list'],
    [
      'an error with status 200',
      { status: 'error' },
      'the JSON of its API (data.result), got nothing',
    ],
    ['data without a result', { data: {} }, 'data.result as a list, got nothing'],
    [
      'a series that is a text',
      { data: { result: ['x'] } },
      'the JSON of its API (data.result), got a text',
    ],
    [
      'a series without a value',
      { data: { result: [{ metric: {} }] } },
      'a sample ([time, "value"]), got nothing',
    ],
    [
      'a histogram',
      { data: { result: [{ metric: {}, histogram: [1, {}] }] } },
      'a sample ([time, "value"]), got nothing',
    ],
    [
      'a value that is a number',
      { data: { result: [{ metric: {}, value: [1, 2] }] } },
      'a sample ([time, "value"]), got a list',
    ],
  ] as const) {
    test(`with ${what} in the answer is an error that says what was expected`, async () => {
      const { spans } = spansThat(() => json);
      await assert.rejects(spans.availability(['a']), {
        message: `Prometheus at http://upstream.example:9090/prefix/: expected ${got}`,
      });
    });
  }
});

describe('ranges', () => {
  for (const [span, points, step, rtt, window] of [
    ['day', 289, 300, `avg(${RTT['5m']}{destination="a"})`, '5m'],
    ['week', 169, 3_600, `avg(${RTT['1h']}{destination="a"})`, '1h'],
    ['quarter', 361, 21_600, `avg(avg_over_time(${RTT['1h']}{destination="a"}[6h:1h]))`, '6h'],
  ] as const) {
    test(`of a ${span} have a point for each step, or null`, async () => {
      const { spans, asked, clock } = spansThat((one) => {
        const start = Number(parametersOf(one)['start']);
        if (!queryOf(one).includes('rtt')) return matrix();
        return matrix([start, '0.25'], [start + step, 'NaN'], [start + 2 * step, '0.5']);
      });
      const view = await spans.range('a', span);
      const seconds = (metric: string) =>
        `sum (sum_over_time(${metric}{destination="a"}[${window}]))`;
      assert.deepEqual(asked.map(queryOf), [rtt, `${seconds(UP)} / ${seconds(KNOWN)}`]);
      assert.ok(asked.every(({ url }) => url.endsWith('/api/v1/query_range')));
      assert.equal(view.step, step);
      assert.deepEqual(
        [view.at.length, view.rtt.length, view.availability.length],
        [points, points, points],
      );
      assert.deepEqual(view.rtt.slice(0, 4), [0.25, null, 0.5, null]);
      assert.ok(view.availability.every((value) => value === null));
      const [first, last] = [view.at[0], view.at.at(-1)].map((time) => Date.parse(time ?? ''));
      assert.equal((last ?? 0) - (first ?? 0), (points - 1) * step * 1000);
      const ageMs = clock.epoch() - (last ?? 0);
      assert.ok(ageMs >= 0 && ageMs < 3_600_000, `${ageMs}`);
    });
  }

  test('are asked once a minute, however many pages show them', async () => {
    const { spans, asked, clock } = spansThat(() => matrix());
    await Promise.all(Array.from({ length: 10 }, () => spans.range('a', 'day')));
    assert.equal(asked.length, 2);
    await spans.range('a', 'week');
    await spans.range('b', 'day');
    assert.equal(asked.length, 6);
    clock.advance(60_000);
    await spans.range('a', 'day');
    assert.equal(asked.length, 8);
  });
});

describe('names in queries', () => {
  test('are texts, not patterns', () => {
    assert.equal(destinationMatcher(['a.b']), 'destination="a.b"');
    assert.equal(destinationMatcher(['a.b', 'c|d']), String.raw`destination=~"a\\.b|c\\|d"`);
    assert.equal(destinationMatcher(['a"} or up{x="']), String.raw`destination="a\"} or up{x=\""`);
    assert.equal(destinationMatcher(['a\\', 'b\n']), String.raw`destination=~"a\\\\|b\n"`);
  });

  test('match themselves and nothing else', () => {
    const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
    fc.assert(
      fc.property(name, name, (one, other) => {
        const [, quoted = ''] =
          /^destination=~(.*)$/s.exec(destinationMatcher([one, 'x-y-z'])) ?? [];
        const pattern = new RegExp(`^(?:${JSON.parse(quoted)})$`, 'u');
        assert.ok(pattern.test(one));
        assert.equal(pattern.test(other), other === one || other === 'x-y-z');
      }),
    );
  });
});
