/** Attacks by http_sd servers with huge lists. */

import type { Exporter } from '../exporter.js';
import { rssBytes } from '../proc.js';
import { atMost, duration, megabytes, percent } from '../report.js';
import { readSums } from '../samples.js';
import type { Scene } from '../scene.js';
import type { Attack, Attacker, Course, OwnFigure } from './attack.js';

const REFRESH_SECONDS = 2;
const POLL_EVERY_MS = 20;
/** From the end of the window to the last reading of the memory. */
const LATER_MS = 60_000;
const QUICK_LATER_MS = 5_000;
const MAX_BLOCK_MS = 50;
const MAX_GROWTH = 0.2;
const SOURCE_UP = 'sip_keepalive_discovery_up{';

export const listAttacks: readonly Attack[] = [
  list('http_sd: 60 MB, one target 4.5 million times', 'same', 4_500_000),
  list('http_sd: 1.5 million distinct targets', 'distinct', 1_500_000),
];

/** The list is requested every two seconds, and is empty after the window. */
function list(what: string, kind: string, count: number): Attack {
  return {
    what,
    prepare: async (attackers) => {
      const server = await attackers.start('list-attack', kind, String(count));
      const source = `url: "http://127.0.0.1:${server.port}", refresh_interval: ${REFRESH_SECONDS}`;
      return {
        exporter: { more: `discovery: { http_sd: [{ ${source} }] }\n` },
        pollEveryMs: POLL_EVERY_MS,
        begin: async () => void (await server.ask('big')),
        // The exporter requests a list after it has processed the previous one.
        isEnough: async () => Number.parseInt(await server.ask('big'), 10) > 1,
        report: (exporter, course) => report(attackers.scene, exporter, server, course),
      };
    },
  };
}

async function report(
  scene: Scene,
  exporter: Exporter,
  server: Attacker,
  course: Course,
): Promise<readonly OwnFigure[]> {
  const { totals } = await readSums(exporter.url, [SOURCE_UP]);
  const isUp = totals.get(SOURCE_UP) === 1;
  const [requests = 0, bytes = 0] = (await server.ask('small')).split(' ').map(Number);
  const blockMs = Math.max(0, course.longestWaitMs - course.calmWaitMs);
  return [
    {
      ...{ what: 'longest block of the main thread', figure: duration(1000 * blockMs) },
      ...{ goal: 'at most 50 ms', verdict: atMost(blockMs, MAX_BLOCK_MS) },
    },
    await memoryLater(scene, exporter, course),
    {
      what: 'lists served',
      figure: `${requests} of ${megabytes(bytes)}, discovery_up ${isUp ? 1 : 0}`,
    },
  ];
}

async function memoryLater(
  { stage, isQuick }: Scene,
  { pid }: Exporter,
  { rssBeforeBytes: before, rssPeakBytes }: Course,
): Promise<OwnFigure> {
  const laterMs = isQuick ? QUICK_LATER_MS : LATER_MS;
  await stage.sleep(laterMs);
  const later = rssBytes(pid);
  const peak = Math.max(rssPeakBytes, later);
  return {
    what: `memory ${laterMs / 1000} s later`,
    figure: `${megabytes(later)}, ${megabytes(before)} before, peak ${megabytes(peak)}`,
    goal: `within ${percent(MAX_GROWTH)} of before`,
    verdict: atMost(later, (1 + MAX_GROWTH) * before),
  };
}
