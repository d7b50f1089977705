import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { AvailabilityView, RangeView } from '../../../src/status/page-views.js';
import { UpstreamError } from '../../../src/upstream/upstream-error.js';
import { appRig } from '../../support/app-rig.js';
import { idleApp } from '../../support/idle-app.js';
import { isDescribed } from '../../support/openapi.js';

const RANGE: RangeView = {
  ...{ step: 300, at: ['2026-01-01T00:00:00.000Z'], rtt: [0.1], availability: [null] },
};

async function spansRig(t: TestContext, failure?: Error) {
  const asked: unknown[] = [];
  const rig = await appRig(t, {
    upstream: {
      ...idleApp().upstream,
      longSpans: {
        availability: async (names): Promise<AvailabilityView> => {
          asked.push(names);
          if (failure !== undefined) throw failure;
          return { spans: { day: { gw: 0.5 }, week: { gw: null }, month: {} } };
        },
        range: async (...range) => {
          asked.push(range);
          if (failure !== undefined) throw failure;
          return RANGE;
        },
      },
    },
  });
  rig.add('gw');
  rig.add('a+b c');
  const error = async (path: string) => {
    const { status, body } = await rig.json(path);
    return [status, (body as { error: string }).error] as const;
  };
  return { ...rig, asked, error };
}

test('availability is asked for each existing destination once', async (t) => {
  const { get, asked } = await spansRig(t);
  const answer = await get(
    '/api/v1/availability?destination=gw&destination=none&destination=a+b%20c&destination=gw',
  );
  assert.equal(answer.status, 200);
  const view = await isDescribed('get', '/api/v1/availability', answer);
  assert.deepEqual(view, { spans: { day: { gw: 0.5 }, week: { gw: null }, month: {} } });
  assert.deepEqual(asked, [['gw', 'a+b c']]);
});

test('a range is asked for a destination and a span', async (t) => {
  const { get, asked } = await spansRig(t);
  const answer = await get('/api/v1/range?destination=gw&span=quarter');
  assert.deepEqual(await isDescribed('get', '/api/v1/range', answer), RANGE);
  assert.deepEqual(asked, [['gw', 'quarter']]);
});

test('malformed requests get 400 with the reason, and nothing is asked', async (t) => {
  const { error, asked } = await spansRig(t);
  const many = Array.from({ length: 101 }, (_, i) => `destination=${i}`).join('&');
  const name = 'x'.repeat(10_000);
  for (const [path, expected] of [
    ['availability', 'destination: expected 1 to 1024 characters, got none'],
    ['availability?destination=', 'destination: expected 1 to 1024 characters, got 0'],
    [`availability?${many}`, 'expected at most 100 destinations, got 101'],
    [`availability?destination=${name}`, 'destination: expected 1 to 1024 characters, got 10000'],
    [`range?span=day&destination=${name}`, 'destination: expected 1 to 1024 characters, got 10000'],
    ['range?span=day&destination=gw&destination=b', 'destination: expected one name, got 2'],
    ['range?destination=gw', 'span: expected one of day, week, quarter, got ""'],
    [
      'range?destination=gw&span=weak',
      'span: expected one of day, week, quarter, got "weak" (nearest: "week")',
    ],
    ['range?destination=gw&span=day&span=week', 'span: expected one value, got several'],
  ] as const) {
    assert.deepEqual(await error(`/api/v1/${path}`), [400, expected]);
  }
  assert.deepEqual(await error('/api/v1/range?destination=x&span=day'), [
    404,
    'no such destination: x',
  ]);
  assert.deepEqual(asked, []);
});

test('a query of 100 KB is refused, and the next request is answered', async (t) => {
  const { get, asked } = await spansRig(t);
  const answer = await get(`/api/v1/availability?destination=${'x'.repeat(100_000)}`);
  assert.equal(answer.status, 431);
  assert.deepEqual(asked, []);
  assert.equal((await get('/api/v1/availability?destination=gw')).status, 200);
});

test('a Prometheus that fails is 502 with the reason, and one that is not set 501', async (t) => {
  for (const status of [501, 502] as const) {
    const rig = await spansRig(t, new UpstreamError(status, 'why'));
    for (const path of ['/api/v1/availability', '/api/v1/range'] as const) {
      const answer = await rig.get(`${path}?destination=gw&span=day`);
      assert.equal(answer.status, status);
      assert.deepEqual(await isDescribed('get', path, answer), { error: 'why' });
    }
    assert.deepEqual(rig.errors, []);
  }
});

test('a fault is an internal error, and is reported', async (t) => {
  const { get, errors } = await spansRig(t, new Error('bug'));
  assert.equal((await get('/api/v1/range?destination=gw&span=day')).status, 500);
  assert.deepEqual(errors, ['/api/v1/range: Error: bug']);
});
