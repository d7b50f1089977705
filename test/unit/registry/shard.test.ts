import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isInShard } from '../../../src/registry/shard.js';

test('every name is in exactly one of the shards, and the shards are of about the same size', () => {
  const total = 4;
  const sizes = [0, 0, 0, 0];
  for (let i = 0; i < 4_000; i++) {
    const name = `sip:host-${i}.example`;
    const ordinals = sizes.flatMap((_, ordinal) => isInShard(name, { ordinal, total }) || []);
    assert.equal(ordinals.length, 1, name);
    const at = sizes.findIndex((_, ordinal) => isInShard(name, { ordinal, total }));
    sizes[at] = (sizes[at] ?? 0) + 1;
  }
  for (const size of sizes) assert.ok(size > 900 && size < 1_100, `${sizes}`);
});

test('a single shard has every name', () => {
  assert.ok(isInShard('sip:a.example', { ordinal: 0, total: 1 }));
});
