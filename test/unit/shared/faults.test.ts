import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Faults } from '../../../src/shared/faults.js';
import type { LogLine } from '../../../src/shared/protocol.js';

function setUp(log?: (line: LogLine) => void) {
  const lines: LogLine[] = [];
  const time = { nowMs: 0 };
  const counts = { onFault: 0 };
  const faults = new Faults({
    now: () => time.nowMs,
    onFault: () => counts.onFault++,
    log: log ?? ((line) => lines.push(line)),
  });
  return { faults, lines, time, counts };
}

function fail(): never {
  throw new TypeError('broken');
}

describe('an internal error', () => {
  test('ends only its own work: it is counted, logged with its stack, and its cleanup runs', () => {
    const { faults, lines, counts } = setUp();
    let cleanups = 0;
    faults.contain('timer', fail, () => cleanups++);
    assert.deepEqual([faults.count, counts.onFault, cleanups], [1, 1, 1]);
    assert.equal(lines[0]?.event, 'internal_error');
    assert.match(String(lines[0]?.fields['error']), /TypeError: broken\n\s+at fail/);
    assert.equal(lines[0]?.fields['place'], 'timer');
  });

  test('in the cleanup is contained too', () => {
    const { faults, lines } = setUp();
    faults.contain('timer', fail, fail);
    assert.deepEqual(
      lines.map(({ fields }) => fields['place']),
      ['timer', 'timer, cleanup'],
    );
  });

  test('in asynchronous work does not reject', async () => {
    const { faults } = setUp();
    let cleanups = 0;
    await faults.containAsync(
      'probe',
      async () => fail(),
      () => cleanups++,
    );
    await faults.containAsync('probe', async () => fail());
    await faults.containAsync('probe', async () => {});
    assert.deepEqual([faults.count, cleanups], [2, 1]);
  });

  test('from one line of code is logged once a minute, with the number of those between', () => {
    const { faults, lines, time } = setUp();
    for (let i = 0; i < 5; i++) faults.contain('timer', fail);
    assert.deepEqual([faults.count, lines.length], [5, 1]);
    time.nowMs = 60_000;
    faults.contain('timer', fail);
    assert.deepEqual(
      lines.map(({ fields }) => fields['unlogged']),
      [0, 4],
    );
  });

  test('that is no Error is logged as text', () => {
    const { faults, lines } = setUp();
    faults.report('promise', 'just text');
    const error = new Error('no stack');
    Object.defineProperty(error, 'stack', { value: undefined });
    faults.report('other', error);
    assert.deepEqual(
      lines.map(({ fields }) => fields['error']),
      ['just text', 'no stack'],
    );
  });

  test('is counted even if the log fails', () => {
    const { faults } = setUp(fail);
    faults.contain('timer', fail);
    assert.equal(faults.count, 1);
  });
});
