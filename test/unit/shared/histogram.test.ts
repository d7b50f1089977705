import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Histogram } from '../../../src/shared/ledger/histogram.js';
import {
  DEFAULT_BOUNDS,
  HISTOGRAM,
  MAX_BOUNDS,
} from '../../../src/shared/ledger/histogram-layout.js';
import { createLedger, TARGET, targetAt } from '../../../src/shared/ledger/layout.js';
import {
  indexOfKey,
  keyOf,
  NATIVE_SLOTS,
  ZERO_THRESHOLD_SECONDS,
} from '../../../src/shared/ledger/native-buckets.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter, type PingRecord } from '../../../src/shared/ledger/writer.js';
import { LEDGER_SETTINGS } from '../../support/ledger-settings.js';

const MAX_MICROS = 2 ** 32 - 1;
const ALIVE: PingRecord = {
  reason: undefined,
  code: 200,
  rttMicros: 1500,
  retransmissions: 0,
  verdict: { state: 'up', run: 1 },
  endedAtMs: 1_700_000_000_123,
};

function setUp() {
  const buffer = createLedger();
  const clock = { nowMs: 1_700_000_000_000 };
  const writer = new LedgerWriter(buffer, () => clock.nowMs);
  const reader = new LedgerReader(buffer);
  const slot = writer.openTarget(0);
  const record = (micros: number) => writer.recordPing(slot, { ...ALIVE, rttMicros: micros });
  const rtt = (): Histogram => {
    const row = reader.target(slot);
    assert.ok(row);
    return row.rtt;
  };
  return { buffer, clock, writer, reader, slot, record, rtt };
}

/** The buckets in use, each with its index and count. */
function nativeOf(histogram: Histogram): [index: number, count: number][] {
  return Array.from({ length: histogram.nativeBuckets }, (_, bucket) => [
    histogram.nativeIndex(bucket),
    histogram.nativeCount(bucket),
  ]);
}

/** As Prometheus defines it: bucket i counts values over 2^((i-1)/2^s) and up to 2^(i/2^s). */
function indexByLaw(micros: number, schema: number): number {
  let index = Math.ceil(Math.log2(micros / 1e6) * 2 ** schema) - 2;
  while (micros > 1e6 * 2 ** (index / 2 ** schema)) index++;
  return index;
}

/** Every bucket that there is. */
function denseByLaw(values: readonly number[], schema: number): [number, number][] {
  const dense = new Map<number, number>();
  for (const micros of values) {
    if (micros <= 1e6 * ZERO_THRESHOLD_SECONDS) continue;
    const index = indexByLaw(micros, schema);
    dense.set(index, (dense.get(index) ?? 0) + 1);
  }
  return [...dense].sort(([a], [b]) => a - b);
}

const micros = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: MAX_MICROS }),
  fc.integer({ min: 0, max: 15 }).map((power) => 10 ** 6 * 2 ** (power - 6)),
  fc.double({ min: 1, max: 32, noNaN: true }).map((power) => Math.floor(2 ** power)),
);

