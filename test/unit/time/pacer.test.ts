import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Pacer } from '../../../src/pinger/time/pacer.js';
import { FakeClock } from '../../support/fake-clock.js';

function setUp() {
  const clock = new FakeClock();
  const pace = new Pacer(clock, 4);
  const began: string[] = [];
  const begin = (name: string, isUrgent = true) =>
    pace.begin(isUrgent, () => began.push(`${name} ${clock.now()}`));
  return { clock, began, begin };
}

describe('what costs time begins', () => {
  test('at once where nothing waits, and then so long apart', () => {
    const { clock, began, begin } = setUp();
    for (const name of ['a', 'b', 'c']) begin(name);
    clock.advance(20);
    begin('d');
    begin('e');
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4', 'c 8', 'd 20', 'e 24']);
  });

  test('before what is not urgent', () => {
    const { clock, began, begin } = setUp();
    begin('a');
    begin('probe', false);
    begin('b');
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4', 'probe 8']);
  });

  test('as if those had never been there who left the queue', () => {
    const { clock, began, begin } = setUp();
    begin('a');
    const leave = Array.from({ length: 1000 }, () => begin('gone'));
    begin('b');
    for (const stepOut of leave) stepOut();
    clock.advance(20);
    assert.deepEqual(began, ['a 0', 'b 4']);
    assert.equal(clock.pending, 0, 'nothing is left to wait for');
  });

  test('never twice, and not after it was given up', () => {
    const { clock, began, begin } = setUp();
    const stepOut = begin('a');
    stepOut();
    begin('b')();
    clock.advance(20);
    assert.deepEqual(began, ['a 0']);
  });
});
