import assert from 'node:assert/strict';
import { test } from 'node:test';
import { every, systemClock } from '../../../src/shared/clock.js';
import { FakeClock } from '../../support/fake-clock.js';

test('every calls back once in each interval, until it is stopped', () => {
  const clock = new FakeClock();
  const calls: number[] = [];
  const stop = every(clock, 1_000, () => calls.push(clock.now()));
  clock.advance(3_500);
  assert.deepEqual(calls, [1_000, 2_000, 3_000]);
  stop();
  clock.advance(10_000);
  assert.deepEqual([calls.length, clock.pending], [3, 0]);
});

test('every continues after a callback that throws, and may be stopped by its callback', () => {
  const clock = new FakeClock();
  let calls = 0;
  const stop = every(clock, 1_000, () => {
    calls++;
    if (calls === 1) throw new Error('a bug');
    stop();
  });
  assert.throws(() => clock.advance(1_000), /a bug/);
  clock.advance(10_000);
  assert.deepEqual([calls, clock.pending], [2, 0]);
});

test('the system clock has both times, and its timers can be cancelled', async () => {
  assert.ok(Math.abs(systemClock.epoch() - Date.now()) < 60_000);
  const before = systemClock.now();
  const cancel = systemClock.after(0, () => assert.fail('it was cancelled'));
  cancel();
  await new Promise<void>((resolve) => systemClock.after(5, resolve));
  assert.ok(systemClock.now() > before);
});
