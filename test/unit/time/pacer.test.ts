import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pacer } from '../../../src/pinger/time/pacer.js';
import { FakeClock } from '../../support/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const pace = new Pacer(clock, 4);
  const began: string[] = [];
  const begin = (name: string, isUrgent = true) =>
    pace.enqueue(isUrgent, () => began.push(`${name} ${clock.now()}`));
  return { clock, began, begin };
}

describe('a paced task starts', () => {
  test('at once when nothing waits, then a gap apart', () => {
    const { clock, began, begin } = setUp();
    for (const name of ['a', 'b', 'c']) begin(name);
    clock.advance(20);
    begin('d');
    begin('e');
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4', 'c 8', 'd 20', 'e 24']);
  });

  test('before tasks that are not urgent', () => {
    const { clock, began, begin } = setUp();
    begin('a');
    begin('probe', false);
    begin('b');
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4', 'probe 8']);
  });

  test('without a gap for tasks that left the queue', () => {
    const { clock, began, begin } = setUp();
    begin('a');
    const leave = Array.from({ length: 1000 }, () => begin('gone'));
    begin('b');
    for (const stepOut of leave) stepOut();
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4']);
    assert.equal(clock.pending, 0, 'nothing is left to wait for');
  });

  test('once, and not after it was cancelled', () => {
    const { clock, began, begin } = setUp();
    const stepOut = begin('a');
    stepOut();
    begin('b')();
    clock.advance(20);
    assert.deepEqual(began, ['a 0']);
  });

  test('after the whole gap, even when the timer fires a little early', () => {
    let nowMs = 0;
    const timers: { delayMs: number; callback: () => void }[] = [];
    const pace = new Pacer(
      {
        ...{ now: () => nowMs, epoch: () => nowMs },
        after: (delayMs, callback) => {
          timers.push({ delayMs, callback });
          return () => {};
        },
      },
      4,
    );
    const began: string[] = [];
    for (const name of ['a', 'b']) pace.enqueue(true, () => began.push(name));
    nowMs = 3.5;
    timers[0]?.callback();
    assert.deepEqual(began, ['a']);
    assert.deepEqual([timers.length, timers[1]?.delayMs], [2, 0.5]);
    nowMs = 4;
    timers[1]?.callback();
    assert.deepEqual(began, ['a', 'b']);
  });
});
