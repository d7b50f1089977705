import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ladderOf } from '../../../src/pinger/monitor/ladder.js';
import { MAX_STEPS, PingSteps } from '../../../src/pinger/monitor/ping-steps.js';

const NONE = { method: 'OPTIONS', sent: '', received: '' };

/** Offset and summary of each step of a target. */
function told(steps: PingSteps, index: number, messages = NONE) {
  const last = steps.of(index);
  if (last === undefined) return undefined;
  const ladder = ladderOf(0, last.steps, messages);
  return ladder.steps.map(({ offsetMs, summary }) => [Math.round(1000 * offsetMs) / 1000, summary]);
}

test('the time of the response agrees with the round-trip time of the kernel', () => {
  const steps = new PingSteps();
  steps.sent(0, 1_000, true);
  steps.received(0, 1_000.4, 100);
  steps.received(0, 1_002.5, 200);
  steps.ended(0, 2_417);
  assert.deepEqual(told(steps, 0), [
    [0, 'OPTIONS'],
    [0.4, '100 Trying'],
    [2.417, '200 OK'],
  ]);
  steps.sent(0, 2_000, true);
  steps.received(0, 2_003, 407);
  steps.sent(0, 2_003.1, true);
  steps.received(0, 2_006, 200);
  steps.ended(0, 2_800);
  assert.deepEqual(told(steps, 0), [
    [0, 'OPTIONS'],
    [3, '407 Proxy Authentication Required'],
    [3.2, 'OPTIONS (with credentials)'],
    [6, '200 OK'],
  ]);
});

test('a ping has a bounded number of steps, of which the last is kept', () => {
  const steps = new PingSteps();
  steps.sent(2_000, 0, true);
  for (let i = 1; i < 2 * MAX_STEPS; i++) steps.sent(2_000, 500 * i, false);
  steps.received(2_000, 20_000, 486);
  steps.ended(2_000, undefined);
  const all = told(steps, 2_000) ?? [];
  assert.equal(all.length, MAX_STEPS);
  assert.deepEqual(all.slice(-2), [
    [5_000, 'OPTIONS (retransmission 10)'],
    [20_000, '486'],
  ]);
});

test('a response after the end belongs to the ping, and to none without a request', () => {
  const steps = new PingSteps();
  steps.received(0, 1, 200);
  assert.equal(told(steps, 0), undefined);
  steps.sent(0, 10, true);
  steps.ended(0, undefined);
  steps.received(0, 7_010, 200);
  assert.deepEqual(told(steps, 0), [
    [0, 'OPTIONS'],
    [7_000, '200 OK'],
  ]);
});

test('a ping that sent nothing has no steps, nor has a new target with the same row', () => {
  const steps = new PingSteps();
  steps.sent(5, 0, true);
  steps.ended(5, 1_000);
  steps.ended(5, undefined);
  assert.equal(told(steps, 5), undefined);
  steps.sent(5, 0, true);
  steps.clear(5);
  assert.equal(told(steps, 5), undefined);
  steps.clear(100_000);
  assert.equal(told(steps, 100_000), undefined);
});

test('an unreadable response and another hop are named', () => {
  const steps = new PingSteps();
  steps.sent(0, 0, true);
  steps.received(0, 1, 0);
  steps.sent(0, 2, true);
  steps.received(0, 3, 200);
  const messages = { ...NONE, received: 'SIP/2.0 200 All is well\r\n' };
  assert.deepEqual(told(steps, 0, messages), [
    [0, 'OPTIONS'],
    [1, 'malformed response'],
    [2, 'OPTIONS (again)'],
    [3, '200 All is well'],
  ]);
});
