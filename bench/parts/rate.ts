/** The highest rate at which one core loses nothing. */

import type { Bench, Part } from '../bench.js';
import { atLeast, grouped, type Row } from '../report.js';
import { isLossFree, type Steady } from '../steady.js';

const STEP = 5000;
const GOAL_RATE = 20_000;
const MAX = 40_000;

export const rate: Part = async (bench) => {
  const tried = await search(bench);
  const best = Math.max(0, ...tried.filter(isLossFree).map((steady) => steady.pingsPerSecond));
  const goal = `at least ${grouped(GOAL_RATE)}/s`;
  const farEnd = bench.farEnd.isNative ? '' : '; the far end is not in C: no cc';
  return [
    {
      part: 'rate',
      what: 'highest loss-free rate on one core',
      figure: `${grouped(best)} pings/s${farEnd}`,
      goal,
      verdict: atLeast(best, GOAL_RATE),
    },
    ...tried.map(attempt),
  ];
};

/** Upwards from the goal while nothing is lost, else downwards until nothing is lost. */
async function search(bench: Bench): Promise<readonly Steady[]> {
  const tried = [await bench.steady(GOAL_RATE)];
  const holds = () => {
    const last = tried.at(-1);
    return last !== undefined && isLossFree(last);
  };
  const isGoalReached = holds();
  const step = isGoalReached ? STEP : -STEP;
  for (let next = GOAL_RATE + step; next > 0 && next <= MAX; next += step) {
    if (holds() !== isGoalReached) break;
    tried.push(await bench.steady(next));
  }
  return tried;
}

function attempt({ pingsPerSecond, endedPerSecond, failures, retransmissions }: Steady): Row {
  return {
    part: 'rate',
    what: `tried at ${grouped(pingsPerSecond)}/s`,
    figure: `${grouped(Math.round(endedPerSecond))} completed/s, ${grouped(failures)} failed, ${grouped(retransmissions)} retransmitted`,
  };
}
