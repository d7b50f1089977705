import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ToPinger } from '../../../src/shared/protocol.js';
import { ProbeSettings } from '../../../src/supervisor/probe-settings.js';
import { settings } from '../../support/settings.js';

function setUp() {
  const sent: ToPinger[] = [];
  return { sent, known: new ProbeSettings((message) => sent.push(message)) };
}

test('the settings of probes are sent once, with the number that probes name', () => {
  const { sent, known } = setUp();
  const [a, b] = [settings(), settings()];
  assert.deepEqual([known.numberOf(a), known.numberOf(b), known.numberOf(a)], [0, 1, 0]);
  assert.deepEqual(sent, [
    { type: 'probe_settings', number: 0, settings: a },
    { type: 'probe_settings', number: 1, settings: b },
  ]);
});

test('numbers are used again: reloads do not fill the memory of the pinger thread', () => {
  const { sent, known } = setUp();
  const all = Array.from({ length: 65 }, () => settings());
  const numbers = all.map((one) => known.numberOf(one));
  assert.equal(Math.max(...numbers), 63);
  assert.equal(numbers.at(-1), 0, 'in place of the oldest');
  const [oldest, second, ...rest] = all;
  for (const one of rest) known.numberOf(one);
  assert.equal(sent.length, 65);
  assert.equal(known.numberOf(oldest ?? assert.fail()), 1);
  assert.equal(known.numberOf(second ?? assert.fail()), 2);
});

test('a new thread gets settings that the last one had', () => {
  const { sent, known } = setUp();
  const a = settings();
  known.numberOf(a);
  known.clear();
  known.numberOf(a);
  assert.equal(sent.length, 2);
});
