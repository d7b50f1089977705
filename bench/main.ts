/**
 * The benchmarks: `npm run bench`, or `npm run bench -- [--quick] [PART]...` for some parts only.
 *
 * Speed is never asserted: the table says which goals are missed. All traffic stays on 127.0.0.0/8,
 * and every started process is stopped.
 */

import { parseArgs } from 'node:util';
import { type Bench, once, type Part } from './bench.js';
import { measureCrowd } from './crowd.js';
import { FarEnd } from './far-end.js';
import { describeMachine } from './machine.js';
import { api } from './parts/api.js';
import { change } from './parts/change.js';
import { cpu } from './parts/cpu.js';
import { hostile } from './parts/hostile.js';
import { idle } from './parts/idle.js';
import { lateness } from './parts/lateness.js';
import { memory } from './parts/memory.js';
import { metrics } from './parts/metrics.js';
import { page } from './parts/page.js';
import { probe } from './parts/probe.js';
import { rate } from './parts/rate.js';
import { rtt } from './parts/rtt.js';
import { type Row, table } from './report.js';
import { Stage } from './stage.js';
import { measureSteady } from './steady.js';

/** In the order of execution. */
const PARTS: Readonly<Record<string, Part>> = {
  cpu,
  lateness,
  rate,
  rtt,
  idle,
  metrics,
  memory,
  change,
  page,
  api,
  probe,
  hostile,
};
/** Exit code of shells after Ctrl-C. */
const EXIT_INTERRUPTED = 130;
const EXIT_USAGE = 2;

interface Options {
  /** Parts by name; empty for all. */
  readonly parts: readonly string[];
  readonly isQuick: boolean;
}

async function main(): Promise<void> {
  const options = readOptions();
  if (options === undefined) return;
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort());
  }
  const stage = new Stage(interruption.signal);
  interruption.signal.addEventListener('abort', () => void stage.close());
  try {
    await run(stage, options);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    await stage.close();
  }
}

/** Options of the command line; undefined after a usage error. */
function readOptions(): Options | undefined {
  const options = { quick: { type: 'boolean', default: false } } as const;
  try {
    if (process.platform !== 'linux') throw new Error('expected Linux, for its /proc');
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
    if (unknown !== undefined) throw new Error(`no such part: ${unknown}`);
    return { parts: positionals, isQuick: values.quick };
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    const known = Object.keys(PARTS).join(' ');
    console.error(
      `bench: ${problem}\nUsage: npm run bench -- [--quick] [PART]...; parts: ${known}`,
    );
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
}

async function run(stage: Stage, { parts, isQuick }: Options): Promise<void> {
  const began = performance.now();
  for (const line of describeMachine()) console.log(`- ${line}`);
  console.log();
  const bench: Bench = {
    stage,
    farEnd: await FarEnd.start(stage),
    isQuick,
    say: (text) => console.error(`bench: ${text}`),
    steady: once((rate) => measureSteady(bench, rate)),
    crowd: () => crowd('crowd'),
  };
  const crowd = once(() => measureCrowd(bench));
  const rows: Row[] = [];
  for (const [name, part] of Object.entries(PARTS)) {
    if (parts.length > 0 && !parts.includes(name)) continue;
    rows.push(...(await rowsOf(stage, name, part, bench)));
  }
  console.log(table(rows));
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`\n${isQuick ? 'Quick run: rough figures. ' : ''}Duration: ${seconds} s.`);
}

/** A part that fails does not stop the others, but sets the exit code. */
async function rowsOf(stage: Stage, name: string, part: Part, bench: Bench) {
  try {
    return await part(bench);
  } catch (error) {
    if (stage.isOver) throw error;
    process.exitCode = 1;
    const figure = error instanceof Error ? error.message : String(error);
    return [{ part: name, what: 'failed', figure: figure.replace(/[\n|]+/g, ' ') }];
  }
}

await main();
