/** CPU time per ping of the exporter and of others. */

import type { Bench, Part } from '../bench.js';
import { bareUdp } from '../contenders/bare-udp.js';
import { cLoop } from '../contenders/c-loop.js';
import type { Contender, Cost } from '../contenders/contender.js';
import { kamailio } from '../contenders/kamailio.js';
import { sipSend } from '../contenders/sip-send.js';
import { atMost, duration, grouped, percent, type Row, times } from '../report.js';
import { measureSteady } from '../steady.js';

const RATES = [1000, 5000, 20_000];
/** Few enough lines that none is dropped. */
const DEBUG_RATE = 1000;
/** Kamailio cannot do much more on one core, and takes long to start. */
const KAMAILIO_RATES = [1000, 5000];
/** Losses up to this are not reported. */
const NEGLIGIBLE_LOSS = 0.0005;

interface Rival {
  readonly name: string;
  readonly contender: Contender;
  readonly rates: readonly number[];
  /** Why it may be missing. */
  readonly missing: string;
  /** By rate: limit of the exporter's cost, as a multiple of this one. */
  readonly goals?: Readonly<Record<number, number>>;
}

const RIVALS: readonly Rival[] = [
  {
    name: 'C loop',
    contender: cLoop,
    rates: RATES,
    missing: 'no cc',
    goals: { 1000: 0.6, 5000: 1, 20000: 1 },
  },
  {
    name: 'Kamailio keepalive',
    contender: kamailio,
    rates: KAMAILIO_RATES,
    missing: 'not installed',
    goals: { 1000: 0.6, 5000: 0.25 },
  },
  {
    name: "the exporter's sockets without SIP",
    contender: bareUdp,
    rates: RATES,
    missing: 'no koffi',
  },
  { name: 'sip.send', contender: sipSend, rates: RATES, missing: '' },
];

export const cpu: Part = async (bench) => {
  const rows: Row[] = [];
  for (const rate of RATES) rows.push(...(await atRate(bench, rate)));
  rows.push(await debugged(bench));
  return rows;
};

/** With two lines per ping: one for the request, one for the response. */
async function debugged(bench: Bench): Promise<Row> {
  const { cpuMicrosPerPing: quiet } = await bench.steady(DEBUG_RATE);
  const { cpuMicrosPerPing } = await measureSteady(bench, DEBUG_RATE, { logLevel: 'debug' });
  return {
    part: 'cpu',
    what: `with log.level debug at ${grouped(DEBUG_RATE)}/s`,
    figure: duration(cpuMicrosPerPing),
    beside: `without: ${times(cpuMicrosPerPing / quiet)}`,
  };
}

async function atRate(bench: Bench, rate: number): Promise<readonly Row[]> {
  const { cpuMicrosPerPing: exporter } = await bench.steady(rate);
  const what = `CPU per ping at ${grouped(rate)}/s`;
  const rows: Row[] = [{ part: 'cpu', what, figure: duration(exporter) }];
  rows.push(await byDgram(bench, rate, exporter));
  for (const { name, contender, rates, missing, goals = {} } of RIVALS) {
    if (!rates.includes(rate)) continue;
    bench.say(`${name} at ${grouped(rate)} pings/s`);
    const cost = await contender(bench, rate);
    const row = { part: 'cpu', what: `${name} at ${grouped(rate)}/s` };
    rows.push(
      cost === undefined
        ? { ...row, figure: `not run: ${missing}` }
        : { ...row, ...compared(exporter, cost, rate), ...judged(exporter, cost, goals[rate]) },
    );
  }
  return rows;
}

/** The exporter with the sockets of Node.js, in place of those of the kernel. */
async function byDgram(bench: Bench, rate: number, kernel: number): Promise<Row> {
  const { cpuMicrosPerPing } = await measureSteady(bench, rate, { flags: ['--udp.io', 'dgram'] });
  return {
    part: 'cpu',
    what: `with udp.io dgram at ${grouped(rate)}/s`,
    figure: duration(cpuMicrosPerPing),
    beside: `exporter: ${times(kernel / cpuMicrosPerPing)}`,
  };
}

function compared(exporter: number, { cpuMicrosPerPing, sentPerSecond, lost }: Cost, rate: number) {
  const short = sentPerSecond < 0.98 * rate ? `, only ${grouped(Math.round(sentPerSecond))}/s` : '';
  const losses = lost > NEGLIGIBLE_LOSS ? `, ${percent(lost)} lost` : '';
  return {
    figure: `${duration(cpuMicrosPerPing)}${short}${losses}`,
    beside: `exporter: ${times(exporter / cpuMicrosPerPing)}`,
  };
}

function judged(exporter: number, { cpuMicrosPerPing }: Cost, goal: number | undefined) {
  if (goal === undefined) return {};
  return { goal: `at most ${goal}x`, verdict: atMost(exporter / cpuMicrosPerPing, goal) };
}
