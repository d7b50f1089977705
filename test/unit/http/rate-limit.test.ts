import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rateLimit } from '../../../src/http/guards/rate-limit.js';
import type { RateLimit } from '../../../src/http/server/web-config.js';
import { appRig } from '../../support/app-rig.js';
import { FakeClock } from '../../support/fake-clock.js';

test('a burst passes, then one request for each interval', async (t) => {
  const clock = new FakeClock();
  let limit: RateLimit | undefined = { intervalMs: 1500, burst: 2 };
  const { get } = await appRig(t, { guards: [rateLimit(() => ({ rateLimit: limit }), clock)] });
  const statuses = async (count: number) => {
    const all: number[] = [];
    for (let i = 0; i < count; i++) all.push((await get('/-/healthy')).status);
    return all;
  };
  assert.deepEqual(await statuses(3), [200, 200, 429]);
  assert.equal((await get('/-/healthy')).headers.get('retry-after'), '2');
  clock.advance(1500);
  assert.deepEqual(await statuses(2), [200, 429]);
  clock.advance(60_000);
  assert.deepEqual(await statuses(3), [200, 200, 429], 'no more than a burst is saved');
  limit = { intervalMs: 1500, burst: 3 };
  assert.deepEqual(await statuses(4), [200, 200, 200, 429], 'a changed limit starts anew');
  limit = undefined;
  assert.deepEqual(await statuses(5), [200, 200, 200, 200, 200]);
});

test('a burst of 0 lets nothing pass, as in the exporters', async (t) => {
  const config = () => ({ rateLimit: { intervalMs: 1000, burst: 0 } });
  const { get } = await appRig(t, { guards: [rateLimit(config, new FakeClock())] });
  assert.equal((await get('/metrics')).status, 429);
});
