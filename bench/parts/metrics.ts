/** Time of a scrape against the same series in stock prom-client, and how long other requests wait. */

import { fileURLToPath } from 'node:url';
import type { Bench, Part } from '../bench.js';
import { type Cost, type Costs, CROWD, type Crowd, IDENTITY, scrape } from '../crowd.js';
import type { Download } from '../http.js';
import { freeTcpPort } from '../machine.js';
import { atLeast, atMost, duration, grouped, megabytes, type Row, times } from '../report.js';
import { percentile } from '../samples.js';
import type { Waits } from '../waits.js';

const RENDERER = fileURLToPath(new URL('../children/prom-client.js', import.meta.url));
const FASTER = 5;
const MAX_WAIT_MS = 20;
const MAX_PROTOBUF_WAIT_MS = 10;
/** CPU time of a protobuf scrape as a share of a text one. */
const MAX_SHARE = 0.6;
const MAX_NATIVE_SHARE = 0.25;
const MAX_NATIVE_BYTES = 1e6;

export const metrics: Part = async (bench) => {
  const crowd = await bench.crowd();
  const { plain, gzip, atRest, whilePlain, whileGzip, whileProtobuf, costs } = crowd;
  const stock = await serveStock(bench, crowd);
  const ratio = medianMs(stock.plain) / medianMs(plain);
  const part = 'metrics';
  return [
    {
      ...{ part, what: `GET /metrics of ${grouped(CROWD)} destinations, plain` },
      ...{ figure: timeAndSize(plain), beside: `prom-client takes ${times(ratio)} as long` },
      ...{ goal: `prom-client at least ${FASTER}x`, verdict: atLeast(ratio, FASTER) },
    },
    { part, what: 'the same, gzip and OpenMetrics', figure: timeAndSize(gzip) },
    {
      ...{ part, what: `the same ${grouped(stock.series)} series in stock prom-client, plain` },
      figure: timeAndSize(stock.plain),
      beside: `${duration(stock.renderingMs * 1000)} of it for rendering: ${times(stock.renderingMs / medianMs(plain))} the exporter's whole response`,
    },
    {
      ...waitRow('longest wait of another request during gzip scrapes', whileGzip),
      beside: `${longest(atRest)} with no scrape`,
    },
    waitRow('the same during plain scrapes', whilePlain),
    waitRow('the same during protobuf scrapes', whileProtobuf, MAX_PROTOBUF_WAIT_MS),
    ...costRows(costs),
  ];
};

/** Serves the same series from stock prom-client, and scrapes them the same way. */
async function serveStock({ stage, isQuick, say }: Bench, { file }: Crowd) {
  say('the same series in stock prom-client');
  const port = await freeTcpPort();
  const command = [process.execPath, RENDERER, file, String(port)];
  return stage.during(command, async (running) => {
    const series = Number(await running.line());
    const plain = await scrape(`http://127.0.0.1:${port}`, IDENTITY, isQuick ? 3 : 5);
    return { series, plain, renderingMs: Number(await running.ask('')) };
  });
}

/** CPU time and size of protobuf against the text format, which has classic buckets. */
function costRows(costs: Costs): readonly Row[] {
  const { text, plainText, protobuf, plainProtobuf, native, plainNative } = costs;
  const share = protobuf.cpuMicros / text.cpuMicros;
  const plainShare = plainProtobuf.cpuMicros / plainText.cpuMicros;
  const cost = ({ cpuMicros, bytes }: Cost) => `${duration(cpuMicros)} of CPU, ${megabytes(bytes)}`;
  return [
    {
      ...{ part: 'metrics', what: 'protobuf with classic and native buckets, gzip' },
      ...{ figure: cost(protobuf), beside: `text: ${cost(text)}` },
      ...{ goal: `at most ${MAX_SHARE}x`, verdict: atMost(share, MAX_SHARE) },
    },
    {
      ...{ part: 'metrics', what: 'the same, plain' },
      ...{ figure: cost(plainProtobuf), beside: `text: ${cost(plainText)}` },
      ...{ goal: `at most ${MAX_SHARE}x`, verdict: atMost(plainShare, MAX_SHARE) },
    },
    {
      ...{ part: 'metrics', what: 'protobuf with native buckets alone, plain' },
      ...{ figure: cost(plainNative), beside: `text: ${megabytes(plainText.bytes)}` },
      goal: `at most ${times(MAX_NATIVE_SHARE)} of text`,
      verdict: atMost(plainNative.bytes, MAX_NATIVE_SHARE * plainText.bytes),
    },
    {
      ...{ part: 'metrics', what: 'the same, gzip', figure: cost(native) },
      ...{ goal: `under ${megabytes(MAX_NATIVE_BYTES)}` },
      verdict: atMost(native.bytes, MAX_NATIVE_BYTES),
    },
  ];
}

function waitRow(what: string, waits: Waits, maxMs = MAX_WAIT_MS): Row {
  return {
    part: 'metrics',
    what,
    figure: `${longest(waits)}, p99 ${duration(waits.p99Ms * 1000)}`,
    goal: `at most ${maxMs} ms`,
    verdict: atMost(waits.longestMs, maxMs),
  };
}

function longest({ longestMs }: Waits): string {
  return duration(longestMs * 1000);
}

function timeAndSize(scrapes: readonly Download[]): string {
  return `${duration(medianMs(scrapes) * 1000)}, ${megabytes(scrapes[0]?.bytes ?? 0)}`;
}

function medianMs(scrapes: readonly Download[]): number {
  return percentile(
    scrapes.map(({ millis }) => millis),
    0.5,
  );
}
