import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inbox, type InboxMessage } from '../../../src/pinger/inbox.js';
import type { ToPinger } from '../../../src/shared/protocol.js';
import { PostQueue } from '../../../src/supervisor/post-queue.js';

const cancel = (id: number): InboxMessage => ({ type: 'cancel', id });
const idsOf = (messages: readonly ToPinger[]) =>
  messages.map((message) => (message.type === 'cancel' ? message.id : -1));

test('messages to the pinger are made and sent one per tick, in order, the first at once', async () => {
  const posted: ToPinger[] = [];
  const made: number[] = [];
  const queue = new PostQueue((message) => posted.push(message));
  const add = (id: number) =>
    queue.add(() => {
      made.push(id);
      return cancel(id);
    });
  for (let id = 1; id <= 4; id++) add(id);
  assert.deepEqual([idsOf(posted), made], [[1], [1]]);
  await nextTurn();
  assert.deepEqual(idsOf(posted), [1, 2]);
  add(5);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  assert.deepEqual(idsOf(posted), [1, 2, 3, 4, 5]);
  await nextTurn();
  add(6);
  assert.deepEqual(idsOf(posted).at(-1), 6, 'at once again');
  add(7);
  queue.clear();
  await nextTurn();
  assert.deepEqual(made, [1, 2, 3, 4, 5, 6]);
});

test('the pinger handles one message per tick, in order, even if one of them throws', () => {
  const turns: (() => void)[] = [];
  const handled: InboxMessage[] = [];
  const inbox = new Inbox(
    (message) => {
      handled.push(message);
      if (handled.length === 2) throw new Error('a fault');
    },
    (callback) => turns.push(callback),
  );
  for (let id = 1; id <= 3; id++) inbox.take(cancel(id));
  assert.deepEqual([idsOf(handled), turns.length], [[1], 1], 'the first at once');
  assert.throws(() => turns.shift()?.());
  inbox.take(cancel(4));
  turns.shift()?.();
  assert.deepEqual(idsOf(handled), [1, 2, 3]);
  turns.shift()?.();
  turns.shift()?.();
  assert.deepEqual([idsOf(handled), turns.length], [[1, 2, 3, 4], 0]);
});
