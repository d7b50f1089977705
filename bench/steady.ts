/** The exporter at a rate, over a window that begins when it has settled. */

import type { Bench } from './bench.js';
import { type Exporter, withExporter } from './exporter.js';
import { cpuMicros } from './proc.js';
import { grouped } from './report.js';
import { gained, readSums, type Sums } from './samples.js';

const PINGS = 'sip_keepalive_pings_total';
const FAILURES = 'sip_keepalive_ping_failures_total';
const LATENESS = 'sip_keepalive_pinger_lateness_seconds';
/** Each destination is pinged once a second. */
const INTERVAL_SECONDS = 1;
/** From the first pings to the first reading: time for the compiler to do its work. */
const WARM_UP_MS = 2500;
/** From a scrape to the window: what it cost must be over. */
const AFTER_SCRAPE_MS = 700;
/** What may be missing from the rate, since both ends of the window fall between two pings. */
const RATE_SLACK = 0.02;

export interface Steady {
  readonly pingsPerSecond: number;
  /** CPU time of the whole process over the pings that reached the far end. */
  readonly cpuMicrosPerPing: number;
  /** Pings that ended, a second. */
  readonly endedPerSecond: number;
  readonly failures: number;
  readonly retransmissions: number;
  /** How late pings left: cumulative counts by upper bound in seconds. */
  readonly lateness: ReadonlyMap<number, number>;
}

export async function measureSteady(bench: Bench, pingsPerSecond: number): Promise<Steady> {
  bench.say(`the exporter at ${grouped(pingsPerSecond)} pings/s`);
  const options = {
    destinations: pingsPerSecond * INTERVAL_SECONDS,
    intervalSeconds: INTERVAL_SECONDS,
    isPinned: true,
  };
  return withExporter(bench, options, async (exporter) => {
    await bench.stage.sleep(bench.isQuick ? WARM_UP_MS / 2 : WARM_UP_MS);
    return observe(bench, exporter, pingsPerSecond);
  });
}

/** Every ping was answered, and there were as many as there should have been. */
export function isLossFree({ failures, endedPerSecond, pingsPerSecond }: Steady): boolean {
  return failures === 0 && endedPerSecond >= (1 - RATE_SLACK) * pingsPerSecond;
}

async function observe(bench: Bench, exporter: Exporter, rate: number): Promise<Steady> {
  const { stage } = bench;
  const before = await ended(exporter);
  await stage.sleep(AFTER_SCRAPE_MS);
  const latenessBefore = await readSums(exporter.url, [LATENESS]);
  await stage.sleep(AFTER_SCRAPE_MS);
  const first = await meter(bench, exporter);
  await stage.sleep(bench.isQuick ? 3000 : 8000);
  const last = await meter(bench, exporter);
  const latenessAfter = await readSums(exporter.url, [LATENESS]);
  const after = await ended(exporter);
  const grew = (family: string) =>
    (after.sums.totals.get(family) ?? 0) - (before.sums.totals.get(family) ?? 0);
  return {
    pingsPerSecond: rate,
    cpuMicrosPerPing: (last.cpu - first.cpu) / (last.requests.pings - first.requests.pings),
    endedPerSecond: grew(PINGS) / ((after.atMs - before.atMs) / 1000),
    failures: grew(FAILURES),
    retransmissions: last.requests.retransmissions - first.requests.retransmissions,
    lateness: gained(latenessBefore.buckets, latenessAfter.buckets),
  };
}

/** How many pings have ended, and when that was asked. */
async function ended({ url }: Exporter): Promise<{ readonly atMs: number; readonly sums: Sums }> {
  const atMs = performance.now();
  return { atMs, sums: await readSums(url, [PINGS, FAILURES]) };
}

async function meter({ farEnd }: Bench, { pid }: Exporter) {
  return { cpu: cpuMicros(pid), requests: await farEnd.requests() };
}
