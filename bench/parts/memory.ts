/** Memory at rest, after the first pings and some scrapes. */

import type { Part } from '../bench.js';
import { CROWD, settledRss } from '../crowd.js';
import { withExporter } from '../exporter.js';
import { atMost, grouped, megabytes, type Row } from '../report.js';

const MANY = 100_000;
const INTERVAL_SECONDS = 30;
const MAX_BYTES = new Map([
  [CROWD, 250e6],
  [MANY, 900e6],
]);

export const memory: Part = async (bench) => {
  const few = (await bench.crowd()).rssBytes;
  bench.say(`${grouped(MANY)} destinations: memory`);
  const options = { destinations: MANY, intervalSeconds: INTERVAL_SECONDS, isPinned: false };
  const many = await withExporter(bench, options, (exporter) => settledRss(bench, exporter));
  return [row(CROWD, few), row(MANY, many)];
};

function row(destinations: number, bytes: number): Row {
  const maxBytes = MAX_BYTES.get(destinations) ?? Number.NaN;
  return {
    part: 'memory',
    what: `memory at ${grouped(destinations)} destinations`,
    figure: megabytes(bytes),
    goal: `under ${megabytes(maxBytes)}`,
    verdict: atMost(bytes, maxBytes),
  };
}
