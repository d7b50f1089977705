import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { examine } from '../interop/examine.js';
import { STACKS } from '../interop/stacks.js';
import { committedRows, comparable, lineOf } from '../interop/table.js';

// Each test mostly waits for its pings.
describe('docs/interop.md has the results of', { concurrency: 3 }, () => {
  for (const stack of STACKS.filter(({ isExtra = false }) => !isExtra)) {
    test(stack.name, stack.needs(), async (t) => {
      const rows = await examine(t, [stack]);
      assert.deepEqual(rows.map(lineOf).map(comparable).sort(), committedRows(stack.name).sort());
    });
  }
});
