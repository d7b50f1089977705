/** Round-trip times of the exporter against a packet capture, during scrapes. */

import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Bench, Part } from '../bench.js';
import { canCapture, captured, type WirePing } from '../capture.js';
import { type Exporter, withExporter } from '../exporter.js';
import { download, LIKE_PROMETHEUS, text } from '../http.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { percentile } from '../samples.js';

const DESTINATIONS = 10_000;
const INTERVAL_SECONDS = 10;
/** Half an interval after the first pings, every destination is pinged at its own phase. */
const SETTLE_MS = 6000;
const WINDOW_MS = 12_000;
const QUICK_WINDOW_MS = 5000;
const SCRAPE_EVERY_MS = 1000;
/** Short enough that no ping is missed between two polls. */
const POLL_EVERY_MS = 4000;
/** The end of a ping in the exporter and in the capture differ by less than this. */
const SAME_PING_MS = 2000;
const MAX_MICROS = { p50: 1, p99: 5 };
const BUSY = fileURLToPath(new URL('../children/busy.js', import.meta.url));

/** A ping as the exporter reports it. */
interface ExporterPing {
  readonly address: string;
  readonly endedAtMs: number;
  readonly rttMicros: number;
}

export const rtt: Part = async (bench) => {
  if (!canCapture) {
    const what = 'round-trip error against a capture';
    return [{ part: 'rtt', what, figure: 'not run: needs tcpdump and root' }];
  }
  return [...(await measure(bench, '')), ...(await besideBusyCores(bench))];
};

/** The same while another program keeps every core busy. */
async function besideBusyCores(bench: Bench): Promise<readonly Row[]> {
  const cores = availableParallelism();
  const among = (left: number): Promise<readonly Row[]> =>
    left === 0
      ? measure(bench, `, with ${cores} cores kept busy`)
      : bench.stage.during([process.execPath, BUSY], () => among(left - 1));
  return among(cores);
}

async function measure(bench: Bench, how: string): Promise<readonly Row[]> {
  const { stage, farEnd, say } = bench;
  say(`round trips against a capture, ${grouped(DESTINATIONS)} destinations${how}`);
  const options = {
    destinations: DESTINATIONS,
    intervalSeconds: INTERVAL_SECONDS,
    isPinned: false,
  };
  return withExporter(bench, options, async (exporter) => {
    await stage.sleep(bench.isQuick ? 0 : SETTLE_MS);
    const { pings, result } = await captured(stage, farEnd.port, () => observe(bench, exporter));
    return report(errors(result.pings, pings), result.pings.length, result.scrapes, how);
  });
}

/** Scrapes each second, and collects every ping that completes meanwhile. */
async function observe({ stage, isQuick }: Bench, exporter: Exporter) {
  const known = new Map<string, ExporterPing>();
  const deadline = performance.now() + (isQuick ? QUICK_WINDOW_MS : WINDOW_MS);
  const beganMs = Date.now();
  const scrapes: number[] = [];
  const scraping = every(SCRAPE_EVERY_MS, async () => {
    scrapes.push((await download(`${exporter.url}/metrics`, LIKE_PROMETHEUS)).millis);
  });
  const polling = every(POLL_EVERY_MS, async () => {
    for (const ping of pingsIn(await text(`${exporter.url}/api/v1/destinations`))) {
      if (ping.endedAtMs > beganMs) known.set(`${ping.address} ${ping.endedAtMs}`, ping);
    }
  });
  await Promise.all([scraping, polling]);
  return { pings: [...known.values()], scrapes };

  async function every(periodMs: number, act: () => Promise<void>): Promise<void> {
    for (let at = performance.now(); at < deadline; at += periodMs) {
      await act();
      await stage.sleep(Math.max(at + periodMs - performance.now(), 0));
    }
    await act();
  }
}

/** The last ping of each target in `/api/v1/destinations`. */
function pingsIn(json: string): readonly ExporterPing[] {
  const { destinations }: { destinations: readonly Described[] } = JSON.parse(json);
  return destinations.flatMap(({ targets }) =>
    targets.flatMap(({ address, last_ping, rtt }) =>
      last_ping === null || rtt === null
        ? []
        : [{ address, endedAtMs: Date.parse(last_ping), rttMicros: rtt * 1e6 }],
    ),
  );
}

interface Described {
  readonly targets: readonly {
    readonly address: string;
    readonly last_ping: string | null;
    readonly rtt: number | null;
  }[];
}

/** Difference between each round-trip time and that of the same ping in the capture, microseconds. */
function errors(reported: readonly ExporterPing[], wire: readonly WirePing[]): readonly number[] {
  const byAddress = new Map<string, WirePing[]>();
  for (const ping of wire) {
    byAddress.set(ping.address, [...(byAddress.get(ping.address) ?? []), ping]);
  }
  return reported.flatMap(({ address, endedAtMs, rttMicros }) => {
    const distance = (ping: WirePing) => Math.abs(ping.answeredAtMs - endedAtMs);
    const nearest = byAddress.get(address)?.sort((a, b) => distance(a) - distance(b))[0];
    if (nearest === undefined || distance(nearest) > SAME_PING_MS) return [];
    return [Math.abs(rttMicros - nearest.rttMicros)];
  });
}

function report(
  errors: readonly number[],
  pings: number,
  scrapes: readonly number[],
  how: string,
): Row[] {
  const part = 'rtt';
  const p50 = percentile(errors, 0.5);
  const p99 = percentile(errors, 0.99);
  const found = `${grouped(errors.length)} of ${grouped(pings)} pings found in the capture`;
  const scraped = `${scrapes.length} scrapes meanwhile, ${duration(1000 * percentile(scrapes, 0.5))} each`;
  return [
    {
      ...{ part, what: `round-trip error against a capture${how}, p50`, figure: duration(p50) },
      ...{ beside: found, goal: 'under 1 us', verdict: atMost(p50, MAX_MICROS.p50) },
    },
    {
      ...{ part, what: 'the same, p99', figure: duration(p99) },
      ...{ beside: scraped, goal: 'under 5 us', verdict: atMost(p99, MAX_MICROS.p99) },
    },
    { part, what: 'the same, max', figure: duration(Math.max(...errors)) },
  ];
}
