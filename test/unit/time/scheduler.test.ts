import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hash, Scheduler } from '../../../src/pinger/time/scheduler.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Ping {
  readonly id: number;
  readonly atMs: number;
  readonly latenessMs: number;
}

/** A scheduler whose pings take some time, with a tick every millisecond. */
function harness(
  options: { clock?: FakeClock; pingMs?: (id: number) => number; slowMs?: () => number } = {},
) {
  const { clock = new FakeClock(), pingMs = () => 10, slowMs = () => 0 } = options;
  const pings: Ping[] = [];
  const busy = new Set<number>();
  const perTurn: number[] = [];
  const scheduler = new Scheduler(clock, 20_000, (id, latenessMs) => {
    assert.ok(!busy.has(id), 'pings of one target never overlap');
    busy.add(id);
    pings.push({ id, atMs: clock.now(), latenessMs });
    if (pingMs(id) < Number.POSITIVE_INFINITY) clock.after(pingMs(id), () => finish(id));
  });
  const finish = (id: number) => {
    busy.delete(id);
    return scheduler.done(id, slowMs());
  };
  const turn = () => {
    const before = pings.length;
    scheduler.tick();
    perTurn.push(pings.length - before);
  };
  return {
    clock,
    scheduler,
    pings,
    perTurn,
    turn,
    finish,
    run(ms: number) {
      for (let i = 0; i < ms; i++) {
        clock.advance(1);
        turn();
      }
    },
    /** Adds this many targets, with names like those of a real fleet. */
    add(count: number, intervalMs: number) {
      for (let id = 0; id < count; id++) scheduler.add(id, nameOf(id), intervalMs);
    },
    /** When the target was pinged, on the monotonic clock. */
    timesOf(id: number): number[] {
      return pings.filter((ping) => ping.id === id).map(({ atMs }) => atMs);
    },
  };
}

const nameOf = (id: number) => `sip:10.0.${id >> 8}.${id & 255} 10.0.${id >> 8}.${id & 255}:5060`;
const gaps = (times: readonly number[]) => times.slice(1).map((at, i) => at - (times[i] ?? 0));

describe('first pings', () => {
  test('are sent at two per millisecond, without a burst', () => {
    const { add, run, pings, perTurn } = harness();
    add(1000, 30_000);
    run(501);
    assert.equal(new Set(pings.map(({ id }) => id)).size, 1000);
    assert.equal(pings.length, 1000);
    assert.ok(Math.max(...perTurn) <= 3);
  });

  test('are sent at twice the steady rate when that is higher', () => {
    const { add, run, pings, perTurn, scheduler } = harness();
    add(20_000, 2000);
    // 2,000 at two per millisecond, then the n-th 1000 / n ms after the previous one: 1,000 ln 10 ms.
    run(1000 + 1000 * Math.log(10) + 100);
    assert.equal(new Set(pings.map(({ id }) => id)).size, 20_000);
    assert.ok(Math.max(...perTurn) <= scheduler.maxPingsPerTick);
  });

  test('of a target that joins an idle fleet are sent at once', () => {
    const { scheduler, add, run, timesOf } = harness();
    add(10, 30_000);
    run(5000);
    scheduler.add(10, 'late comer', 30_000);
    run(2);
    assert.equal(timesOf(10).length, 1);
  });
});

describe('the regular pings of a target', () => {
  test('are one interval apart, the first of them 0.5 to 1.5 intervals after the first ping', () => {
    const { add, run, timesOf } = harness();
    add(200, 1000);
    run(6000);
    for (let id = 0; id < 200; id++) {
      const [first = 0, ...rest] = gaps(timesOf(id));
      assert.ok(first >= 500 && first <= 1501, `${first}`);
      assert.ok(rest.length >= 3);
      for (const gap of rest) assert.equal(gap, 1000);
    }
  });

  test('follow the phase from the hash of its name, on the wall clock', () => {
    const { clock, add, run, timesOf } = harness();
    add(50, 1000);
    run(3000);
    for (let id = 0; id < 50; id++) {
      const phaseMs = (hash(nameOf(id)) / 2 ** 32) * 1000;
      const last = (timesOf(id).at(-1) ?? 0) + clock.epoch() - clock.now();
      assert.equal(last % 1000, Math.ceil(phaseMs) % 1000);
    }
  });

  test('of a target that backs off follow the phase of the longer interval', () => {
    const { clock, add, run, timesOf } = harness({ slowMs: () => 5000 });
    add(20, 1000);
    run(16_000);
    for (let id = 0; id < 20; id++) {
      const phaseMs = (hash(nameOf(id)) / 2 ** 32) * 5000;
      const times = timesOf(id).map((time) => time + clock.epoch() - clock.now());
      assert.ok(times.length <= 5, `${times.length} pings`);
      assert.equal((times.at(-1) ?? 0) % 5000, Math.ceil(phaseMs) % 5000);
    }
  });

  test('have the same times after a restart', () => {
    const phases = [new FakeClock(), new FakeClock(86_400_777, 1_700_000_012_345)].map((clock) => {
      const { add, run, timesOf } = harness({ clock });
      add(50, 1000);
      run(4000);
      const offset = clock.epoch() - clock.now();
      return Array.from({ length: 50 }, (_, id) => ((timesOf(id).at(-1) ?? 0) + offset) % 1000);
    });
    assert.deepEqual(phases[0], phases[1]);
  });

  test('of a fleet are spread evenly over the interval', () => {
    const { add, run, pings } = harness();
    add(1000, 1000);
    run(4000);
    const tenths = new Array<number>(10).fill(0);
    for (const { atMs } of pings.filter((ping) => ping.atMs > 3000)) {
      const tenth = Math.floor((atMs % 1000) / 100);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) assert.ok(count > 70 && count < 130, `${tenths}`);
  });

  test('are sent within a millisecond of their time when every sleep ends in time', () => {
    const { clock, add, scheduler, turn, pings } = harness();
    add(100, 700);
    while (clock.now() < 5000) {
      const wait = scheduler.msUntilNext(250);
      assert.ok(wait <= 250);
      clock.advance(Math.max(wait, 1));
      turn();
    }
    assert.ok(pings.length > 600);
    for (const { latenessMs } of pings) assert.ok(latenessMs <= 2, `${latenessMs}`);
  });
});

