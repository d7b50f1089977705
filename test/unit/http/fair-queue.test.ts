import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../../../src/http/guards/fair-queue.js';

test('clients are served round-robin, each with its newest entry first', () => {
  const queue = new FairQueue<string>({ maxSize: 100, maxPerClient: 10 });
  for (const entry of ['a1', 'a2', 'a3', 'b1', 'a4', 'c1', 'c2']) queue.add(entry[0] ?? '', entry);
  const taken = Array.from({ length: 8 }, () => queue.take());
  assert.deepEqual(taken, ['a4', 'b1', 'c2', 'a3', 'c1', 'a2', 'a1', undefined]);
});

test('a client beyond its bound loses its oldest entry; beyond the bound of the queue the client with the most entries does', () => {
  const queue = new FairQueue<string>({ maxSize: 5, maxPerClient: 3 });
  const dropped = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((e) => queue.add(e[0] ?? '', e));
  assert.deepEqual(dropped, [undefined, undefined, undefined, 'a1', undefined, undefined, 'a2']);
  assert.equal(queue.size, 5);
});

test('every entry comes out exactly once, and the bounds hold', () => {
  const steps = fc.array(fc.option(fc.constantFrom('a', 'b', 'c', 'd')), { maxLength: 200 });
  fc.assert(
    fc.property(steps, (all) => {
      const queue = new FairQueue<number>({ maxSize: 7, maxPerClient: 4 });
      const out: (number | undefined)[] = [];
      let added = 0;
      for (const client of all) {
        out.push(client === null ? queue.take() : queue.add(client, added++));
        assert.ok(queue.size <= 7);
      }
      while (queue.size > 0) out.push(queue.take());
      const seen = out.filter((entry) => entry !== undefined).sort((a, b) => a - b);
      assert.deepEqual(seen, [...Array(added).keys()]);
    }),
  );
});
