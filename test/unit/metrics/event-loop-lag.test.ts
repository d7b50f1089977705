import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import { type DelayHistogram, registerEventLoopLag } from '../../../src/metrics/event-loop-lag.js';

/** Intervals of 100 ms, of which some began late. */
function fakeHistogram(seconds: Record<'min' | 'max' | 'mean' | 'stddev' | 'p', number>) {
  const nanos = (value: number) => value * 1e9;
  const histogram = {
    count: 3,
    ...{ min: nanos(seconds.min), max: nanos(seconds.max), mean: nanos(seconds.mean) },
    stddev: nanos(seconds.stddev),
    percentile: (percentage: number) => nanos(seconds.p + percentage / 1_000),
    reset: () => {
      histogram.count = 0;
    },
  };
  return histogram satisfies DelayHistogram;
}

async function valuesOf(registry: Registry): Promise<Record<string, number>> {
  const text = await registry.metrics();
  const samples = text.matchAll(/^nodejs_eventloop_(lag\w*?)_seconds (\S+)$/gm);
  return Object.fromEntries([...samples].map(([, name, value]) => [name, Number(value)]));
}

test('the lag of the event loop has nothing of the interval between its samples', async () => {
  const registry = new Registry();
  const histogram = fakeHistogram({ min: 0.099, max: 0.35, mean: 0.15, stddev: 0.05, p: 0.1 });
  const read = registerEventLoopLag(registry, histogram);
  read();
  const rounded = Object.entries(await valuesOf(registry)).map(
    ([name, value]) => [name, Math.round(value * 1e6) / 1e6] as const,
  );
  assert.deepEqual(Object.fromEntries(rounded), {
    ...{ lag: 0.05, lag_min: 0, lag_max: 0.25, lag_mean: 0.05, lag_stddev: 0.05 },
    ...{ lag_p50: 0.05, lag_p90: 0.09, lag_p99: 0.099 },
  });
});

test('two scrapes within one interval show the same lag', async () => {
  const registry = new Registry();
  const read = registerEventLoopLag(
    registry,
    fakeHistogram({ min: 0.2, max: 0.2, mean: 0.2, stddev: 0, p: 0.2 }),
  );
  assert.equal((await valuesOf(registry))['lag_max'], 0, 'before the first sample');
  read();
  const first = await valuesOf(registry);
  read();
  assert.deepEqual(await valuesOf(registry), first);
});

test('the lag of a loop that is held up is measured', async () => {
  const registry = new Registry();
  const read = registerEventLoopLag(registry);
  await sleep(250);
  const end = performance.now() + 300;
  while (performance.now() < end);
  await sleep(250);
  read();
  const { lag_max: longest = 0 } = await valuesOf(registry);
  assert.ok(longest > 0.15, String(longest));
});
