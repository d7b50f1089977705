import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StateChangeLog } from '../../../src/status/state-change-log.js';
import { change } from '../../support/state-changes.js';

test('changes are numbered, and those after an id are found again', () => {
  const changes = new StateChangeLog(1_000);
  assert.deepEqual([changes.oldest, changes.newest, changes.after(0, 9)], [1, 0, []]);
  changes.add([change('a'), change('b'), change('c')]);
  const [, b] = changes.after(0, 9);
  const names = (number: number, max: number) =>
    changes.after(number, max).map(({ destination }) => destination.name);
  assert.deepEqual(names(changes.numberOf(b?.id ?? ''), 9), ['c']);
  assert.deepEqual(names(changes.numberOf('another-2'), 9), ['a', 'b', 'c']);
  assert.deepEqual(names(changes.numberOf('another-2'), 2), ['a', 'b']);
  const run = b?.id.split('-')[0];
  for (const id of [`${run}-99`, `${run}-3`]) assert.deepEqual(names(changes.numberOf(id), 9), []);
  for (const id of ['', '-', `${run}-`, `${run}-1e1`, `${run}--1`, `${run}-999999999999999999`]) {
    assert.deepEqual(names(changes.numberOf(id), 9), ['a', 'b', 'c'], id);
  }
});

test('of thousands of changes the newest are kept, in order', () => {
  const changes = new StateChangeLog(1_000);
  for (let i = 1; i <= 20_000; i++) changes.add([change(String(i))]);
  const kept = changes.after(0, Infinity).map(({ destination }) => Number(destination.name));
  assert.equal(kept.length, 8_192);
  assert.deepEqual(
    kept,
    Array.from({ length: 8_192 }, (_, i) => 20_000 - 8_191 + i),
  );
  assert.deepEqual([changes.oldest, changes.newest], [20_000 - 8_191, 20_000]);
  assert.equal(changes.after(5, 3)[0]?.destination.name, String(changes.oldest));
});

test('a listener that throws affects neither the others nor the caller, and is reported once', () => {
  const errors: unknown[] = [];
  const changes = new StateChangeLog(1_000, (error) => errors.push(error));
  let isBroken = true;
  const received: string[] = [];
  changes.subscribe(() => {
    if (isBroken) throw new Error('broken');
  });
  const unsubscribe = changes.subscribe(({ destination }) => received.push(destination.name));
  changes.add([change('a'), change('b')]);
  assert.deepEqual(received, ['a', 'b']);
  assert.equal(errors.length, 1);
  isBroken = false;
  changes.add([change('c')]);
  isBroken = true;
  changes.add([change('d'), change('e')]);
  assert.equal(errors.length, 2, 'it worked in between');
  unsubscribe();
  changes.add([change('f')]);
  assert.deepEqual(received, ['a', 'b', 'c', 'd', 'e']);
});
