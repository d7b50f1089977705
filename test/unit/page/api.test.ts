import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageModule } from '../../support/page.js';

const { batches, destinationQuery } = await pageModule<{
  batches: (names: readonly string[], max: number) => Iterable<readonly string[]>;
  destinationQuery: (names: readonly string[]) => string;
}>('api.js');

test('names are asked for in batches that fit into a URL, each once and in order', () => {
  assert.deepEqual([...batches([], 30)], []);
  assert.deepEqual([...batches(['a', 'b', 'c'], 2)], [['a', 'b'], ['c']]);
  for (const character of ['x', 'é', '語', '/']) {
    const names = Array.from({ length: 100 }, (_, i) => `${i}${character.repeat(256)}`);
    const all = [...batches(names, 30)];
    assert.deepEqual(all.flat(), names);
    assert.ok(all.every((batch) => batch.length <= 30 && destinationQuery(batch).length <= 8_000));
  }
  const long = `sip:${'%'.repeat(5_000)}`;
  assert.deepEqual([...batches([long, long], 30)], [[long], [long]]);
});
