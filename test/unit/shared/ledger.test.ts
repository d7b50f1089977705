import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import type { Histogram } from '../../../src/shared/ledger/histogram.js';
import { DEFAULT_BOUNDS } from '../../../src/shared/ledger/histogram-layout.js';
import {
  CODES_PER_TARGET,
  CONNECT_PHASES,
  createLedger,
  LEDGER_CAPACITY,
} from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import type { DestinationRow, TargetRow } from '../../../src/shared/ledger/rows.js';
import { LedgerWriter, type PingRecord } from '../../../src/shared/ledger/writer.js';
import { FAILURE_REASONS } from '../../../src/shared/outcome.js';
import { RESOLUTION_FAILURES } from '../../../src/shared/resolution.js';

const ALIVE: PingRecord = {
  reason: undefined,
  code: 200,
  rttMicros: 1500,
  retransmissions: 0,
  verdict: { state: 'up', run: 1 },
  endedAtMs: 1_700_000_000_123,
};
const TIMED_OUT: PingRecord = {
  ...ALIVE,
  reason: 'timeout',
  code: undefined,
  rttMicros: undefined,
  retransmissions: 4,
  verdict: { state: 'down', run: -1 },
};

const state = fc.constantFrom('unknown' as const, 'up' as const, 'down' as const);
const ping: fc.Arbitrary<PingRecord> = fc.record({
  reason: fc.option(fc.constantFrom(...FAILURE_REASONS), { nil: undefined }),
  code: fc.option(fc.integer({ min: 200, max: 215 }), { nil: undefined }),
  rttMicros: fc.option(
    fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(...DEFAULT_BOUNDS.rtt, ...DEFAULT_BOUNDS.rtt.map((bound) => bound + 1)),
    ),
    { nil: undefined },
  ),
  retransmissions: fc.nat(20),
  verdict: fc.record({ state, run: fc.integer({ min: -1000, max: 1000 }) }),
  endedAtMs: fc.integer({ min: 1, max: 2 ** 45 }),
});

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);

/** Values in the native buckets. */
const nativeCount = (histogram: Histogram) =>
  histogram.zeroCount +
  sum(Array.from({ length: histogram.nativeBuckets }, (_, i) => histogram.nativeCount(i)));

/** The index of the first cell that `change` writes; the ledger does not export it. */
function firstChangedCell(buffer: SharedArrayBuffer, from: number, change: () => void): number {
  const before = new Int32Array(buffer).slice();
  change();
  return new Int32Array(buffer).findIndex((cell, i) => i >= from && cell !== before[i]);
}

const fresh = () => {
  const buffer = createLedger();
  return { buffer, writer: new LedgerWriter(buffer, Date.now), reader: new LedgerReader(buffer) };
};

