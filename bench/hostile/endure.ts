/** Measures the exporter under an attack: 500 clean pings per second, and requests of other clients. */

import { type Exporter, withExporter } from '../exporter.js';
import { rssBytes } from '../proc.js';
import { gained, type Quantile, quantile, readSums } from '../samples.js';
import type { Scene } from '../scene.js';
import { type Attack, Attackers, type OwnFigure, type Prepared } from './attack.js';
import { type PollReport, Polls } from './polls.js';

export const CLEAN_DESTINATIONS = 500;
const INTERVAL_SECONDS = 1;
const SETTLE_MS = 2_500;
const POLL_EVERY_MS = 50;
const RSS_EVERY_MS = 100;
/** From a scrape to the window, so that its cost is not measured. */
const AFTER_SCRAPE_MS = 700;
const WINDOW_MS = 10_000;
const QUICK_WINDOW_MS = 3_000;
const MAX_WINDOW_MS = 60_000;
/** Start of the labels of clean destinations. */
const CLEAN = '{destination="gateway-';
const PINGS = `sip_keepalive_pings_total${CLEAN}`;
const FAILURES = `sip_keepalive_ping_failures_total${CLEAN}`;
const RESTARTS = 'sip_keepalive_pinger_restarts_total';
const LATENESS = 'sip_keepalive_pinger_lateness_seconds';

export interface Endured {
  readonly clean: {
    readonly ended: number;
    readonly failed: number;
    /** Upper bound: a scrape counts pings at some time between its start and its end. */
    readonly endedPerSecond: number;
  };
  /** The ninety-ninth percentile, in seconds. */
  readonly lateness: Quantile;
  readonly polls: PollReport;
  readonly restarts: number;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
  readonly own: readonly OwnFigure[];
}

export async function endure(scene: Scene, attack: Attack): Promise<Endured> {
  scene.say(`hostile: ${attack.what}`);
  const attackers = new Attackers(scene);
  try {
    const prepared = await attack.prepare(attackers);
    const options = {
      ...{ destinations: CLEAN_DESTINATIONS, intervalSeconds: INTERVAL_SECONDS, isPinned: false },
      ...prepared.exporter,
    };
    return await withExporter(scene, options, async (exporter) => {
      await scene.stage.sleep(prepared.settleMs ?? SETTLE_MS);
      return withPolls(scene, exporter, prepared, (polls) =>
        observe(scene, exporter, prepared, polls),
      );
    });
  } finally {
    await attackers.stop();
  }
}

async function withPolls<T>(
  { stage, farEnd }: Scene,
  { url }: Exporter,
  { exporter, pollEveryMs: everyMs = POLL_EVERY_MS }: Prepared,
  use: (polls: Polls) => Promise<T>,
): Promise<T> {
  const destination = encodeURIComponent(farEnd.uris(1).join());
  const polls = await Polls.start(stage, {
    ...{ url, authorization: exporter?.headers?.['authorization'] ?? '', everyMs },
    paths: ['/-/healthy', `/alive?destination=${destination}`],
  });
  try {
    return await use(polls);
  } finally {
    await polls.stop();
  }
}

async function observe(
  scene: Scene,
  exporter: Exporter,
  prepared: Prepared,
  polls: Polls,
): Promise<Endured> {
  const { stage, isQuick } = scene;
  const headers = prepared.exporter?.headers ?? {};
  const before = await counted(exporter, headers);
  const lateBefore = await readSums(exporter.url, [LATENESS], headers);
  await polls.report();
  await stage.sleep(AFTER_SCRAPE_MS);
  const calm = await polls.report();
  const rssBeforeBytes = rssBytes(exporter.pid);

  const beganMs = performance.now();
  await prepared.begin(exporter);
  const windowMs = isQuick ? QUICK_WINDOW_MS : WINDOW_MS;
  const rssPeakBytes = await rssPeak(scene, exporter, windowMs, prepared.isEnough);
  const report = await polls.report();

  const lateAfter = await readSums(exporter.url, [LATENESS], headers);
  const after = await counted(exporter, headers);
  const own = await prepared.report?.(exporter, {
    ...{ seconds: (performance.now() - beganMs) / 1000, rssBeforeBytes, rssPeakBytes },
    ...{ longestWaitMs: report.longestMs, calmWaitMs: calm.medianMs },
  });
  const ended = after.pings - before.pings;
  return {
    clean: {
      ...{ ended, failed: after.failures - before.failures },
      endedPerSecond: (1000 * ended) / (after.fromMs - before.toMs),
    },
    lateness: quantile(gained(lateBefore.buckets, lateAfter.buckets), 0.99),
    ...{ polls: report, restarts: after.restarts - before.restarts },
    ...{ rssBeforeBytes, rssPeakBytes, own: own ?? [] },
  };
}

async function counted({ url }: Exporter, headers: Readonly<Record<string, string>>) {
  const fromMs = performance.now();
  const { totals } = await readSums(url, [PINGS, FAILURES, RESTARTS], headers);
  const toMs = performance.now();
  const of = (family: string) => totals.get(family) ?? 0;
  const [pings, failures, restarts] = [of(PINGS), of(FAILURES), of(RESTARTS)];
  return { fromMs, toMs, pings, failures, restarts };
}

/** Peak resident memory, bytes, over the window and until the attack did enough. */
async function rssPeak(
  { stage }: Scene,
  { pid }: Exporter,
  windowMs: number,
  isEnough = async () => true,
): Promise<number> {
  const began = performance.now();
  let peak = rssBytes(pid);
  while (performance.now() - began < windowMs || !(await isEnough())) {
    if (performance.now() - began > MAX_WINDOW_MS) break;
    await stage.sleep(RSS_EVERY_MS);
    peak = Math.max(peak, rssBytes(pid));
  }
  return peak;
}
