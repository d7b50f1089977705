import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { AliveWhen } from '../../../src/shared/destination.js';
import {
  combineVotes,
  isAliveCode,
  MAX_RUN,
  nextVerdict,
  type State,
  type Verdict,
} from '../../../src/shared/state.js';

const UNKNOWN: Verdict = { state: 'unknown', run: 0 };

const outcomes = fc.array(fc.boolean(), { maxLength: 60 });
const threshold = fc.integer({ min: 1, max: 6 });

/** The verdict from the whole history, as its definition says. */
function stateByLaw(history: readonly boolean[], rise: number, fall: number): State {
  let state: State = 'unknown';
  for (let i = 1; i <= history.length; i++) {
    const last = (count: number) => (i < count ? [] : history.slice(i - count, i));
    if (last(rise).length > 0 && last(rise).every((isAlive) => isAlive)) state = 'up';
    if (last(fall).length > 0 && last(fall).every((isAlive) => !isAlive)) state = 'down';
  }
  return state;
}

function judgeAll(history: readonly boolean[], rise: number, fall: number): Verdict {
  return history.reduce((verdict, isAlive) => nextVerdict(verdict, isAlive, rise, fall), UNKNOWN);
}

describe('the verdict of a target', () => {
  test('is up after `rise` consecutive alive pings, down after `fall` failed ones', () => {
    const holds = (history: boolean[], rise: number, fall: number) =>
      assert.equal(judgeAll(history, rise, fall).state, stateByLaw(history, rise, fall));
    fc.assert(fc.property(outcomes, threshold, threshold, holds), { numRuns: 1000 });
  });

  test('never changes without `rise` or `fall` equal outcomes in a row', () => {
    const holds = (history: boolean[], rise: number, fall: number) => {
      let before = UNKNOWN;
      for (const [i, isAlive] of history.entries()) {
        const after = nextVerdict(before, isAlive, rise, fall);
        if (after.state !== before.state) {
          const needed = after.state === 'up' ? rise : fall;
          const row = history.slice(i + 1 - needed, i + 1);
          assert.equal(row.length, needed);
          assert.ok(row.every((was) => was === (after.state === 'up')));
        }
        before = after;
      }
    };
    fc.assert(fc.property(outcomes, threshold, threshold, holds), { numRuns: 1000 });
  });

  test('stays unknown until a threshold is reached', () => {
    assert.deepEqual(judgeAll([true, true, false, true, true], 3, 2), { state: 'unknown', run: 2 });
  });

  test('a run is counted up to the largest threshold', () => {
    const up = nextVerdict({ state: 'up', run: MAX_RUN }, true, MAX_RUN, 1);
    assert.deepEqual(up, { state: 'up', run: MAX_RUN });
    const down = nextVerdict({ state: 'down', run: -MAX_RUN }, false, 1, MAX_RUN);
    assert.deepEqual(down, { state: 'down', run: -MAX_RUN });
  });

  test('the thresholds may change between two pings', () => {
    const failing = judgeAll([true, false, false], 1, 5);
    assert.deepEqual(failing, { state: 'up', run: -2 });
    assert.equal(nextVerdict(failing, false, 1, 3).state, 'down');
  });
});

/** Targets with state and priority, and the state of their destination by each rule. */
const COMBINED: readonly (readonly [
  targets: readonly (readonly [State, number])[],
  wanted: Readonly<Record<AliveWhen, State>>,
])[] = [
  [[], { any: 'unknown', all: 'unknown', priority: 'unknown' }],
  [[['unknown', 0]], { any: 'unknown', all: 'unknown', priority: 'unknown' }],
  [[['up', 0]], { any: 'up', all: 'up', priority: 'up' }],
  [[['down', 0]], { any: 'down', all: 'down', priority: 'down' }],
  [
    [
      ['down', 1],
      ['up', 1],
    ],
    { any: 'up', all: 'down', priority: 'up' },
  ],
  [
    [
      ['down', 1],
      ['up', 2],
    ],
    { any: 'up', all: 'down', priority: 'down' },
  ],
  [
    [
      ['up', 1],
      ['down', 2],
    ],
    { any: 'up', all: 'down', priority: 'up' },
  ],
  [
    [
      ['unknown', 1],
      ['up', 2],
    ],
    { any: 'up', all: 'unknown', priority: 'unknown' },
  ],
  [
    [
      ['unknown', 1],
      ['down', 2],
    ],
    { any: 'unknown', all: 'down', priority: 'unknown' },
  ],
  [
    [
      ['unknown', 1],
      ['down', 1],
    ],
    { any: 'unknown', all: 'down', priority: 'unknown' },
  ],
  [
    [
      ['down', 1],
      ['down', 2],
    ],
    { any: 'down', all: 'down', priority: 'down' },
  ],
];

describe('the verdict of a destination', () => {
  for (const [targets, wanted] of COMBINED) {
    for (const aliveWhen of ['any', 'all', 'priority'] as const) {
      test(`by ${aliveWhen} with targets ${JSON.stringify(targets)} is ${wanted[aliveWhen]}`, () => {
        const votes = targets.map(([state, priority]) => ({ state, priority }));
        assert.equal(combineVotes(votes, aliveWhen), wanted[aliveWhen]);
      });
    }
  }

  test('is 1, 2 or -1 for is_alive, and unknown is never up', () => {
    assert.deepEqual((['up', 'down', 'unknown'] as const).map(isAliveCode), [1, 2, -1]);
  });
});
