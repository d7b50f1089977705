import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTick } from 'node:timers/promises';
import type { ToPinger } from '../../../src/shared/protocol.js';
import { PostQueue } from '../../../src/supervisor/post-queue.js';

const message = (index: number): ToPinger => ({
  ...{ type: 'unmonitor', slots: [{ index, generation: 1 }] },
});

test('the first message is posted at once, the others in order, one per tick', async () => {
  const posted: ToPinger[] = [];
  const queue = new PostQueue((one) => posted.push(one));
  for (let i = 0; i < 3; i++) queue.add(() => message(i));
  assert.deepEqual(posted, [message(0)]);
  await nextTick();
  assert.deepEqual(posted, [message(0), message(1)]);
  await nextTick();
  await nextTick();
  assert.deepEqual(posted, [0, 1, 2].map(message));
  queue.add(() => message(3));
  assert.deepEqual(posted.at(-1), message(3));
});

test('a message is made just before it is posted, so that it is up to date', async () => {
  const posted: ToPinger[] = [];
  let index = 0;
  const queue = new PostQueue((one) => posted.push(one));
  queue.add(() => message(0));
  queue.add(() => message(index));
  index = 5;
  await nextTick();
  assert.deepEqual(posted.at(-1), message(5));
});

test('messages that are cleared are not posted, and the queue continues', async () => {
  const posted: ToPinger[] = [];
  const queue = new PostQueue((one) => posted.push(one));
  queue.add(() => message(0));
  queue.add(() => message(1));
  queue.clear();
  queue.add(() => message(2));
  await nextTick();
  await nextTick();
  assert.deepEqual(posted, [message(0), message(2)]);
});
