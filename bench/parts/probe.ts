/** CPU time of one `/probe` over UDP, of the whole process, with several connections at once. */

import { Agent, get } from 'node:http';
import type { Bench, Part } from '../bench.js';
import { type Exporter, withExporter } from '../exporter.js';
import { address } from '../far-end.js';
import { cpuMicros } from '../proc.js';
import { atMost, duration, grouped, times } from '../report.js';

const CONNECTIONS = 8;
/** Probes before the measurement, so that the code is compiled by then. */
const WARM_UP = 3_000;
const PROBES = 6_000;
/** Different targets: each is probed a few times. */
const TARGETS = 500;
const MAX_MICROS = 750;

export const probe: Part = async (bench) =>
  withExporter(
    bench,
    { destinations: 1, intervalSeconds: 10, isPinned: false },
    async (exporter) => {
      const { farEnd, isQuick, say } = bench;
      say(`/probe over ${CONNECTIONS} connections`);
      const probePath = (n: number) => `/probe?target=sip:${address(n % TARGETS)}:${farEnd.port}`;
      await request(bench, exporter, probePath, isQuick ? 1_000 : WARM_UP);
      const probes = await request(bench, exporter, probePath, isQuick ? 2_000 : PROBES);
      await request(bench, exporter, () => '/-/healthy', 1_000);
      const plain = await request(bench, exporter, () => '/-/healthy', isQuick ? 2_000 : PROBES);
      return [
        {
          ...{ part: 'probe', what: `CPU of one /probe over UDP, ${CONNECTIONS} connections` },
          figure: duration(probes.micros),
          beside: `${times(probes.micros / plain.micros)} a request for /-/healthy`,
          ...{
            goal: `at most ${duration(MAX_MICROS)}`,
            verdict: atMost(probes.micros, MAX_MICROS),
          },
        },
        {
          part: 'probe',
          what: 'probes per second meanwhile',
          figure: grouped(Math.round(probes.perSecond)),
        },
      ];
    },
  );

/** Requests this many paths; each connection sends its next request when it has an answer. */
async function request(
  { stage }: Bench,
  { pid, url }: Exporter,
  path: (n: number) => string,
  count: number,
): Promise<{ readonly micros: number; readonly perSecond: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const [cpuBefore, began] = [cpuMicros(pid), performance.now()];
  let next = 0;
  const connection = async () => {
    while (next < count && !stage.isOver) await succeeds(agent, `${url}${path(next++)}`);
  };
  try {
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  } finally {
    agent.destroy();
  }
  const seconds = (performance.now() - began) / 1000;
  return { micros: (cpuMicros(pid) - cpuBefore) / count, perSecond: count / seconds };
}

/** @throws when the status is not 200, or the answer is that of a probe that failed. */
function succeeds(agent: Agent, url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.once('end', () => {
        if (response.statusCode === 200 && !text.includes('probe_success 0')) resolve();
        else reject(new Error(`${url}: ${response.statusCode} ${text}`));
      });
    }).once('error', reject);
  });
}