describe('a reader returns the sums of what the writer recorded', () => {
  const { writer, reader } = fresh();

  test('of the pings of a target', () => {
    const holds = (pings: readonly PingRecord[]) => {
      const slot = writer.openTarget(0);
      for (const record of pings) writer.recordPing(slot, record);
      const row = reader.target(slot);
      assert.ok(row);
      const rtts = pings.flatMap(({ rttMicros }) => rttMicros ?? []);
      assert.equal(row.pings, pings.length);
      for (const reason of FAILURE_REASONS) {
        assert.equal(row.failures(reason), pings.filter((p) => p.reason === reason).length);
      }
      assert.equal(sum(row.rtt.buckets), rtts.length);
      assert.equal(row.rtt.sumMicros, sum(rtts));
      assert.deepEqual(row.rtt.buckets, bucketsByLaw(rtts));
      assert.equal(row.retransmissions, sum(pings.map((p) => p.retransmissions)));
      assert.equal(
        sum(row.responses.map(([, count]) => count)),
        pings.filter((p) => p.code !== undefined).length,
      );
      const last = pings.at(-1);
      assert.equal(row.state, last?.verdict.state ?? 'unknown');
      assert.equal(row.lastPingMs, last?.endedAtMs ?? 0);
      assert.equal(row.lastReason, last?.reason);
      assert.equal(row.lastCode, last?.code ?? 0);
      assert.equal(row.lastRttMicros, rtts.at(-1) ?? 0);
      assert.equal(row.lastUpMs, pings.findLast((p) => p.reason === undefined)?.endedAtMs ?? 0);
      // A local failure says nothing about the peer.
      const telling = pings.filter((p) => p.reason !== 'local');
      assert.equal(row.lastDownMs, telling.findLast((p) => p.reason)?.endedAtMs ?? 0);
      assert.equal(writer.peerReasonOf(slot), telling.at(-1)?.reason);
      assert.deepEqual(writer.verdictOf(slot), { state: 'unknown', run: 0, ...last?.verdict });
    };
    fc.assert(fc.property(fc.array(ping, { maxLength: 40 }), holds), { numRuns: 300 });
  });

  /** `le` is inclusive; the last bucket has no bound. */
  function bucketsByLaw(rtts: readonly number[]): number[] {
    const bounds = [...DEFAULT_BOUNDS.rtt, Number.POSITIVE_INFINITY];
    return bounds.map(
      (bound, i) => rtts.filter((rtt) => rtt <= bound && rtt > (bounds[i - 1] ?? -1)).length,
    );
  }

  test('also when the sum of round-trip times exceeds 2^32 microseconds', () => {
    const slot = writer.openTarget(1);
    const rttMicros = 2 ** 32 - 1;
    for (let i = 0; i < 5; i++) writer.recordPing(slot, { ...ALIVE, rttMicros });
    assert.equal(reader.target(slot)?.rtt.sumMicros, 5 * rttMicros);
    assert.equal(reader.target(slot)?.lastRttMicros, rttMicros);
  });

  test('of the pinger itself', () => {
    const before = reader.pinger();
    assert.equal(sum(before.lateness.buckets), 0);
    for (const micros of [0, 500, 501, 2_000_000]) writer.recordLateness(micros);
    for (let i = 0; i < 3; i++) writer.recordHeartbeat();
    writer.recordUnmatched();
    for (let i = 0; i < 2; i++) writer.recordNatKeepalive();
    for (let i = 0; i < 5; i++) writer.recordUdpRebind();
    writer.addInFlight(1);
    writer.addInFlight(1);
    writer.addInFlight(-1);
    const after = reader.pinger();
    const { heartbeat, inFlight, unmatched, natKeepalives, udpRebinds, lateness } = after;
    assert.deepEqual(
      { heartbeat, inFlight, unmatched, natKeepalives, udpRebinds },
      { heartbeat: 3, inFlight: 1, unmatched: 1, natKeepalives: 2, udpRebinds: 5 },
    );
    assert.equal(lateness.sumMicros, 2_001_001);
    assert.deepEqual(lateness.buckets.slice(0, 2), [2, 1]);
    assert.equal(lateness.buckets.length, DEFAULT_BOUNDS.lateness.length + 1);
    assert.equal(lateness.buckets.at(-1), 1);
  });

  test('of lookups, of internal errors, and the current destination and target', () => {
    writer.recordLookupShed();
    writer.recordRecordsCut(3);
    writer.recordFault();
    writer.recordStall();
    writer.setLookups(2, 5);
    writer.recordResolutionTime(400);
    assert.equal(writer.setCurrentTarget(7), undefined);
    assert.equal(writer.setCurrentTarget(undefined), 7);
    writer.setCurrentDestination(0);
    const { lookupsShed, recordsCut, faults, stalls, lookupsInFlight, lookupsWaiting } =
      reader.pinger();
    assert.deepEqual([lookupsShed, recordsCut, faults, stalls], [1, 3, 1, 1]);
    assert.deepEqual([lookupsInFlight, lookupsWaiting], [2, 5]);
    const { resolutions, currentTarget, currentDestination } = reader.pinger();
    assert.deepEqual([resolutions.sumMicros, sum(resolutions.buckets)], [400, 1]);
    assert.deepEqual([currentTarget, currentDestination], [undefined, 0]);
  });

  test('of histories, without the pings that failed locally', () => {
    const slot = writer.openTarget(9);
    writer.recordPing(slot, ALIVE);
    writer.recordPing(slot, TIMED_OUT);
    writer.recordPing(slot, { ...TIMED_OUT, reason: 'local' });
    const { rttMicros } = ALIVE;
    assert.deepEqual(reader.totals(slot), {
      ...{ pings: 2, alive: 1, answers: 1, sumMicros: rttMicros },
    });
    assert.equal(reader.totals({ ...slot, generation: slot.generation + 1 }), undefined);
    const recents = reader.recents(slot).map(({ reason, code }) => [reason, code]);
    assert.deepEqual(recents[0], ['local', 0]);
    assert.equal(recents.length, 3);
  });

  test('status codes beyond the first few are counted together', () => {
    const slot = writer.openTarget(2);
    for (let i = 0; i < CODES_PER_TARGET + 3; i++) {
      writer.recordPing(slot, { ...ALIVE, code: 200 + i });
    }
    writer.recordPing(slot, { ...ALIVE, code: 201 });
    const responses = reader.target(slot)?.responses ?? [];
    assert.equal(responses.length, CODES_PER_TARGET + 1);
    assert.deepEqual(responses[1], ['201', 2]);
    assert.deepEqual(responses.at(-1), ['other', 3]);
  });

  test('late answers belong to their target', () => {
    const [slot, other] = [writer.openTarget(3), writer.openTarget(4)];
    writer.recordLateResponse(slot);
    assert.equal(reader.target(slot)?.lateResponses, 1);
    assert.equal(reader.target(other)?.lateResponses, 0);
  });

  test('the time of the current state is that of the change, not of the last ping', () => {
    const slot = writer.openTarget(5);
    writer.recordPing(slot, { ...ALIVE, endedAtMs: 1000 });
    writer.recordPing(slot, { ...ALIVE, endedAtMs: 2000 });
    assert.equal(reader.target(slot)?.sinceMs, 1000);
    writer.recordPing(slot, { ...TIMED_OUT, endedAtMs: 3000 });
    assert.equal(reader.target(slot)?.sinceMs, 3000);
  });
});

