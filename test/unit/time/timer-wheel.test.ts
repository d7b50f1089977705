import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { TimerWheel } from '../../../src/pinger/time/timer-wheel.js';

const IDS = 12;
/** Milliseconds of one rotation of the wheel. */
const ROUND_MS = 8192;

/** A naive model of the wheel. */
class Model {
  readonly #timers = new Map<number, { readonly tick: number; readonly order: number }>();
  #sets = 0;
  /** Ticks before this one have been processed. */
  #next = 0;

  get size(): number {
    return this.#timers.size;
  }

  get earliestTick(): number {
    return Math.min(...[...this.#timers.values()].map(({ tick }) => tick));
  }

  set(id: number, atMs: number): void {
    const tick = Math.max(Math.ceil(atMs), this.#next);
    this.#timers.set(id, { tick, order: this.#sets++ });
  }

  clear(id: number): void {
    this.#timers.delete(id);
  }

  tickOf(id: number): number {
    return this.#timers.get(id)?.tick ?? Number.POSITIVE_INFINITY;
  }

  /** Ids that are due, earliest first; those of one tick in the order in which they were set. */
  due(nowMs: number): number[] {
    return [...this.#timers]
      .filter(([, { tick }]) => tick <= nowMs)
      .sort(([, a], [, b]) => a.tick - b.tick || a.order - b.order)
      .map(([id]) => id);
  }

  /** An advance has fired every due timer. */
  turned(nowMs: number): void {
    this.#next = Math.min(
      Math.floor(nowMs) + 1,
      this.size === 0 ? Number.POSITIVE_INFINITY : this.earliestTick,
    );
  }
}

type Step =
  | { readonly do: 'set'; readonly id: number; readonly inMs: number }
  | { readonly do: 'clear'; readonly id: number }
  | { readonly do: 'turn'; readonly afterMs: number; readonly most: number };

function steps(leastFired: number): fc.Arbitrary<Step[]> {
  const id = fc.nat(IDS - 1);
  const fraction = fc.double({ min: 0, max: 30, noNaN: true });
  const ms = fc.oneof(fc.nat(50), fc.nat(4 * ROUND_MS), fraction);
  const most = fc.oneof(fc.constant(IDS), fc.integer({ min: leastFired, max: 3 }));
  return fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('set' as const), id, inMs: ms }),
      fc.record({ do: fc.constant('clear' as const), id }),
      fc.record({ do: fc.constant('turn' as const), afterMs: ms, most }),
    ),
    { maxLength: 60 },
  );
}

type Check = (fired: readonly number[], due: readonly number[], most: number) => void;

/** Runs the steps with wheel and model; `check` runs after every advance. */
function walk(taken: readonly Step[], longestPauseMs: number, check: Check): void {
  const wheel = new TimerWheel(IDS);
  const model = new Model();
  let nowMs = 1000;
  const turn = (most: number) => {
    const due = model.due(nowMs);
    const fired: number[] = [];
    const count = wheel.advance(nowMs, most, (id) => {
      assert.ok(model.tickOf(id) <= nowMs, 'never early, never twice');
      model.clear(id);
      fired.push(id);
    });
    model.turned(nowMs);
    assert.equal(count, fired.length);
    check(fired, due, most);
  };
  for (const step of taken) {
    if (step.do === 'set') {
      wheel.set(step.id, nowMs + step.inMs);
      model.set(step.id, nowMs + step.inMs);
    } else if (step.do === 'clear') {
      wheel.clear(step.id);
      model.clear(step.id);
    } else {
      const untilMs = nowMs + step.afterMs;
      for (; nowMs + longestPauseMs < untilMs; nowMs += longestPauseMs) turn(step.most);
      nowMs = untilMs;
      turn(step.most);
    }
    assert.equal(wheel.size, model.size);
    const wait = wheel.msUntilNext(nowMs, 250);
    assert.ok(wait >= 0 && wait <= 250);
    if (model.size > 0) assert.ok(wait <= Math.max(model.earliestTick - nowMs, 0));
  }
}

