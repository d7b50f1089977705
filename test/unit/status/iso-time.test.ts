import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoTime } from '../../../src/status/iso-time.js';

const DAY_MS = 86_400_000;

test('a time is ISO 8601 as Date has it, on any day and in any order', () => {
  const times = [
    ...[1, 999, 1000, DAY_MS - 1, DAY_MS, DAY_MS + 1, 1.9, 1_700_000_000_123.7],
    ...[Date.parse('2024-02-29T23:59:59.999Z'), Date.parse('2024-03-01T00:00:00.000Z')],
    ...[253_402_300_799_999, 253_402_300_800_000, 8.64e15],
  ];
  for (let i = 0; i < 2_000; i++) times.push(1_600_000_000_000 + i * 7_777_777);
  for (const ms of [...times, ...times.toReversed()]) {
    assert.equal(isoTime(ms), new Date(ms).toISOString());
  }
});

test('a time is null for never', () => {
  for (const never of [undefined, 0, Number.NaN, Infinity, -Infinity]) {
    assert.equal(isoTime(never), null);
  }
});