describe('a slow ping', () => {
  test('never overlaps with the next, whatever its duration', () => {
    const durations = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 5, maxLength: 5 });
    const holds = (pingMs: readonly number[], intervalMs: number) => {
      const { add, run, timesOf } = harness({ pingMs: (id) => pingMs[id] ?? 0 });
      add(5, intervalMs);
      run(6000);
      for (const [id, ms] of pingMs.entries()) {
        for (const gap of gaps(timesOf(id))) assert.ok(gap >= ms);
      }
    };
    fc.assert(fc.property(durations, fc.integer({ min: 100, max: 2000 }), holds), { numRuns: 50 });
  });

  test('delays the next until it has ended', () => {
    const { add, run, finish, timesOf } = harness({ pingMs: () => Number.POSITIVE_INFINITY });
    add(1, 1000);
    run(10_000);
    assert.equal(timesOf(0).length, 1);
    finish(0);
    run(1001);
    assert.equal(timesOf(0).length, 2);
  });

  test('keeps the schedule when it ends before the next time', () => {
    const { add, run, timesOf } = harness({ pingMs: () => 900 });
    add(1, 1000);
    run(20_000);
    assert.deepEqual(new Set(gaps(timesOf(0)).slice(-10)), new Set([1000]));
  });

  test('is followed at once when the next time has passed meanwhile', () => {
    const { add, run, timesOf } = harness({ pingMs: () => 1300 });
    add(1, 1000);
    run(20_000);
    for (const gap of gaps(timesOf(0)).slice(2)) assert.ok(gap <= 2000 && gap >= 1300, `${gap}`);
  });

  test('returns when the next is due; infinity for a removed target', () => {
    const { clock, scheduler, add, run, finish } = harness();
    add(1, 1000);
    run(2);
    const due = finish(0);
    assert.ok(due > clock.now() && due <= clock.now() + 1501);
    scheduler.remove(0);
    assert.equal(scheduler.done(0), Number.POSITIVE_INFINITY);
  });
});

describe('after a stall', () => {
  test('no tick starts more than its limit, and every target gets its ping', () => {
    const { clock, scheduler, add, run, pings, perTurn } = harness();
    add(3000, 1000);
    run(5000);
    clock.stall(700);
    const [before, turns] = [pings.length, perTurn.length];
    run(1000);
    assert.equal(Math.max(...perTurn.slice(turns)), scheduler.maxPingsPerTick);
    assert.ok(scheduler.maxPingsPerTick <= 7);
    assert.equal(new Set(pings.slice(before).map(({ id }) => id)).size, 3000);
  });

  test('each ping reports its lateness', () => {
    const { clock, add, run, turn, pings } = harness();
    add(1, 1000);
    run(3000);
    const due = (pings.at(-1)?.atMs ?? 0) + 1000;
    clock.stall(due + 345 - clock.now());
    turn();
    const late = pings.at(-1);
    assert.equal(late?.atMs, due + 345);
    assert.ok(Math.abs((late?.latenessMs ?? 0) - 345) <= 1, `${late?.latenessMs}`);
  });

  test('missed intervals are skipped', () => {
    const { clock, add, run, pings, timesOf } = harness();
    add(100, 1000);
    run(3000);
    const before = pings.length;
    clock.stall(60_000);
    run(1000);
    assert.ok(pings.length - before <= 3 * 100);
    run(3000);
    assert.deepEqual(new Set(gaps(timesOf(0)).slice(-2)), new Set([1000]));
  });
});

describe('a target that is removed', () => {
  test('is no longer pinged, whether it was waiting or in flight', () => {
    const { scheduler, add, run, pings, timesOf } = harness({ pingMs: () => 400 });
    add(3, 1000);
    scheduler.remove(0);
    run(1);
    scheduler.remove(1);
    run(2000);
    assert.deepEqual(timesOf(0), []);
    assert.equal(timesOf(1).length, 1);
    const before = pings.length;
    scheduler.remove(2);
    run(3000);
    assert.equal(pings.length, before);
  });

  test('no longer counts in the limit of a tick', () => {
    const { scheduler, add } = harness();
    const before = scheduler.maxPingsPerTick;
    add(5000, 1000);
    assert.ok(scheduler.maxPingsPerTick >= 10);
    for (let id = 0; id < 5000; id++) scheduler.remove(id);
    assert.equal(scheduler.maxPingsPerTick, before);
  });

  test('has its new interval when added again', () => {
    const { scheduler, add, run, timesOf } = harness();
    add(1, 1000);
    run(2500);
    scheduler.add(0, nameOf(0), 400);
    run(3000);
    assert.deepEqual(new Set(gaps(timesOf(0)).slice(-4)), new Set([400]));
  });
});
