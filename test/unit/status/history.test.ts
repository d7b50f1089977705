import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RegisteredDestination } from '../../../src/shared/destination.js';
import { createLedger } from '../../../src/shared/ledger/layout.js';
import { LedgerReader } from '../../../src/shared/ledger/reader.js';
import { LedgerWriter } from '../../../src/shared/ledger/writer.js';
import { Histories } from '../../../src/status/history.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';

const POINTS = 60;

function setUp() {
  const buffer = createLedger();
  const writer = new LedgerWriter(buffer, Date.now);
  const target = writer.openTarget(0);
  const registered = (generation: number): RegisteredDestination => ({
    destination: {
      ...{ name: 'a', uri: 'sip:192.0.2.1', module: 'default', labels: {} },
      settings: settings(),
    },
    slot: { index: 0, generation },
    ...{ owners: ['config'], isFollowed: false, server: '', peers: new Map() },
    targets: [
      {
        ...{ slot: target, transport: 'udp', address: '192.0.2.1:5060' },
        ...{ priority: undefined, weight: undefined },
      },
    ],
  });
  let all = [registered(1)];
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const histories = new Histories({
    ledger: new LedgerReader(buffer),
    registry: {
      size: 1,
      all: () => all,
      named: () => undefined,
      at: () => undefined,
      withUri: () => [],
    },
    clock,
    onError: (error) => errors.push(error),
  });
  const ping = (rttMicros: number | undefined) =>
    writer.recordPing(target, {
      reason: rttMicros === undefined ? 'timeout' : undefined,
      code: rttMicros === undefined ? undefined : 200,
      ...{ rttMicros, retransmissions: 0, endedAtMs: 1, verdict: { state: 'up', run: 1 } },
    });
  const replace = (generation: number) => {
    all = [registered(generation)];
  };
  return { histories, clock, errors, ping, replace };
}

test('a point has the mean round-trip time of a minute, and the share of its pings that failed', async () => {
  const { histories, ping } = setUp();
  await histories.sample();
  assert.deepEqual(histories.of({ index: 0, generation: 1 }).rtt, Array(POINTS).fill(null));
  ping(2_000);
  ping(4_000);
  ping(undefined);
  ping(undefined);
  await histories.sample();
  await histories.sample();
  ping(500_000);
  await histories.sample();
  const { rtt, failed, step } = histories.of({ index: 0, generation: 1 });
  const rounded = rtt.slice(-3).map((value) => (value === null ? null : Number(value.toFixed(6))));
  assert.deepEqual(rounded, [0.003, null, 0.5]);
  assert.deepEqual(failed.slice(-3), [0.5, null, 0]);
  assert.deepEqual([rtt.length, failed.length, step], [POINTS, POINTS, 60]);
});

test('an hour is kept, without the history of the destination that used the row before', async () => {
  const { histories, ping, replace } = setUp();
  await histories.sample();
  for (let minute = 0; minute < POINTS + 5; minute++) {
    ping(1_000 * (minute + 1));
    await histories.sample();
  }
  const { rtt } = histories.of({ index: 0, generation: 1 });
  assert.deepEqual(
    rtt.map((value) => Math.round(1000 * (value ?? 0))),
    Array.from({ length: POINTS }, (_, i) => i + 6),
  );
  replace(2);
  await histories.sample();
  assert.deepEqual(histories.of({ index: 0, generation: 1 }).rtt, []);
  assert.deepEqual(histories.of({ index: 0, generation: 2 }).rtt, Array(POINTS).fill(null));
  assert.deepEqual(histories.of({ index: 1 << 16, generation: 1 }).rtt, []);
});

test('a point is taken at the start and then every minute, until it is closed', async () => {
  const { histories, clock, ping } = setUp();
  const known = () =>
    histories.of({ index: 0, generation: 1 }).rtt.filter((value) => value !== null).length;
  histories.start();
  for (let minute = 1; minute <= 3; minute++) {
    ping(1_000);
    await clock.advanceSettling(59_999);
    assert.equal(known(), minute - 1);
    await clock.advanceSettling(1);
    assert.equal(known(), minute);
  }
  histories.close();
  assert.equal(clock.pending, 0);
  histories.start();
  assert.equal(clock.pending, 0, 'it stays closed');
});

test('a point that cannot be taken is reported, and the next one is taken', async () => {
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const histories = new Histories({
    ledger: new LedgerReader(createLedger()),
    registry: {
      ...{ size: 0, named: () => undefined, at: () => undefined, withUri: () => [] },
      all: () => {
        throw new Error('broken');
      },
    },
    ...{ clock, onError: (error) => errors.push(error) },
  });
  histories.start();
  await clock.advanceSettling(60_000);
  assert.deepEqual(errors.map(String), ['Error: broken', 'Error: broken']);
  histories.close();
});

test('thousands of destinations each have their points, up to a limit', async () => {
  const slots = [0, 1_023, 1_024, 19_999, 20_000].map((index) => ({ index, generation: 1 }));
  const clock = new FakeClock();
  const all = settings();
  const registered = slots.map(
    (slot): RegisteredDestination => ({
      destination: { name: 'a', uri: 'sip:a', module: 'default', labels: {}, settings: all },
      ...{ slot, owners: [], isFollowed: false, server: '', peers: new Map(), targets: [] },
    }),
  );
  const histories = new Histories({
    ledger: new LedgerReader(createLedger()),
    registry: {
      ...{ size: 0, named: () => undefined, at: () => undefined, withUri: () => [] },
      all: () => Array.from({ length: 250 }, (_, i) => registered[i % 5] ?? assert.fail()),
    },
    ...{ clock, onError: () => assert.fail() },
  });
  await histories.sample();
  assert.deepEqual(
    slots.map((slot) => histories.of(slot).rtt.length),
    [60, 60, 60, 60, 0],
  );
});
