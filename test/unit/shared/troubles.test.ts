import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import type { FailureReason } from '../../../src/shared/outcome.js';

const PINGS = {
  alive: {},
  failed: { reason: 'timeout', rttMicros: undefined, retransmissions: 5 },
  local: { reason: 'local', rttMicros: undefined },
  retransmitted: { retransmissions: 1 },
  almost: { rttMicros: 499_999 },
  slow: { rttMicros: 500_000 },
  both: { retransmissions: 2, rttMicros: 700_000 },
} as const satisfies Record<
  string,
  { reason?: FailureReason; rttMicros?: number | undefined; retransmissions?: number }
>;

/** What a target has after these pings. */
function after(...pings: readonly (keyof typeof PINGS)[]) {
  const ledger = createLedger();
  const writer = new LedgerWriter(ledger, () => 0);
  const slot = writer.openTarget(0);
  for (const ping of pings) {
    writer.recordPing(slot, {
      ...{ reason: undefined, code: undefined, rttMicros: 1_500, retransmissions: 0 },
      ...{ verdict: { state: 'up', run: 1 }, endedAtMs: 0 },
      ...PINGS[ping],
    });
  }
  return new LedgerReader(ledger).results(slot)?.troubles;
}

test('two troubled pings are told, one is not', () => {
  const none = { pings: 2, failed: 0, retransmitted: 0, slow: 0 };
  assert.equal(after(), undefined);
  assert.equal(after('alive', 'alive'), undefined);
  assert.equal(after('failed'), undefined);
  assert.deepEqual(after('failed', 'failed'), { ...none, failed: 2 });
  assert.deepEqual(after('retransmitted', 'retransmitted'), { ...none, retransmitted: 2 });
  assert.deepEqual(after('slow', 'slow'), { ...none, slow: 2 });
  assert.deepEqual(after('failed', 'slow'), { ...none, failed: 1, slow: 1 });
  // One ping with two troubles is one ping.
  assert.equal(after('both', 'almost'), undefined);
  assert.deepEqual(after('both', 'both'), { ...none, retransmitted: 2, slow: 2 });
});

test('a trouble is forgotten after ten more pings', () => {
  const alive = Array.from({ length: 8 }, () => 'alive' as const);
  assert.deepEqual(after('both', 'both', ...alive), {
    ...{ pings: 10, failed: 0, retransmitted: 2, slow: 2 },
  });
  assert.equal(after('both', 'both', ...alive, 'alive'), undefined);
  assert.equal(after('failed', 'failed', ...alive, 'alive'), undefined);
  const all = Array.from({ length: 25 }, () => 'both' as const);
  assert.deepEqual(after(...all), { pings: 10, failed: 0, retransmitted: 10, slow: 10 });
});

test('a local failure says nothing about the peer', () => {
  assert.equal(after('local', 'local', 'local', 'failed'), undefined);
  assert.deepEqual(after('failed', ...Array.from({ length: 20 }, () => 'local' as const), 'slow'), {
    ...{ pings: 2, failed: 1, retransmitted: 0, slow: 1 },
  });
});
