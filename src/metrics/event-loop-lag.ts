/**
 * The lag of the main thread's event loop, under the names of `prom-client`. Its own metrics show the
 * interval between two samples, so half a second on an idle process; these show the lag alone.
 */

import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/** Interval of the samples. A shorter one would keep an idle process busy: 10 ms cost a core 1 %. */
const RESOLUTION_MS = 100;

/** What `monitorEventLoopDelay` has collected; in nanoseconds, with the interval. */
export interface DelayHistogram {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  percentile(percentage: number): number;
  reset(): void;
}

interface Lag {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly stddev: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
}

const NONE: Lag = { min: 0, max: 0, mean: 0, stddev: 0, p50: 0, p90: 0, p99: 0 };

const FAMILIES: readonly (readonly [name: string, help: string, value: (lag: Lag) => number])[] = [
  [
    'nodejs_eventloop_lag_seconds',
    'Mean lag of the event loop since the last scrape.',
    (lag) => lag.mean,
  ],
  [
    'nodejs_eventloop_lag_min_seconds',
    'Least lag of the event loop since the last scrape.',
    (lag) => lag.min,
  ],
  [
    'nodejs_eventloop_lag_max_seconds',
    'Greatest lag of the event loop since the last scrape.',
    (lag) => lag.max,
  ],
  [
    'nodejs_eventloop_lag_mean_seconds',
    'Mean lag of the event loop since the last scrape.',
    (lag) => lag.mean,
  ],
  [
    'nodejs_eventloop_lag_stddev_seconds',
    'Standard deviation of the lag since the last scrape.',
    (lag) => lag.stddev,
  ],
  [
    'nodejs_eventloop_lag_p50_seconds',
    'Median lag of the event loop since the last scrape.',
    (lag) => lag.p50,
  ],
  [
    'nodejs_eventloop_lag_p90_seconds',
    '90th percentile of the lag since the last scrape.',
    (lag) => lag.p90,
  ],
  [
    'nodejs_eventloop_lag_p99_seconds',
    '99th percentile of the lag since the last scrape.',
    (lag) => lag.p99,
  ],
];

/** Starts to measure; returns what reads the samples since the last call, once for each scrape. */
export function registerEventLoopLag(
  registry: Registry,
  histogram: DelayHistogram = startHistogram(),
): () => void {
  let lag = NONE;
  for (const [name, help, value] of FAMILIES) {
    new Gauge({
      ...{ name, help, registers: [registry] },
      collect() {
        this.set(value(lag));
      },
    });
  }
  return () => {
    // Two scrapes within one interval have the same samples.
    if (histogram.count === 0) return;
    lag = lagOf(histogram);
    histogram.reset();
  };
}

function startHistogram(): DelayHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** In seconds, without the interval. */
function lagOf(histogram: DelayHistogram): Lag {
  const lag = (nanos: number) => Math.max(nanos / 1e9 - RESOLUTION_MS / 1000, 0);
  return {
    min: lag(histogram.min),
    max: lag(histogram.max),
    mean: lag(histogram.mean),
    stddev: histogram.stddev / 1e9,
    p50: lag(histogram.percentile(50)),
    p90: lag(histogram.percentile(90)),
    p99: lag(histogram.percentile(99)),
  };
}
