/** The HTTP API behind the status page, with 10,000 destinations that are pinged meanwhile. */

import type { Bench, Part } from '../bench.js';
import { type Exporter, withExporter } from '../exporter.js';
import { download, type Headers, text } from '../http.js';
import { threadCpuMicros } from '../proc.js';
import { atMost, duration, grouped, type Row } from '../report.js';
import { percentile } from '../samples.js';
import { type Waits, withWaits } from '../waits.js';

const DESTINATIONS = 10_000;
/** As many as one answer has incidents: their port is closed. */
const DOWN = 1_000;
const INTERVAL_SECONDS = 30;
const DOWN_WITHIN_MS = 120_000;
/** Requests before the first that counts: time for the JIT compiler. */
const WARM_UP = 5;
const MAX_MS = 50;
const MAX_SLICE_MS = 20;
/** As a browser asks. */
const GZIP: Headers = { 'accept-encoding': 'gzip' };

const HISTORIES = Array.from({ length: 100 }, (_, i) => `destination=gateway-${i}`).join('&');
const PATHS: Readonly<Record<string, string>> = {
  'the list': '/api/v1/destinations?view=brief',
  '100 histories': `/api/v1/history?${HISTORIES}`,
  'the status': '/api/v1/status',
  [`${grouped(DOWN)} incidents`]: `/api/v1/incidents?limit=${DOWN}`,
};

export const api: Part = async (bench) => {
  bench.say(`the HTTP API with ${grouped(DESTINATIONS)} destinations`);
  const options = {
    ...{ destinations: DESTINATIONS - DOWN, intervalSeconds: INTERVAL_SECONDS, isPinned: false },
    more: Array.from({ length: DOWN }, (_, i) => `  - uri: sip:${i}@127.0.0.1:9\n`).join(''),
  };
  return withExporter(bench, options, async (exporter) => {
    await bench.stage.until(`${DOWN} incidents`, DOWN_WITHIN_MS, () => areDown(exporter));
    const rows: Row[] = [];
    for (const [what, path] of Object.entries(PATHS)) {
      rows.push(await timeRow(bench, exporter, what, path));
    }
    return [...rows, ...(await sliceRows(bench, exporter))];
  });
};

async function areDown({ url }: Exporter): Promise<boolean> {
  const { incidents } = JSON.parse(await text(`${url}/api/v1/incidents?limit=${DOWN}`));
  return incidents.length === DOWN;
}

async function timeRow(
  { isQuick }: Bench,
  { url, pid }: Exporter,
  what: string,
  path: string,
): Promise<Row> {
  await repeat(WARM_UP, url + path);
  const before = threadCpuMicros(pid);
  const times = await repeat(isQuick ? 10 : 40, url + path);
  const cpu = (threadCpuMicros(pid) - before) / times.length;
  const medianMs = percentile(times, 0.5);
  return {
    ...{ part: 'api', what: `${grouped(DESTINATIONS)} destinations: ${what}` },
    figure: `${duration(1000 * medianMs)}, at least ${duration(1000 * Math.min(...times))}`,
    ...{ beside: `${duration(cpu)} of the main thread` },
    ...{ goal: `under ${MAX_MS} ms`, verdict: atMost(medianMs, MAX_MS) },
  };
}

/** What another request waits longer than usual is the longest slice of the main thread, or longer. */
function sliceRows(bench: Bench, { url }: Exporter): Promise<readonly Row[]> {
  const { stage, isQuick } = bench;
  return withWaits(bench, url, async (during) => {
    const rows: Row[] = [];
    const add = async (
      what: string,
      work: Promise<unknown>,
      rest: (ms: number) => Partial<Row>,
    ) => {
      const waits = await during(work);
      const ms = sliceMs(waits);
      const figure = `${duration(1000 * ms)}, p99 ${duration(1000 * waits.p99Ms)}`;
      rows.push({ part: 'api', what, figure, ...rest(ms) });
    };
    await add('longest wait of another request', stage.sleep(isQuick ? 1000 : 3000), () => ({}));
    for (const [what, path] of Object.entries(PATHS)) {
      await add(`the same during ${what}`, repeat(isQuick ? 3 : 10, url + path), (ms) => ({
        ...{ goal: `at most ${MAX_SLICE_MS} ms`, verdict: atMost(ms, MAX_SLICE_MS) },
      }));
    }
    return rows;
  });
}

function sliceMs({ longestMs, medianMs }: Waits): number {
  return longestMs - medianMs;
}

/** Milliseconds of each request, one after the other. */
async function repeat(count: number, url: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) times.push((await download(url, GZIP)).millis);
  return times;
}
