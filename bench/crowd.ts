/** The exporter with 10,000 destinations: memory, scrapes, and how long other requests wait. */

import { appendFileSync, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { type Exporter, withExporter } from './exporter.js';
import {
  type Download,
  download,
  type Headers,
  LIKE_NATIVE_PROMETHEUS,
  LIKE_PROMETHEUS,
} from './http.js';
import { cpuMicros, rssBytes } from './proc.js';
import { grouped } from './report.js';
import type { Scene } from './scene.js';
import { type Waits, withWaits } from './waits.js';

export const CROWD = 10_000;
const INTERVAL_SECONDS = 30;
const SCRAPES_BEFORE_MEMORY = 3;
export const IDENTITY: Headers = { 'accept-encoding': 'identity' };

export interface Cost {
  /** CPU time of the exporter per scrape. */
  readonly cpuMicros: number;
  readonly bytes: number;
}

/** Each with gzip, but for those that are plain. */
export interface Costs {
  readonly text: Cost;
  readonly plainText: Cost;
  /** With classic and native buckets. */
  readonly protobuf: Cost;
  readonly plainProtobuf: Cost;
  /** With native buckets alone. */
  readonly native: Cost;
  readonly plainNative: Cost;
}

export interface Crowd {
  readonly rssBytes: number;
  readonly plain: readonly Download[];
  readonly gzip: readonly Download[];
  /** Waiting time of another request: without scrapes, and during scrapes. */
  readonly atRest: Waits;
  readonly whilePlain: Waits;
  readonly whileGzip: Waits;
  readonly whileProtobuf: Waits;
  /** What the formats cost, one after the other, several times. */
  readonly costs: Costs;
  /** File with the text of a scrape. */
  readonly file: string;
}

export async function measureCrowd(scene: Scene): Promise<Crowd> {
  const { stage, isQuick, say } = scene;
  say(`${grouped(CROWD)} destinations: memory, scrapes, waits`);
  const options = { destinations: CROWD, intervalSeconds: INTERVAL_SECONDS, isPinned: false };
  return withExporter(scene, options, async (exporter) => {
    const { url } = exporter;
    const rss = await settledRss(scene, exporter);
    const scrapes = isQuick ? 3 : 7;
    const plain = await scrape(url, IDENTITY, scrapes);
    const gzip = await scrape(url, LIKE_PROMETHEUS, scrapes);
    const waits = await longestWaits(scene, url);
    const file = join(stage.directory, 'metrics.txt');
    await save(url, file);
    const costs = await measureCosts(exporter, scrapes);
    return { rssBytes: rss, plain, gzip, ...waits, costs, file };
  });
}

/** Memory after the first pings and some scrapes with the headers of Prometheus. */
export async function settledRss({ stage }: Scene, { pid, url }: Exporter): Promise<number> {
  await stage.sleep(1000);
  await scrape(url, LIKE_PROMETHEUS, SCRAPES_BEFORE_MEMORY);
  await stage.sleep(500);
  return rssBytes(pid);
}

export async function scrape(
  url: string,
  headers: Headers,
  count: number,
): Promise<readonly Download[]> {
  const scrapes: Download[] = [];
  for (let i = 0; i < count; i++) scrapes.push(await download(`${url}/metrics`, headers));
  return scrapes;
}

/** The waits of small requests during scrapes. */
async function longestWaits(scene: Scene, url: string) {
  const { stage, isQuick } = scene;
  const rounds = isQuick ? 2 : 4;
  return withWaits(scene, url, async (during) => ({
    atRest: await during(stage.sleep(isQuick ? 1000 : 2000)),
    whilePlain: await during(scrape(url, IDENTITY, rounds)),
    whileGzip: await during(scrape(url, LIKE_PROMETHEUS, rounds)),
    whileProtobuf: await during(scrape(url, LIKE_NATIVE_PROMETHEUS, rounds)),
  }));
}

async function save(url: string, file: string): Promise<void> {
  const out = createWriteStream(file);
  await download(`${url}/metrics`, IDENTITY, (bytes) => out.write(bytes));
  await new Promise((resolve) => out.end(resolve));
}

const TEXT: Headers = { accept: 'text/plain' };
const PLAIN_PROTOBUF: Headers = { ...LIKE_NATIVE_PROMETHEUS, ...IDENTITY };

/** In turns, so that a busier minute of the machine meets all of them. */
async function measureCosts(exporter: Exporter, rounds: number): Promise<Costs> {
  const both = {
    text: { ...TEXT, 'accept-encoding': 'gzip' },
    plainText: { ...TEXT, ...IDENTITY },
    protobuf: LIKE_NATIVE_PROMETHEUS,
    plainProtobuf: PLAIN_PROTOBUF,
  };
  const costs = await inTurns(exporter, both, rounds);
  appendFileSync(exporter.file, 'metrics: { histograms: native }\n');
  const reload = await fetch(`${exporter.url}/-/reload`, { method: 'POST' });
  if (!reload.ok) throw new Error(`reload: ${await reload.text()}`);
  const native = { native: LIKE_NATIVE_PROMETHEUS, plainNative: PLAIN_PROTOBUF };
  return { ...costs, ...(await inTurns(exporter, native, rounds)) };
}

async function inTurns<const Kinds extends Readonly<Record<string, Headers>>>(
  { pid, url }: Exporter,
  kinds: Kinds,
  rounds: number,
): Promise<Record<keyof Kinds, Cost>> {
  const costs = new Map<string, Cost>();
  for (let round = 0; round <= rounds; round++) {
    for (const [kind, headers] of Object.entries(kinds)) {
      const before = cpuMicros(pid);
      const [{ bytes } = { bytes: 0 }] = await scrape(url, headers, 1);
      const spent = cpuMicros(pid) - before;
      // The first round makes the labels and warms the code up.
      const sum = round < 2 ? 0 : (costs.get(kind)?.cpuMicros ?? 0) * (round - 1);
      costs.set(kind, { bytes, cpuMicros: (sum + spent) / Math.max(round, 1) });
    }
  }
  return Object.fromEntries(costs) as Record<keyof Kinds, Cost>;
}
