import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Quarantine } from '../../../src/supervisor/quarantine.js';

const A = { index: 1, generation: 1 };
const B = { index: 2, generation: 1 };

test('two crashes within a minute are no series; the third is', () => {
  const quarantine = new Quarantine();
  assert.deepEqual(quarantine.recordCrash(0, [A]), []);
  assert.deepEqual(quarantine.recordCrash(1_000, [A, B]), []);
  assert.equal(quarantine.has(A), false);
  assert.deepEqual(quarantine.recordCrash(2_000, [A]), [A, B]);
  assert.deepEqual([quarantine.has(A), quarantine.has(B)], [true, true]);
});

test('crashes that are a minute apart are no series', () => {
  const quarantine = new Quarantine();
  for (let i = 0; i < 10; i++) assert.deepEqual(quarantine.recordCrash(i * 30_000, [A]), []);
});

test('a destination is added once, and removed when its row is released or reused', () => {
  const quarantine = new Quarantine();
  for (let i = 0; i < 3; i++) quarantine.recordCrash(i, [A]);
  assert.deepEqual(quarantine.recordCrash(3, [A]), []);
  assert.equal(quarantine.has({ ...A, generation: 2 }), false);
  quarantine.release(A);
  assert.equal(quarantine.has(A), false);
  assert.deepEqual(quarantine.recordCrash(4, []), [A]);
});
