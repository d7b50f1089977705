/** The exporter under attack, with 500 clean pings per second beside each attack. */

import type { Bench, Part } from '../bench.js';
import type { Attack } from '../hostile/attack.js';
import { dnsAttacks } from '../hostile/dns-attacks.js';
import { CLEAN_DESTINATIONS, type Endured, endure } from '../hostile/endure.js';
import { httpAttacks } from '../hostile/http-attacks.js';
import { listAttacks } from '../hostile/list-attacks.js';
import { peerAttacks } from '../hostile/peer-attacks.js';
import { atMost, duration, grouped, megabytes, type Row, times } from '../report.js';

const MAX_LATE_SECONDS = 0.02;
const MAX_WAIT_MS = 200;
/** Tolerance of the rate: both ends of the window fall between two pings. */
const RATE_SLACK = 0.02;

const CALM: Attack = {
  what: 'no attack',
  prepare: async () => ({ begin: async () => {} }),
};
const ATTACKS = [...dnsAttacks, ...peerAttacks, ...httpAttacks, ...listAttacks];

export const hostile: Part = async (bench) => {
  const calm = await endure(bench, CALM);
  const rows = [...rowsOf(CALM, calm)];
  for (const attack of ATTACKS) rows.push(...(await beside(bench, attack, calm)));
  return rows;
};

/** An attack that fails to run does not stop the others. */
async function beside(bench: Bench, attack: Attack, calm: Endured): Promise<readonly Row[]> {
  try {
    return rowsOf(attack, await endure(bench, attack), calm);
  } catch (error) {
    if (bench.stage.isOver) throw error;
    process.exitCode = 1;
    const figure = error instanceof Error ? error.message : String(error);
    const what = `${attack.what}: failed to run`;
    return [{ part: 'hostile', what, figure: figure.replace(/[\n|]+/g, ' ') }];
  }
}

/** @param calm result without an attack, for comparison. */
function rowsOf(
  { what, blocksOthers = false }: Attack,
  endured: Endured,
  calm?: Endured,
): readonly Row[] {
  const { restarts, own, rssBeforeBytes, rssPeakBytes } = endured;
  const rows: readonly Omit<Row, 'part'>[] = [
    lost(endured),
    late(endured, calm),
    blocksOthers ? withoutGoal(waited(endured, calm)) : waited(endured, calm),
    {
      ...{ what: 'pinger restarts', figure: `${restarts}`, goal: '0' },
      verdict: restarts === 0 ? 'reached' : `missed by ${restarts}`,
    },
    {
      what: 'peak memory',
      figure: `${megabytes(rssPeakBytes)}, ${megabytes(rssBeforeBytes)} before`,
      ...(calm === undefined ? {} : { beside: noAttack(megabytes(calm.rssPeakBytes)) }),
    },
    ...own,
  ];
  return rows.map((row) => ({ ...row, part: 'hostile', what: `${what}: ${row.what}` }));
}

function lost({ clean: { ended, failed, endedPerSecond } }: Endured): Omit<Row, 'part'> {
  const isSlow = endedPerSecond < (1 - RATE_SLACK) * CLEAN_DESTINATIONS;
  const misses = [
    ...(failed > 0 ? [`missed by ${grouped(failed)}`] : []),
    ...(isSlow ? [`only ${endedPerSecond.toFixed(0)}/s completed`] : []),
  ];
  return {
    what: 'clean pings lost',
    figure: `${grouped(failed)} of ${grouped(ended)}`,
    ...{ goal: '0', verdict: misses.join(', ') || 'reached' },
  };
}

function late({ lateness }: Endured, calm?: Endured): Omit<Row, 'part'> {
  const { value, above, upTo } = lateness;
  const bounds = `between ${duration(above * 1e6)} and ${duration(upTo * 1e6)}`;
  const usual = calm?.lateness.value;
  return {
    what: 'send delay, p99',
    figure: `${duration(value * 1e6)} (${bounds})`,
    ...(usual === undefined ? {} : { beside: noAttack(duration(usual * 1e6), value / usual) }),
    ...{ goal: 'under 20 ms', verdict: atMost(value, MAX_LATE_SECONDS) },
  };
}

function waited({ polls }: Endured, calm?: Endured): Omit<Row, 'part'> {
  const { longestMs, medianMs, answered, failed } = polls;
  const usual = calm?.polls.longestMs;
  const verdict = atMost(longestMs, MAX_WAIT_MS);
  return {
    what: 'longest wait of another request',
    figure: `${duration(1000 * longestMs)}, p50 ${duration(1000 * medianMs)}, ${failed} of ${answered} failed`,
    ...(usual === undefined ? {} : { beside: noAttack(duration(1000 * usual), longestMs / usual) }),
    ...{ goal: 'at most 200 ms', verdict: failed === 0 ? verdict : `${verdict}; ${failed} failed` },
  };
}

function withoutGoal({ what, figure, beside = '' }: Omit<Row, 'part'>): Omit<Row, 'part'> {
  return { what, figure, beside };
}

function noAttack(figure: string, ratio?: number): string {
  return `no attack: ${figure}${ratio === undefined ? '' : `, ${times(ratio)}`}`;
}