const isExact: Check = (fired, due, most) => assert.deepEqual(fired, due.slice(0, most));

describe('the timer wheel, compared with a naive model', () => {
  test('fires due timers, the earliest first, up to the maximum, and keeps the rest due', () => {
    const fires = (taken: readonly Step[]) => walk(taken, 250, isExact);
    fc.assert(fc.property(steps(1), fires), { numRuns: 1000 });
  });

  test('misses no timer after a pause longer than one rotation', () => {
    const fires = (taken: readonly Step[]) =>
      walk(taken, Number.POSITIVE_INFINITY, (fired, due, most) => {
        assert.equal(fired.length, Math.min(due.length, most));
        for (const id of fired) assert.ok(due.includes(id));
      });
    fc.assert(fc.property(steps(0), fires), { numRuns: 1000 });
  });

  test('fires the earliest first after a pause longer than one rotation', () => {
    const fires = (taken: readonly Step[]) => walk(taken, Number.POSITIVE_INFINITY, isExact);
    fc.assert(fc.property(steps(0), fires), { numRuns: 1000 });
  });
});

/** A wheel that records the timers it fires, and calls a callback for each. */
function recording(more: (wheel: TimerWheel, id: number) => void = () => {}) {
  const wheel = new TimerWheel(IDS);
  const fired: number[] = [];
  const turn = (nowMs: number, most = IDS) =>
    wheel.advance(nowMs, most, (id) => {
      fired.push(id);
      more(wheel, id);
    });
  return { wheel, fired, turn };
}

describe('a timer', () => {
  test('that is set again is due at the new time only', () => {
    const { wheel, fired, turn } = recording();
    wheel.set(3, 10);
    wheel.set(3, 20);
    turn(19);
    assert.deepEqual(fired, []);
    turn(20);
    assert.deepEqual(fired, [3]);
  });

  test('set to a time in the past is due at the next advance', () => {
    const { wheel, fired, turn } = recording();
    turn(5000);
    wheel.set(1, 10);
    turn(5001);
    assert.deepEqual(fired, [1]);
  });

  test('fires once', () => {
    const { wheel, fired, turn } = recording();
    wheel.set(1, 10);
    for (let nowMs = 0; nowMs < 3 * ROUND_MS; nowMs += 100) turn(nowMs);
    assert.deepEqual(fired, [1]);
    assert.equal(wheel.size, 0);
  });

  test('several rotations ahead waits for its rotation', () => {
    const { wheel, fired, turn } = recording();
    const dueMs = 2 * ROUND_MS + 7;
    wheel.set(1, dueMs);
    for (let nowMs = 0; nowMs < dueMs; nowMs++) turn(nowMs);
    assert.deepEqual(fired, []);
    turn(dueMs);
    assert.deepEqual(fired, [1]);
  });

  test('can be set again while it fires', () => {
    const { wheel, fired, turn } = recording((w, id) => {
      if (fired.length <= 2) w.set(id, 10 + ROUND_MS);
    });
    wheel.set(1, 10);
    wheel.set(2, 10);
    turn(15);
    assert.deepEqual(fired, [1, 2]);
    turn(10 + ROUND_MS);
    assert.deepEqual(fired, [1, 2, 1, 2]);
  });

  test('that another one clears while firing does not fire', () => {
    const { wheel, fired, turn } = recording((w, id) => {
      if (id === 1) w.clear(2);
    });
    for (const id of [1, 2, 3]) wheel.set(id, 10);
    turn(10);
    assert.deepEqual(fired, [1, 3]);
    assert.equal(wheel.size, 0);
  });

  test('that another one postpones while firing affects no other', () => {
    const { wheel, fired, turn } = recording((w, id) => {
      if (id === 1) w.set(2, 30);
    });
    for (const id of [1, 2, 3]) wheel.set(id, 10);
    turn(10);
    assert.deepEqual(fired, [1, 3]);
    turn(30);
    assert.deepEqual(fired, [1, 3, 2]);
  });
});
