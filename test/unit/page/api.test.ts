import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageModule } from '../../support/page.js';

const { batches, destinationQuery, errorText, fetchJson } = await pageModule<{
  batches: (names: readonly string[], max: number) => Iterable<readonly string[]>;
  errorText: (error: unknown) => string;
  fetchJson: (path: string) => Promise<unknown>;
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

for (const [what, body, type, text] of [
  ['its JSON', '{"error": "open: expected true"}', 'application/json', 'open: expected true'],
  [
    'its plain text',
    'expected less\n',
    'text/plain',
    'the exporter answered 431 Long: expected less',
  ],
  ['its status', '<h1>no</h1>', 'text/html', 'the exporter answered 431 Long'],
] as const) {
  test(`an answer that is no success is told by ${what}`, async (t) => {
    t.mock.method(globalThis, 'fetch', async () => {
      return new Response(body, {
        ...{ status: 431, statusText: 'Long' },
        headers: { 'Content-Type': `${type}; charset=utf-8` },
      });
    });
    const error = await fetchJson('api/v1/status').catch((thrown: unknown) => thrown);
    assert.equal(errorText(error), text);
  });
}
