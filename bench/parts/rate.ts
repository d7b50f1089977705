/** The highest rate at which one core loses nothing. */

import type { Bench, Part } from '../bench.js';
import { atLeast, grouped, type Row } from '../report.js';
import { isLossFree, type Steady } from '../steady.js';

const STEP = 5000;
const FIRST_RATE = 20_000;
const GOAL_RATE = 50_000;
const MAX = 60_000;

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

/** Upwards from the first rate while nothing is lost, else downwards until nothing is lost. */
async function search(bench: Bench): Promise<readonly Steady[]> {
  const tried = [await bench.steady(FIRST_RATE)];
  const holds = () => {
    const last = tried.at(-1);
    return last !== undefined && isLossFree(last);
  };
  const isUpwards = holds();
  const step = isUpwards ? STEP : -STEP;
  for (let next = FIRST_RATE + step; next > 0 && next <= MAX; next += step) {
    if (holds() !== isUpwards) break;
    tried.push(await bench.steady(next));
  }
  return tried;
}

function attempt({ pingsPerSecond, reachedPerSecond, failures, retransmissions }: Steady): Row {
  return {
    part: 'rate',
    what: `tried at ${grouped(pingsPerSecond)}/s`,
    figure: `${grouped(Math.round(reachedPerSecond))} sent/s, ${grouped(failures)} failed, ${grouped(retransmissions)} retransmitted`,
  };
}
