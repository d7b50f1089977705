import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { hash, type Pause, Scheduler } from '../../../src/pinger/time/scheduler.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Ping {
  readonly id: number;
  readonly atMs: number;
  readonly latenessMs: number;
}

/** A scheduler whose pings take some time, with a tick every millisecond. */
function harness(
  options: { clock?: FakeClock; pingMs?: (id: number) => number; pause?: () => Pause } = {},
) {
  const { clock = new FakeClock(), pingMs = () => 10, pause } = options;
  /** By ID. */
  const intervals: number[] = [];
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
    return scheduler.done(id, pause?.() ?? { ms: intervals[id] ?? 0, isExact: false });
  };
  const addOne = (id: number, name: string, intervalMs: number) => {
    intervals[id] = intervalMs;
    scheduler.add(id, name, intervalMs);
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
    addOne,
    /** Adds this many targets, with names like those of a real fleet. */
    add(count: number, intervalMs: number) {
      for (let id = 0; id < count; id++) addOne(id, nameOf(id), intervalMs);
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
    const it = harness();
    it.add(10, 30_000);
    it.run(5000);
    it.addOne(10, 'late comer', 30_000);
    it.run(2);
    assert.equal(it.timesOf(10).length, 1);
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

  for (const [what, ms] of [
    ['longer', 5000],
    ['shorter', 400],
  ] as const) {
    test(`with a ${what} pause follow the phase within that pause`, () => {
      const it = harness({ pause: () => ({ ms, isExact: false }) });
      it.add(20, 1000);
      it.run(16_000);
      const { clock } = it;
      for (let id = 0; id < 20; id++) {
        const phaseMs = (hash(nameOf(id)) / 2 ** 32) * ms;
        const times = it.timesOf(id).map((time) => time + clock.epoch() - clock.now());
        assert.ok(Math.abs(times.length - 16_000 / ms) <= 2, `${times.length} pings`);
        assert.equal((times.at(-1) ?? 0) % ms, Math.ceil(phaseMs) % ms);
      }
    });
  }

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
    assert.equal(finish(0), Number.POSITIVE_INFINITY);
  });

  test('does not make the next one late', () => {
    const { add, run, pings } = harness({ pingMs: () => 1300 });
    add(1, 1000);
    run(20_000);
    for (const { latenessMs } of pings) assert.ok(latenessMs <= 1, `${latenessMs}`);
  });
});

describe('an exact pause', () => {
  test('is counted from the time at which the last ping was due, however long that took', () => {
    for (const durationMs of [0, 150, 290]) {
      const it = harness({ pingMs: () => durationMs, pause: () => ({ ms: 300, isExact: true }) });
      it.add(20, 10_000);
      it.run(5000);
      for (let id = 0; id < 20; id++) {
        assert.deepEqual(new Set(gaps(it.timesOf(id))), new Set([300]), `${durationMs} ms`);
      }
    }
  });

  test('that has passed during the ping is followed at once, at a multiple of it', () => {
    const it = harness({ pingMs: () => 450, pause: () => ({ ms: 300, isExact: true }) });
    it.add(1, 10_000);
    it.run(5000);
    const times = it.timesOf(0);
    assert.ok(gaps(times).every((gap) => gap >= 450 && gap <= 600));
    for (const { latenessMs } of it.pings) assert.ok(latenessMs <= 1, `${latenessMs}`);
  });

  test('keeps the distances of targets whose pings all end at the same time', () => {
    let isStuck = true;
    const pingMs = () => (isStuck ? Number.POSITIVE_INFINITY : 10);
    const it = harness({ pingMs, pause: () => ({ ms: 2000, isExact: true }) });
    it.add(200, 30_000);
    it.run(10_000);
    const before = Array.from({ length: 200 }, (_, id) => it.timesOf(id)[0] ?? 0);
    isStuck = false;
    for (let id = 0; id < 200; id++) it.finish(id);
    it.run(5000);
    for (const [id, time] of before.entries()) {
      assert.equal(((it.timesOf(id).at(-1) ?? 0) - time) % 2000, 0);
    }
  });

  test('is left for the phase within the interval, as if there had been none', () => {
    let isExact = false;
    const pause = () => ({ ms: isExact ? 300 : 1000, isExact });
    const it = harness({ pause });
    it.add(20, 1000);
    it.run(3000);
    const phases = Array.from({ length: 20 }, (_, id) => (it.timesOf(id).at(-1) ?? 0) % 1000);
    isExact = true;
    it.run(2000);
    isExact = false;
    it.run(3000);
    for (const [id, phase] of phases.entries()) {
      assert.equal((it.timesOf(id).at(-1) ?? 0) % 1000, phase);
    }
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

  test('counts in the limit of a tick by its current pause until then', () => {
    const pause = { ms: 5000, isExact: false };
    const { scheduler, add, run } = harness({ pause: () => pause });
    const before = scheduler.maxPingsPerTick;
    add(10_000, 10_000);
    run(6000);
    assert.equal(scheduler.maxPingsPerTick, before);
    pause.ms = 500;
    run(8000);
    assert.equal(scheduler.maxPingsPerTick, 40);
    pause.ms = 5000;
    run(1000);
    assert.equal(scheduler.maxPingsPerTick, before);
    for (let id = 0; id < 10_000; id++) scheduler.remove(id);
    assert.equal(scheduler.maxPingsPerTick, before);
  });

  test('has its new interval when added again', () => {
    const it = harness();
    it.add(1, 1000);
    it.run(2500);
    it.addOne(0, nameOf(0), 400);
    it.run(3000);
    assert.deepEqual(new Set(gaps(it.timesOf(0)).slice(-4)), new Set([400]));
  });
});