describe('a destination', () => {
  const { writer, reader } = fresh();
  const slot = { index: 7, generation: 3 };

  test('has its verdict, when and why, and how often that changed', () => {
    assert.equal(reader.destination(slot), undefined);
    writer.openDestination(slot);
    assert.equal(reader.destination(slot)?.state, 'unknown');
    writer.recordVerdict(slot, 'down', 'resolution', 1000);
    writer.recordVerdict(slot, 'down', 'timeout', 2000);
    const down = reader.destination(slot);
    assert.deepEqual(read(down), { ...rowOf('down', 1000, 0), reason: 'timeout' });
    writer.recordVerdict(slot, 'up', undefined, 3000);
    writer.recordVerdict(slot, 'up', undefined, 4000);
    assert.deepEqual(read(reader.destination(slot)), rowOf('up', 3000, 1));
    writer.recordVerdict(slot, 'unknown', undefined, 5000);
    assert.equal(reader.destination(slot)?.changes, 1);
  });

  const read = (row: DestinationRow | undefined) => {
    const { state, sinceMs, changes, resolutionChanges } = row ?? {};
    const resolutionFailures = RESOLUTION_FAILURES.map((reason) => row?.resolutionFailures(reason));
    const { lastResolutionMs, isStale, targetsTruncated, reason } = row ?? {};
    return {
      ...{ state, sinceMs, changes, resolutionFailures, resolutionChanges },
      ...{ lastResolutionMs, isStale, targetsTruncated, reason },
    };
  };

  const rowOf = (state: string, sinceMs: number, changes: number) => {
    const names = {
      resolutionChanges: 0,
      lastResolutionMs: 0,
      isStale: false,
      targetsTruncated: 0,
    };
    const resolutionFailures = RESOLUTION_FAILURES.map(() => 0);
    return { state, sinceMs, changes, resolutionFailures, ...names, reason: undefined };
  };

  test('keeps its row when it is opened again, and loses it to the next owner', () => {
    writer.recordResolution(slot, 1_700_000_000_000, true, 3);
    writer.recordResolutionFailure(slot, 'servfail', true, 1_700_000_000_000);
    writer.openDestination(slot);
    const row = reader.destination(slot);
    assert.equal(row?.resolutionFailures('servfail'), 1);
    assert.deepEqual([row?.resolutionChanges, row?.targetsTruncated, row?.isStale], [1, 3, true]);
    assert.equal(row?.lastResolutionMs, 1_700_000_000_000);
    const next = { ...slot, generation: slot.generation + 1 };
    writer.openDestination(next);
    assert.equal(reader.destination(slot), undefined);
    assert.deepEqual(read(reader.destination(next)), rowOf('unknown', 0, 0));
  });
});

