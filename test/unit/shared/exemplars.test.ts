import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter, type PingRecord } from '../../../src/shared/ledger/writer.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';

const START_MS = 1_700_000_000_123;

/** A target whose n-th ping has a Call-ID of the digits of n. */
function setUp(hasExemplars = true) {
  const buffer = createLedger();
  const writer = new LedgerWriter(buffer, () => START_MS);
  const reader = new LedgerReader(buffer);
  writer.configure({ ...LEDGER_SETTINGS, hasExemplars });
  const slot = writer.openTarget(3);
  let pings = 0;
  const idOf = (number: number) => number.toString(16).padStart(32, 'f0');
  const ping = (change: Partial<PingRecord>, atSeconds: number) => {
    const callId = idOf(++pings);
    const bytes = new TextEncoder().encode(`Call-ID: ${callId}\r\n`);
    writer.recordPing(slot, {
      ...{ reason: undefined, code: 200, rttMicros: undefined, retransmissions: 0 },
      ...{ verdict: { state: 'up', run: 1 }, endedAtMs: START_MS + 1000 * atSeconds },
      call: { bytes, callIdAt: 'Call-ID: '.length },
      ...change,
    });
    return callId;
  };
  const failed = (reason: PingRecord['reason'], code: number | undefined, atSeconds: number) =>
    ping({ reason, code }, atSeconds);
  const rtt = (rttMicros: number, atSeconds: number) => ping({ rttMicros }, atSeconds);
  return { buffer, writer, reader, slot, ping, failed, rtt, all: () => reader.exemplars(slot) };
}

describe('exemplars of round-trip times', () => {
  test('are pings with their Call-ID, one for a bucket, each kept for a minute', () => {
    const { rtt, all } = setUp();
    assert.equal(all(), undefined);
    const first = rtt(700, 0);
    rtt(800, 59);
    const expected = { callId: first, code: 0, value: 0.0007, atMs: START_MS };
    assert.deepEqual(all()?.ofRtt(500, 1000), expected);
    assert.equal(all()?.ofRtt(1000, 2500), undefined);
    const third = rtt(900, 60);
    const { callId, value, atMs } = all()?.ofRtt(500, 1000) ?? assert.fail();
    assert.deepEqual([callId, value, atMs], [third, 0.0009, START_MS + 60_000]);
    assert.equal(all()?.ofRtts.length, 1);
  });

  test('are of up to four buckets; a fifth replaces the oldest after its minute', () => {
    const { rtt, all } = setUp();
    for (const [i, micros] of [400, 700, 2_000, 4_000].entries()) rtt(micros, i);
    rtt(8_000, 5);
    assert.deepEqual(
      all()?.ofRtts.map(({ value }) => value),
      [0.0004, 0.0007, 0.002, 0.004],
    );
    rtt(8_000, 60);
    assert.deepEqual(
      all()?.ofRtts.map(({ value }) => value),
      [0.0007, 0.002, 0.004, 0.008],
    );
    assert.equal(all()?.ofRtt(0, 500), undefined);
  });

  test('of no time at all are in the first bucket', () => {
    const { rtt, all } = setUp();
    const callId = rtt(0, 0);
    assert.equal(all()?.ofRtt(0, 500)?.callId, callId);
  });

  test('follow the bounds that are in force', () => {
    const { writer, rtt, all } = setUp();
    rtt(700, 0);
    const newer = rtt(1_500, 1);
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: [10_000] });
    assert.equal(all()?.ofRtt(0, 10_000)?.callId, newer);
    rtt(900, 2);
    assert.equal(all()?.ofRtt(0, 10_000)?.callId, newer);
  });

  test('are taken again when the clock was set back', () => {
    const { rtt, all } = setUp();
    rtt(700, 0);
    const earlier = rtt(700, -3600);
    assert.equal(all()?.ofRtt(500, 1000)?.callId, earlier);
  });
});

describe('exemplars of failures', () => {
  test('have the status code, and are of the last two reasons', () => {
    const { failed, all } = setUp();
    const code = failed('code', 503, 0);
    failed('code', 500, 10);
    const timeout = failed('timeout', undefined, 20);
    const expected = { callId: code, code: 503, value: 1, atMs: START_MS };
    assert.deepEqual(all()?.ofFailure('code'), expected);
    assert.deepEqual(
      [all()?.ofFailure('timeout')?.callId, all()?.ofFailure('timeout')?.code],
      [timeout, 0],
    );
    const malformed = failed('malformed', undefined, 61);
    assert.equal(all()?.ofFailure('malformed')?.callId, malformed);
    assert.equal(all()?.ofFailure('code'), undefined);
  });
});

describe('exemplars', () => {
  test('are not kept when they are switched off, or when no request was sent', () => {
    const off = setUp(false);
    off.rtt(700, 0);
    assert.equal(off.all(), undefined);
    const on = setUp();
    on.ping({ reason: 'refused', call: undefined }, 0);
    assert.equal(on.all(), undefined);
  });

  test('belong to one owner of a row', () => {
    const { writer, reader, slot, rtt, failed, all } = setUp();
    rtt(700, 0);
    failed('code', 503, 0);
    const next = writer.openTarget(slot.index);
    assert.equal(reader.exemplars(next), undefined);
    writer.recordPing(next, {
      ...{ reason: 'timeout', code: undefined, rttMicros: undefined, retransmissions: 0 },
      ...{ verdict: { state: 'down', run: -1 }, endedAtMs: START_MS },
      call: { bytes: new TextEncoder().encode('0123456789abcdef'.repeat(2)), callIdAt: 0 },
    });
    assert.equal(all(), undefined);
    const exemplars = reader.exemplars(next);
    assert.equal(exemplars?.ofFailure('timeout')?.callId, '0123456789abcdef'.repeat(2));
    assert.equal(exemplars?.ofFailure('code'), undefined);
    assert.deepEqual(exemplars?.ofRtts, []);
  });
});
