import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLedger, RECENT_PINGS } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter, type PingRecord } from '../../../src/shared/ledger/writer.js';
import { FAILURE_REASONS } from '../../../src/shared/outcome.js';

const pingOf = (change: Partial<PingRecord>): PingRecord => ({
  ...{ reason: undefined, code: undefined, rttMicros: undefined, retransmissions: 0 },
  ...{ verdict: { state: 'up', run: 1 }, endedAtMs: 0 },
  ...change,
});

function setUp() {
  const ledger = createLedger();
  const writer = new LedgerWriter(ledger, () => 0);
  return { writer, reader: new LedgerReader(ledger), slot: writer.openTarget(0) };
}

test('the last 40 pings are kept, the newest first', () => {
  const { writer, reader, slot } = setUp();
  assert.deepEqual(reader.recents(slot), []);
  for (let i = 0; i < 2 * RECENT_PINGS + 1; i++) {
    writer.recordPing(slot, pingOf({ endedAtMs: 1_700_000_000_999 + 1_000 * i, code: 200 + i }));
    const recents = reader.recents(slot);
    assert.equal(recents.length, Math.min(i + 1, 40));
    assert.deepEqual(
      recents.map(({ atMs, code }) => [(atMs - 1_700_000_000_000) / 1_000, code]),
      Array.from(recents, (_, age) => [i - age, 200 + i - age]),
    );
  }
});

test('a ping has its reason, code and retransmission exactly, and its round-trip time to 0.1 %', () => {
  const { writer, reader, slot } = setUp();
  fc.assert(
    fc.property(
      fc.constantFrom(undefined, ...FAILURE_REASONS),
      fc.option(fc.integer({ min: 100, max: 699 }), { nil: undefined }),
      fc.option(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { nil: undefined }),
      fc.integer({ min: 0, max: 3 }),
      (reason, code, rttMicros, retransmissions) => {
        writer.recordPing(slot, pingOf({ reason, code, rttMicros, retransmissions }));
        const [ping] = reader.recents(slot);
        assert.equal(ping?.reason, reason);
        assert.equal(ping?.code, code ?? 0);
        assert.equal(ping?.isRetransmitted, retransmissions > 0);
        const error = (rttMicros ?? 0) - (ping?.rttMicros ?? Number.NaN);
        assert.ok(error >= 0 && error <= (rttMicros ?? 0) / 1000, `${rttMicros}: ${error}`);
      },
    ),
  );
});