describe('the row of a target', () => {
  test('is hidden from its former owner and empty for the next', () => {
    const { writer, reader } = fresh();
    const former = writer.openTarget(0);
    writer.recordPing(former, ALIVE);
    const present = writer.openTarget(0);
    assert.notDeepEqual(former, present);
    assert.equal(reader.target(former), undefined);
    assert.equal(reader.target(present)?.pings, 0);
    assert.equal(reader.target(present)?.rtt.sumMicros, 0);
    assert.equal(writer.targetsUsed, 1);
  });

  test('that a crash left half-written is unreadable until a new writer unlocks it', () => {
    const { buffer, writer, reader } = fresh();
    const slot = writer.openTarget(0);
    const [kept] = [writer.openTarget(1)];
    writer.recordPing(kept, ALIVE);
    const version = firstChangedCell(buffer, 100, () => writer.recordPing(slot, ALIVE));
    Atomics.add(new Int32Array(buffer), version, 1);
    assert.equal(reader.target(slot), undefined);
    assert.equal(reader.target(kept)?.pings, 1);
    const mended = new LedgerWriter(buffer, Date.now);
    assert.equal(reader.target(slot)?.pings, 1);
    mended.recordPing(slot, TIMED_OUT);
    assert.equal(reader.target(slot)?.pings, 2);
  });

  test('that a crash left half-written for its first owner serves the next', () => {
    const scratch = fresh();
    const version = firstChangedCell(scratch.buffer, 100, () => scratch.writer.openTarget(0));
    const { buffer, reader } = fresh();
    Atomics.add(new Int32Array(buffer), version, 1);
    const slot = new LedgerWriter(buffer, Date.now).openTarget(0);
    assert.equal(reader.target(slot)?.pings, 0);
  });

  test('of a destination that a crash left half-written is unlocked too', () => {
    const { buffer, writer, reader } = fresh();
    const slot = { index: 3, generation: 1 };
    const version = firstChangedCell(buffer, 0, () => writer.openDestination(slot));
    Atomics.add(new Int32Array(buffer), version, 1);
    assert.equal(reader.destination(slot), undefined);
    new LedgerWriter(buffer, Date.now);
    assert.equal(reader.destination(slot)?.state, 'unknown');
  });

  test('a new writer knows the rows in use, and that no ping is pending', () => {
    const { buffer, writer, reader } = fresh();
    writer.openTarget(0);
    writer.openTarget(4);
    writer.addInFlight(1);
    assert.equal(new LedgerWriter(buffer, Date.now).targetsUsed, 5);
    assert.equal(reader.pinger().inFlight, 0);
  });
});