describe('native buckets', () => {
  test('count what a dense histogram counts, in the highest schema that fits', () => {
    const holds = (values: readonly number[]) => {
      const { record, rtt } = setUp();
      for (const value of values) record(value);
      const histogram = rtt();
      const { schema, zeroCount } = histogram;
      assert.deepEqual(nativeOf(histogram), denseByLaw(values, schema));
      assert.equal(zeroCount, values.filter((value) => value <= 61).length);
      assert.ok(histogram.nativeBuckets <= NATIVE_SLOTS);
      const wouldFit = schema < 3 && denseByLaw(values, schema + 1).length <= NATIVE_SLOTS;
      assert.ok(!wouldFit, `schema ${schema} is too coarse`);
      assert.equal(histogram.count, values.length, 'and agree with the classic buckets');
    };
    fc.assert(fc.property(fc.array(micros, { maxLength: 300 }), holds), { numRuns: 150 });
  });

  test('have inclusive upper bounds, exact at powers of two', () => {
    assert.deepEqual(
      [1_000_000, 1_000_001, 2_000_000, 2_000_001, 500_000, 500_001].map((value) =>
        indexOfKey(keyOf(value)),
      ),
      [0, 1, 8, 9, -8, -7],
    );
    assert.deepEqual([0, 61].map(keyOf), [0, 0]);
    assert.equal(indexOfKey(keyOf(62)), -111);
    assert.equal(indexOfKey(keyOf(32_000_000)), 40);
    assert.equal(indexOfKey(keyOf(MAX_MICROS)), indexByLaw(MAX_MICROS, 3));
  });

  test('go down one schema at a time, whose buckets are those of the schema before, merged', () => {
    const { record, rtt } = setUp();
    const values: number[] = [];
    const schemas = new Set<number>();
    for (let power = -13.9; power < 12; power += 0.11) {
      const value = Math.floor(1e6 * 2 ** power);
      values.push(value);
      record(value);
      const histogram = rtt();
      schemas.add(histogram.schema);
      assert.deepEqual(nativeOf(histogram), denseByLaw(values, histogram.schema));
    }
    assert.deepEqual([...schemas], [3, 2, 1, 0]);
    const { nativeBuckets } = rtt();
    assert.equal(nativeBuckets, 26, 'one for each doubling');
  });

  test('of a row begin in the highest schema with each owner', () => {
    const { writer, reader, record } = setUp();
    for (let power = -13; power < 12; power += 0.1) record(Math.floor(1e6 * 2 ** power));
    const next = writer.openTarget(0);
    const histogram = reader.target(next)?.rtt;
    assert.deepEqual([histogram?.schema, histogram?.nativeBuckets, histogram?.count], [3, 0, 0]);
  });

  test('of both phases of a connection, and of lateness and resolutions, are kept apart', () => {
    const { writer, reader, slot } = setUp();
    for (let i = 0; i < 20; i++) writer.recordConnect(slot, 'connect', 1000 * 2 ** i);
    writer.recordConnect(slot, 'tls', 1_000_000);
    const row = reader.connection(slot);
    assert.equal(row?.phase('connect').nativeBuckets, 20);
    assert.deepEqual(nativeOf(row?.phase('tls') ?? assert.fail()), [[0, 1]]);
    for (let i = 0; i < 9; i++) writer.recordLateness(1000 * 2 ** i);
    writer.recordResolutionTime(2_000_000);
    const { lateness, resolutions } = reader.pinger();
    assert.equal(lateness.nativeBuckets, 9);
    assert.deepEqual(nativeOf(resolutions), [[8, 1]]);
  });
});

describe('other bounds of the classic buckets', () => {
  const BOUNDS = [1_000, 1_500, 70_000_000];

  test('begin the histograms of their kind again, and no others', () => {
    const { writer, reader, clock, slot, record, rtt } = setUp();
    record(1500);
    writer.recordConnect(slot, 'connect', 700);
    clock.nowMs += 5_000;
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: BOUNDS });
    const empty = rtt();
    assert.deepEqual([empty.buckets, empty.sumMicros, empty.nativeBuckets], [[0, 0, 0, 0], 0, 0]);
    assert.equal(empty.createdMs, clock.nowMs, 'from when they were set');
    clock.nowMs += 1_000;
    for (const value of [1_000, 1_001, 1_500, 80_000_000]) record(value);
    const counted = rtt();
    assert.deepEqual(counted.boundsMicros, BOUNDS);
    assert.deepEqual([counted.buckets, counted.sumMicros], [[1, 2, 0, 1], 80_003_501]);
    assert.equal(counted.createdMs, clock.nowMs);
    assert.equal(reader.target(slot)?.pings, 5, 'counters go on');
    const { buckets } = reader.connection(slot)?.phase('connect') ?? assert.fail();
    assert.deepEqual(buckets, DEFAULT_BOUNDS.connect.map((_, i) => Number(i === 1)).concat(0));
  });

  test('that are the same as before change nothing, also for the next writer', () => {
    const { buffer, writer, slot, record, rtt } = setUp();
    record(1500);
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: DEFAULT_BOUNDS.rtt });
    assert.equal(rtt().count, 1);
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: BOUNDS });
    record(1500);
    const next = new LedgerWriter(buffer, Date.now);
    next.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: BOUNDS });
    next.recordPing(slot, ALIVE);
    assert.deepEqual(rtt().buckets, [0, 2, 0, 0]);
  });

  test('may be one, or as many as there is room for', () => {
    const { writer, record, rtt } = setUp();
    const most = Array.from({ length: MAX_BOUNDS }, (_, i) => 100 * (i + 1));
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: most });
    for (const bound of [...most, MAX_MICROS]) record(bound);
    assert.deepEqual(rtt().buckets, Array(MAX_BOUNDS + 1).fill(1));
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: [5] });
    for (const value of [5, 6, 7]) record(value);
    assert.deepEqual(rtt().buckets, [1, 2]);
  });

  test('that a crashed writer left half-set are replaced by the next one', () => {
    const { buffer, writer, record, rtt, slot } = setUp();
    record(1500);
    const before = new Int32Array(buffer).slice();
    writer.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: BOUNDS });
    const version = new Int32Array(buffer).findIndex((cell, i) => cell !== before[i]);
    Atomics.add(new Int32Array(buffer), version, 1);
    const next = new LedgerWriter(buffer, Date.now);
    next.configure({ ...LEDGER_SETTINGS, rttBoundsMicros: [1_000] });
    next.recordPing(slot, ALIVE);
    assert.deepEqual(rtt().buckets, [0, 1]);
  });
});

