/**
 * `npm run fuzz -- SECONDS [TARGET...]`: fuzzes each target for this time. An input that breaks a
 * property or takes too long is saved; `npm run fuzz -- replay TARGET FILE` runs it again.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { MAX_LENGTH } from './mutate.js';
import { TARGETS } from './targets.js';
import type { FuzzMessage } from './worker.js';

const FOLDER = 'fuzz-findings';
/** An input that runs for this long is taken to hang; long, because the machine may be busy. */
const HANG_MS = 60_000;
const POLL_INTERVAL_MS = 1000;

/** The worker writes its input here before running it: number of inputs, length, bytes. */
function newJournal(): SharedArrayBuffer {
  return new SharedArrayBuffer(8 + MAX_LENGTH);
}

/** Returns the number of distinct findings. */
async function fuzz(name: string, seconds: number): Promise<number> {
  const journal = newJournal();
  const seed = Date.now() % 2 ** 31;
  const workerData = { name, seconds, seed, journal };
  const worker = new Worker(fileURLToPath(new URL('./worker.js', import.meta.url)), { workerData });
  const kinds = new Set<string>();
  const report = (input: Uint8Array, error: string) => {
    const kind = error.split('\n').slice(0, 3).join('\n');
    if (kinds.has(kind)) return;
    kinds.add(kind);
    save(name, input, error);
  };
  const ended = new Promise<string>((resolve) => {
    worker.on('message', (message: FuzzMessage) => {
      if (message.kind === 'finding') report(message.input, message.error);
      else resolve(`${message.text}, seed ${seed}`);
    });
    worker.on('error', (error) => {
      report(inputIn(journal), error.stack ?? error.message);
      resolve('the thread ended');
    });
  });
  const text = await Promise.race([ended, hang(journal, ended)]);
  if (text === undefined) {
    report(inputIn(journal), `no end within ${HANG_MS} ms`);
    await worker.terminate();
  }
  console.log(`${name}: ${text ?? 'an input hangs'}, ${kinds.size} findings`);
  return kinds.size;
}

/** Resolves when one input runs for too long; never if the run ends before. */
async function hang(journal: SharedArrayBuffer, ended: Promise<unknown>): Promise<undefined> {
  const counter = new Int32Array(journal, 0, 1);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  }); // Never rejects.
  let last = -1;
  let sinceMs = performance.now();
  while (!isOver && performance.now() - sinceMs < HANG_MS) {
    await sleep(POLL_INTERVAL_MS);
    const now = Atomics.load(counter, 0);
    if (now !== last) sinceMs = performance.now();
    last = now;
  }
  if (isOver) await new Promise(() => {});
  return undefined;
}

function inputIn(journal: SharedArrayBuffer): Uint8Array {
  const length = Atomics.load(new Int32Array(journal, 4, 1), 0);
  return Uint8Array.from(new Uint8Array(journal, 8, length));
}

function save(name: string, input: Uint8Array, error: string): void {
  mkdirSync(FOLDER, { recursive: true });
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const path = join(FOLDER, `${name}-${digest}`);
  writeFileSync(path, input);
  console.error(`${name}: ${error}\n  run it again: npm run fuzz -- replay ${name} ${path}`);
}

async function replay(name = '', path = ''): Promise<number> {
  const target = targetOf(name);
  try {
    await target.run(readFileSync(path));
  } catch (error) {
    console.error(error);
    return 1;
  }
  console.log(`${basename(path)}: no property broken`);
  return 0;
}

function targetOf(name: string) {
  const target = TARGETS.get(name);
  if (target === undefined) {
    throw new Error(`expected one of ${[...TARGETS.keys()].join(', ')}, got ${name}`);
  }
  return target;
}

async function main([first = '', ...others]: readonly string[]): Promise<number> {
  if (first === 'replay') return replay(...others);
  const seconds = Number(first);
  if (!(seconds > 0)) throw new Error('usage: npm run fuzz -- SECONDS [TARGET...]');
  const names = others.length > 0 ? others : [...TARGETS.keys()];
  names.forEach(targetOf);
  let findings = 0;
  for (const name of names) findings += await fuzz(name, seconds);
  return findings > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
// After a hang a promise is left pending.
process.exit();