describe('the connection row of a target', () => {
  const EMPTY = { buckets: DEFAULT_BOUNDS.connect.concat(0).map(() => 0), sumMicros: 0 };
  const counts = (histogram: Histogram | undefined) => ({
    buckets: histogram?.buckets,
    sumMicros: histogram?.sumMicros,
  });

  test('does not exist before the first connection; pings do not create it', () => {
    const { writer, reader } = fresh();
    const slot = writer.openTarget(0);
    assert.equal(reader.connection(slot), undefined);
    writer.recordPing(slot, ALIVE);
    assert.equal(reader.connection(slot), undefined);
    writer.recordConnect(slot, 'connect', 700);
    const row = reader.connection(slot);
    assert.equal(row?.phase('connect').sumMicros, 700);
    assert.deepEqual(counts(row?.phase('tls')), EMPTY);
    assert.equal(reader.target(slot)?.pings, 1, 'and leaves the pings as they were');
  });

  test('holds the sums of what was written, per phase', () => {
    const micros = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(...DEFAULT_BOUNDS.rtt, ...DEFAULT_BOUNDS.rtt.map((bound) => bound + 1)),
    );
    const written = fc.array(fc.tuple(fc.constantFrom(...CONNECT_PHASES), micros), {
      minLength: 1,
      maxLength: 30,
    });
    const { writer, reader } = fresh();
    fc.assert(
      fc.property(written, (list) => {
        const slot = writer.openTarget(0);
        for (const [phase, took] of list) writer.recordConnect(slot, phase, took);
        const row = reader.connection(slot);
        assert.ok(row);
        for (const phase of CONNECT_PHASES) {
          const took = list.flatMap(([other, time]) => (other === phase ? [time] : []));
          const { buckets, sumMicros } = row.phase(phase);
          assert.equal(sumMicros, sum(took));
          const bounds = [...DEFAULT_BOUNDS.rtt, Number.POSITIVE_INFINITY];
          const wanted = bounds.map((bound, i) => {
            return took.filter((time) => time <= bound && time > (bounds[i - 1] ?? -1)).length;
          });
          assert.deepEqual(buckets, wanted);
        }
      }),
    );
  });

  test('belongs to one target, also for the last one of the ledger', () => {
    const { writer, reader } = fresh();
    const slots = [0, 1, LEDGER_CAPACITY - 1].map((index) => writer.openTarget(index));
    for (const [i, slot] of slots.entries()) writer.recordConnect(slot, 'tls', i + 1);
    for (const [i, slot] of slots.entries()) {
      assert.equal(reader.connection(slot)?.phase('tls').sumMicros, i + 1);
      assert.deepEqual(counts(reader.connection(slot)?.phase('connect')), EMPTY);
    }
  });

  test('is hidden from its former owner and empty for the next', () => {
    const { writer, reader } = fresh();
    const former = writer.openTarget(0);
    writer.recordConnect(former, 'connect', 700);
    writer.recordConnect(former, 'tls', 900);
    const present = writer.openTarget(0);
    assert.equal(reader.connection(present), undefined);
    writer.recordConnect(present, 'connect', 1);
    assert.equal(reader.connection(former), undefined);
    assert.equal(reader.connection(present)?.phase('connect').sumMicros, 1);
    assert.deepEqual(counts(reader.connection(present)?.phase('tls')), EMPTY);
  });

  test('that a crash left half-written is unreadable until a new writer unlocks it', () => {
    const { buffer, writer, reader } = fresh();
    const slot = writer.openTarget(0);
    writer.recordConnect(slot, 'connect', 700);
    const version = firstChangedCell(buffer, 100, () => writer.recordConnect(slot, 'tls', 900));
    Atomics.add(new Int32Array(buffer), version, 1);
    assert.equal(reader.connection(slot), undefined);
    const mended = new LedgerWriter(buffer, Date.now);
    assert.equal(reader.connection(slot)?.phase('tls').sumMicros, 900);
    mended.recordConnect(slot, 'tls', 1);
    assert.equal(reader.connection(slot)?.phase('tls').sumMicros, 901);
  });

  test('does not change after it was read', () => {
    const { writer, reader } = fresh();
    const slot = writer.openTarget(0);
    const rows = [];
    for (let times = 1; times <= 600; times++) {
      writer.recordConnect(slot, 'connect', 1);
      rows.push({ times, row: reader.connection(slot) });
    }
    for (const { times, row } of rows) assert.equal(row?.phase('connect').sumMicros, times);
  });
});