describe('when counting began', () => {
  test('is when its row was opened', () => {
    const { writer, reader, clock, slot, rtt } = setUp();
    const openedMs = clock.nowMs;
    clock.nowMs += 60_000;
    writer.recordPing(slot, ALIVE);
    writer.recordConnect(slot, 'tls', 5);
    const destination = { index: 4, generation: 2 };
    writer.openDestination(destination);
    assert.equal(reader.target(slot)?.createdMs, openedMs);
    assert.equal(rtt().createdMs, openedMs);
    assert.equal(reader.pinger().createdMs, openedMs);
    assert.equal(reader.pinger().lateness.createdMs, openedMs);
    assert.equal(reader.pinger().resolutions.createdMs, openedMs);
    assert.equal(reader.destination(destination)?.createdMs, clock.nowMs);
    assert.equal(reader.connection(slot)?.phase('connect').createdMs, clock.nowMs);
  });

  test('stays the same for the next writer of the ledger', () => {
    const { buffer, reader, clock, slot } = setUp();
    new LedgerWriter(buffer, () => clock.nowMs + 1);
    assert.equal(reader.pinger().createdMs, clock.nowMs);
    assert.equal(reader.target(slot)?.createdMs, clock.nowMs);
  });
});

describe('a histogram that a crash left half-written', () => {
  const at = targetAt(0) + TARGET.rtt;

  test('goes on when its buckets agree, and begins again when they do not', () => {
    for (const isTorn of [false, true]) {
      const { buffer, clock, record, rtt } = setUp();
      record(1500);
      record(3000);
      const cells = new Int32Array(buffer);
      const openedMs = clock.nowMs;
      clock.nowMs += 1_000;
      Atomics.add(cells, targetAt(0), 1);
      if (isTorn) Atomics.add(cells, at + HISTOGRAM.buckets, 1);
      new LedgerWriter(buffer, () => clock.nowMs);
      assert.equal(rtt().count, isTorn ? 0 : 2);
      assert.equal(rtt().nativeBuckets, isTorn ? 0 : 2);
      assert.equal(rtt().createdMs, isTorn ? clock.nowMs : openedMs);
    }
  });

  test('begins again when two of its slots have the same key', () => {
    const { buffer, writer, slot, record, rtt } = setUp();
    record(1500);
    record(3000);
    const cells = new Int32Array(buffer);
    Atomics.add(cells, targetAt(0), 1);
    const keys = Atomics.load(cells, at + HISTOGRAM.slots);
    Atomics.store(cells, at + HISTOGRAM.slots, (keys & 0xff) * 0x101);
    new LedgerWriter(buffer, Date.now);
    assert.equal(rtt().count, 0);
    writer.recordPing(slot, ALIVE);
    assert.equal(rtt().count, 1);
  });
});
