import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import { LoginAttempts } from '../../../src/http/guards/login-attempts.js';

const TASK = { password: 'x', hash: undefined, cost: 4 };

/** Attempts whose checks end when the test ends them, the oldest first. */
function rig() {
  const running: PromiseWithResolvers[] = [];
  const errors: unknown[] = [];
  let started = 0;
  const attempts = new LoginAttempts(
    () =>
      new Promise<boolean>((resolve, reject) => {
        started++;
        running.push({ resolve, reject });
      }),
    (error) => errors.push(error),
  );
  const attempt = (key: string, client = 'a') => {
    const response = new EventEmitter();
    const result = attempts.check(key, client, TASK, response as ServerResponse);
    return { result, disconnect: () => response.emit('close') };
  };
  return { attempt, running, errors, started: () => started };
}

interface PromiseWithResolvers {
  readonly resolve: (isRight: boolean) => void;
  readonly reject: (error: unknown) => void;
}

test('attempts are checked one at a time', async () => {
  const { attempt, running, started } = rig();
  const [first, second] = [attempt('1'), attempt('2')];
  assert.equal(started(), 1);
  running.shift()?.resolve(true);
  assert.equal(await first.result, 'right');
  await nextRound();
  assert.equal(started(), 2);
  running.shift()?.resolve(false);
  assert.equal(await second.result, 'wrong');
});

test('an attempt whose client has disconnected is not checked', async () => {
  const { attempt, running, started } = rig();
  const [first, gone, third] = [attempt('1'), attempt('2'), attempt('3')];
  gone.disconnect();
  assert.equal(await gone.result, 'gone');
  running.shift()?.resolve(false);
  await first.result;
  await nextRound();
  running.shift()?.resolve(true);
  assert.equal(await third.result, 'right');
  assert.equal(started(), 2);
});

test('equal attempts are checked once, also when the first of them disconnects', async () => {
  const { attempt, running, started } = rig();
  const [first, second] = [attempt('1'), attempt('1', 'b')];
  first.disconnect();
  running.shift()?.resolve(true);
  assert.deepEqual([await first.result, await second.result], ['gone', 'right']);
  assert.equal(started(), 1);
});

test('a check that fails is reported, and its attempt is not answered by right or wrong', async () => {
  const { attempt, running, errors } = rig();
  const only = attempt('1');
  running.shift()?.reject(new Error('broken'));
  assert.equal(await only.result, 'busy');
  assert.deepEqual(errors.map(String), ['Error: broken']);
});

test('beyond its bound a client loses its oldest waiting attempt', async () => {
  const { attempt } = rig();
  const all = Array.from({ length: 12 }, (_, i) => attempt(`${i}`));
  assert.equal(await all[1]?.result, 'busy');
});
