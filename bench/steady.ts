/** The exporter at a constant rate, over a window after a warm-up. */

import { type Exporter, type ExporterOptions, withExporter } from './exporter.js';
import { cpuMicros } from './proc.js';
import { grouped } from './report.js';
import { gained, readSums } from './samples.js';
import type { Scene } from './scene.js';

const FAILURES = 'sip_keepalive_ping_failures_total';
const LATENESS = 'sip_keepalive_pinger_lateness_seconds';
/** Each destination is pinged once a second. */
const INTERVAL_SECONDS = 1;
/** From the first pings to the first reading: time for the JIT compiler. */
const WARM_UP_MS = 2500;
/** From a scrape to the window, so that its cost is not measured. */
const AFTER_SCRAPE_MS = 700;
/** Tolerance of the rate: both ends of the window fall between two batches of pings. */
const RATE_SLACK = 0.02;

export interface Steady {
  readonly pingsPerSecond: number;
  /** CPU time of the process per ping that reached the far end. */
  readonly cpuMicrosPerPing: number;
  /** Pings per second that reached the far end. */
  readonly reachedPerSecond: number;
  readonly failures: number;
  readonly retransmissions: number;
  /** Send delay: cumulative counts by upper bound in seconds. */
  readonly lateness: ReadonlyMap<number, number>;
}

export async function measureSteady(
  scene: Scene,
  pingsPerSecond: number,
  settings: Pick<ExporterOptions, 'logLevel' | 'flags'> = {},
): Promise<Steady> {
  const { logLevel, flags = [] } = settings;
  const how = ['', ...(logLevel === undefined ? [] : ['log.level', logLevel]), ...flags].join(' ');
  scene.say(`the exporter at ${grouped(pingsPerSecond)} pings/s${how}`);
  const options = {
    destinations: pingsPerSecond * INTERVAL_SECONDS,
    intervalSeconds: INTERVAL_SECONDS,
    isPinned: true,
    ...settings,
  };
  return withExporter(scene, options, async (exporter) => {
    await scene.stage.sleep(scene.isQuick ? WARM_UP_MS / 2 : WARM_UP_MS);
    return observe(scene, exporter, pingsPerSecond);
  });
}

/** Every ping was answered, and the rate was reached. */
export function isLossFree({ failures, reachedPerSecond, pingsPerSecond }: Steady): boolean {
  return failures === 0 && reachedPerSecond >= (1 - RATE_SLACK) * pingsPerSecond;
}

async function observe(scene: Scene, exporter: Exporter, rate: number): Promise<Steady> {
  const { stage } = scene;
  const before = await readSums(exporter.url, [FAILURES]);
  await stage.sleep(AFTER_SCRAPE_MS);
  const latenessBefore = await readSums(exporter.url, [LATENESS]);
  await stage.sleep(AFTER_SCRAPE_MS);
  const first = await meter(scene, exporter);
  await stage.sleep(scene.isQuick ? 3000 : 8000);
  const last = await meter(scene, exporter);
  const latenessAfter = await readSums(exporter.url, [LATENESS]);
  const after = await readSums(exporter.url, [FAILURES]);
  const pings = last.requests.pings - first.requests.pings;
  return {
    pingsPerSecond: rate,
    cpuMicrosPerPing: (last.cpu - first.cpu) / pings,
    reachedPerSecond: pings / ((last.atMs - first.atMs) / 1000),
    failures: (after.totals.get(FAILURES) ?? 0) - (before.totals.get(FAILURES) ?? 0),
    retransmissions: last.requests.retransmissions - first.requests.retransmissions,
    lateness: gained(latenessBefore.buckets, latenessAfter.buckets),
  };
}

async function meter({ farEnd }: Scene, { pid }: Exporter) {
  return { atMs: performance.now(), cpu: cpuMicros(pid), requests: await farEnd.requests() };
}