describe('answered challenges', () => {
  test('are counted by target, apart from pings', () => {
    const { writer, reader } = fresh();
    const [slot, other] = [writer.openTarget(0), writer.openTarget(1)];
    for (let i = 0; i < 3; i++) writer.recordChallenge(slot);
    const row = reader.target(slot);
    assert.deepEqual([row?.challenges, row?.pings, row?.responses.length], [3, 0, 0]);
    assert.equal(reader.target(other)?.challenges, 0);
    writer.recordPing(slot, ALIVE);
    assert.equal(reader.target(slot)?.challenges, 3);
  });

  test('are those of the current owner of a row', () => {
    const { writer, reader } = fresh();
    const former = writer.openTarget(0);
    writer.recordChallenge(former);
    const present = writer.openTarget(0);
    assert.equal(reader.target(former), undefined);
    assert.equal(reader.target(present)?.challenges, 0);
  });
});

describe('a row that was read', () => {
  test('does not change with later writes and reads', () => {
    const { writer, reader } = fresh();
    const slots = [writer.openTarget(0), writer.openTarget(1)] as const;
    const destination = { index: 0, generation: 1 };
    writer.openDestination(destination);
    const rows = [];
    for (let pings = 1; pings <= 600; pings++) {
      writer.recordPing(slots[0], { ...ALIVE, endedAtMs: pings });
      rows.push({ pings, row: reader.target(slots[0]) });
      reader.target({ ...slots[1], generation: 99 });
      reader.destination(destination);
      reader.pinger();
    }
    for (const { pings, row } of rows)
      assert.deepEqual([row?.pings, row?.lastPingMs], [pings, pings]);
  });
});

describe('a reader beside a writer in another thread', () => {
  test('never sees a row in a half-written state', async () => {
    const ledger = createLedger();
    const stop = new SharedArrayBuffer(4);
    const worker = new Worker(new URL('./ledger-writer.worker.js', import.meta.url), {
      workerData: { ledger, stop },
    });
    await once(worker, 'online');
    const reader = new LedgerReader(ledger);
    const seen = new Set<number>();
    for (const began = performance.now(); performance.now() - began < 1000 || seen.size < 2; ) {
      const row = reader.target({ index: 0, generation: 1 });
      if (row !== undefined) seen.add(checkTarget(row));
      const handshakes = reader.connection({ index: 0, generation: 1 })?.phase('tls');
      assert.equal(handshakes?.count ?? 0, handshakes === undefined ? 0 : nativeCount(handshakes));
      const { lateness } = reader.pinger();
      assert.equal(lateness.sumMicros, 700 * sum(lateness.buckets));
      const destination = reader.destination({ index: 0, generation: 1 });
      if (destination === undefined || destination.sinceMs === 0) continue;
      assert.equal(destination.changes, destination.sinceMs - 1);
      assert.equal(destination.state, destination.sinceMs % 2 === 0 ? 'up' : 'down');
      assert.equal(destination.reason, destination.state === 'up' ? undefined : 'code');
    }
    Atomics.store(new Int32Array(stop), 0, 1);
    await once(worker, 'exit');
  });

  /** The writer's n-th ping ends at n. */
  function checkTarget(row: TargetRow): number {
    const { pings } = row;
    assert.equal(row.lastPingMs, pings);
    assert.equal(sum(row.rtt.buckets), pings);
    assert.equal(nativeCount(row.rtt), pings);
    assert.equal(row.rtt.sumMicros, 700 * pings);
    assert.equal(row.retransmissions, 3 * pings);
    assert.equal(row.failures('code'), Math.ceil(pings / 2));
    assert.equal(sum(row.responses.map(([, count]) => count)), pings);
    if (pings > 0) assert.equal(row.state, pings % 2 === 0 ? 'up' : 'down');
    return pings;
  }
});
