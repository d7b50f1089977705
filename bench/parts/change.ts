/** Changes while pings continue: reloads, additions at run time, reading of lists. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { readDispatcherList } from '../../src/discovery/dispatcher-list.js';
import type { Bench, Part } from '../bench.js';
import { configText, type Exporter, withExporter } from '../exporter.js';
import { atLeast, atMost, duration, grouped, type Row, times } from '../report.js';
import { gained, percentile, quantile, readSums } from '../samples.js';
import { kamailioList } from './kamailio-list.js';

const DESTINATIONS = 10_000;
const CHANGED = 100;
const INTERVAL_SECONDS = 10;
const RELOADS = 8;
/** With a reload, and without one. */
const WINDOW_MS = 2_000;
const MAX_RELOAD_MS = 500;
const MAX_LATE_SECONDS = 0.02;
const LATENESS = 'sip_keepalive_pinger_lateness_seconds_bucket';

const CLIENTS = 16;
const ADDS = 4_000;
const MIN_ADDS = 1_000;

const LINES = 10_000;
const MAX_LIST_MS = 200;

export const change: Part = async (bench) => [
  ...(await reloads(bench)),
  ...(await runtimeDestinations(bench)),
  list(),
  ...(await kamailioList(bench)),
];

async function reloads(bench: Bench): Promise<readonly Row[]> {
  const { stage, farEnd, isQuick, say } = bench;
  say(`${grouped(DESTINATIONS)} destinations are reloaded, ${CHANGED} of them changed`);
  const options = {
    ...{ destinations: DESTINATIONS, intervalSeconds: INTERVAL_SECONDS, isPinned: false },
  };
  return withExporter(bench, options, async (exporter) => {
    await stage.sleep(1000 * INTERVAL_SECONDS);
    const took: number[] = [];
    const [quiet, busy]: [number[], number[]] = [[], []];
    for (let round = 0; round < (isQuick ? 2 : RELOADS); round++) {
      quiet.push(await maxDelay(bench, exporter, async () => {}));
      const own = { first: round % 2 === 0 ? CHANGED : 0, intervalSeconds: INTERVAL_SECONDS - 1 };
      writeFileSync(exporter.file, configText(farEnd.uris(DESTINATIONS), INTERVAL_SECONDS, own));
      const reload = async () => void took.push(await post(`${exporter.url}/-/reload`, ''));
      busy.push(await maxDelay(bench, exporter, reload));
    }
    const worst = Math.max(...took);
    const late = (all: readonly number[]) => all.map((s) => duration(s * 1e6)).join(', ');
    return [
      {
        ...{
          part: 'change',
          what: `reload of ${grouped(DESTINATIONS)} destinations, ${CHANGED} changed`,
        },
        figure: `${duration(1000 * percentile(took, 0.5))}, at most ${duration(1000 * worst)}`,
        ...{ goal: 'under 500 ms', verdict: atMost(worst, MAX_RELOAD_MS) },
      },
      {
        ...{ part: 'change', what: 'upper bound of the send delay meanwhile, by window' },
        figure: late(busy),
        beside: `without a reload: ${late(quiet)}`,
        ...{ goal: 'at most 20 ms more', verdict: verdictOf(quiet, busy) },
      },
    ];
  });
}

/** Buckets give bounds: a window is worse when its bound is higher, and above 25 ms. */
function verdictOf(quiet: readonly number[], busy: readonly number[]): string {
  const limit = Math.max(...quiet, 0.025);
  const worse = busy.filter((bound) => bound - MAX_LATE_SECONDS >= limit).length;
  return worse === 0 ? 'reached' : `missed in ${worse} of ${busy.length}`;
}

/** Upper bound of the send delay of all pings of a window, in seconds. */
async function maxDelay(
  { stage }: Bench,
  { url }: Exporter,
  during: () => Promise<void>,
): Promise<number> {
  const { buckets: before } = await readSums(url, [LATENESS]);
  await stage.sleep(WINDOW_MS / 2);
  await during();
  await stage.sleep(WINDOW_MS / 2);
  const { buckets: after } = await readSums(url, [LATENESS]);
  return quantile(gained(before, after), 1).upTo;
}

async function runtimeDestinations(bench: Bench): Promise<readonly Row[]> {
  const { stage, isQuick, say } = bench;
  say('additions by JSON-RPC, each on disk before the response');
  const folder = join(stage.directory, 'state');
  mkdirSync(folder);
  const flags = ['--web.enable-admin-api', '--state_dir', folder];
  const options = { destinations: 1, intervalSeconds: 30, isPinned: false, flags };
  const count = isQuick ? ADDS / 4 : ADDS;
  const perSecond = await withExporter(bench, options, async ({ url }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
    const began = performance.now();
    let next = 0;
    const client = async () => {
      while (next < count) {
        const uri = `sip:127.77.${next >> 8}.${next++ & 255}:9`;
        const call = { jsonrpc: '2.0', id: 1, method: 'keepalive.add', params: [uri, 'bench'] };
        await post(`${url}/rpc`, JSON.stringify(call), agent);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    agent.destroy();
    return (1000 * count) / (performance.now() - began);
  });
  const bare = await syncsPerSecond(join(folder, 'bare'));
  return [
    {
      ...{ part: 'change', what: `durable additions by ${CLIENTS} clients` },
      figure: `${grouped(Math.round(perSecond))}/s`,
      beside: `write and fdatasync alone: ${grouped(Math.round(bare))}/s; exporter: ${times(perSecond / bare)}`,
      ...{ goal: 'at least 1,000/s', verdict: atLeast(perSecond, MIN_ADDS) },
    },
  ];
}

/** Speed of the disk: each line is on it before the next. */
async function syncsPerSecond(path: string): Promise<number> {
  const file = await open(path, 'w');
  const began = performance.now();
  const count = 500;
  for (let i = 0; i < count; i++) {
    await file.write(`${'x'.repeat(100)}\n`);
    await file.datasync();
  }
  await file.close();
  return (1000 * count) / (performance.now() - began);
}

function list(): Row {
  const lines = Array.from({ length: LINES }, (_, i) => {
    const address = `10.${i >> 14}.${(i >> 7) & 127}.${i & 127}`;
    return `${i % 9} sip:${address}:5060;transport=udp 8 0 duid=gw${i};weight=50;ping_from=sip:p@x.example`;
  });
  const text = lines.join('\n');
  const began = performance.now();
  const { found } = readDispatcherList(text, 'dispatcher.list', () => true);
  const took = performance.now() - began;
  if (found.length !== LINES)
    throw new Error(`expected ${LINES} destinations, got ${found.length}`);
  return {
    ...{ part: 'change', what: `a dispatcher.list of ${grouped(LINES)} lines read` },
    figure: duration(1000 * took),
    ...{ goal: 'under 200 ms', verdict: atMost(took, MAX_LIST_MS) },
  };
}

/** Milliseconds until the response. @throws when it is an error. */
async function post(url: string, body: string, agent?: Agent): Promise<number> {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', ...(agent === undefined ? {} : { agent }) };
    const sent = request(url, options, (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('end', () => {
        const isGood = response.statusCode === 200 && !text.includes('"error"');
        if (isGood) resolve(performance.now() - began);
        else reject(new Error(`${url}: ${response.statusCode} ${text}`));
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
