/**
 * The benchmarks: `npm run bench`, or `npm run bench -- [--quick] [PART]...` for some parts only.
 *
 * Speed is never asserted: a goal that is missed is said to be missed. Everything happens on
 * 127.0.0.0/8, and everything that is started is ended.
 */

import { parseArgs } from 'node:util';
import { type Bench, once, type Part } from './bench.js';
import { measureCrowd } from './crowd.js';
import { FarEnd } from './far-end.js';
import { describeMachine } from './machine.js';
import { change } from './parts/change.js';
import { cpu } from './parts/cpu.js';
import { hostile } from './parts/hostile.js';
import { lateness } from './parts/lateness.js';
import { memory } from './parts/memory.js';
import { metrics } from './parts/metrics.js';
import { page } from './parts/page.js';
import { rate } from './parts/rate.js';
import { rtt } from './parts/rtt.js';
import { type Row, table } from './report.js';
import { Stage } from './stage.js';
import { measureSteady } from './steady.js';

/** In the order in which they run. */
const PARTS: Readonly<Record<string, Part>> = {
  cpu,
  lateness,
  rate,
  rtt,
  metrics,
  memory,
  change,
  page,
  hostile,
};
/** As shells tell the end by Ctrl-C. */
const EXIT_INTERRUPTED = 130;
const EXIT_USAGE = 2;

interface Wish {
  /** Parts by name; none means all. */
  readonly parts: readonly string[];
  readonly isQuick: boolean;
}

async function main(): Promise<void> {
  const wish = readWish();
  if (wish === undefined) return;
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interruption.abort());
  }
  const stage = new Stage(interruption.signal);
  interruption.signal.addEventListener('abort', () => void stage.close());
  try {
    await run(stage, wish);
  } catch (error) {
    if (!interruption.signal.aborted) throw error;
    process.exitCode = EXIT_INTERRUPTED;
  } finally {
    await stage.close();
  }
}

/** What the command line asks for; undefined when it asks for what there is not. */
function readWish(): Wish | undefined {
  const options = { quick: { type: 'boolean', default: false } } as const;
  try {
    if (process.platform !== 'linux') throw new Error('needs Linux, for its /proc');
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((name) => !Object.hasOwn(PARTS, name));
    if (unknown !== undefined) throw new Error(`no such part: ${unknown}`);
    return { parts: positionals, isQuick: values.quick };
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    const known = Object.keys(PARTS).join(' ');
    console.error(`bench: ${fault}\nUsage: npm run bench -- [--quick] [PART]...; parts: ${known}`);
    process.exitCode = EXIT_USAGE;
    return undefined;
  }
}

async function run(stage: Stage, { parts, isQuick }: Wish): Promise<void> {
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
  console.log(`\n${isQuick ? 'Quick run: rough figures. ' : ''}It took ${seconds} s.`);
}

/** A part that breaks takes none of the others along; the exit code tells. */
async function rowsOf(stage: Stage, name: string, part: Part, bench: Bench) {
  try {
    return await part(bench);
  } catch (error) {
    if (stage.isOver) throw error;
    process.exitCode = 1;
    const figure = error instanceof Error ? error.message : String(error);
    return [{ part: name, what: 'broke off', figure: figure.replace(/[\n|]+/g, ' ') }];
  }
}

await main();
