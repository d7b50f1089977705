/**
 * `npm run fuzz -- SECONDS [TARGET...]`: so long on each target. What breaks a property, or takes
 * longer than a parser may, is saved; `npm run fuzz -- replay TARGET FILE` runs it again.
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
/** An input that runs for so long has no end; a busy machine is given its time. */
const HANG_MS = 60_000;
const POLL_INTERVAL_MS = 1000;

/** Where the worker writes down its input before it runs: how many ran, the length, the bytes. */
function newJournal(): SharedArrayBuffer {
  return new SharedArrayBuffer(8 + MAX_LENGTH);
}

/** How many faults of different kinds were found. */
async function fuzz(name: string, seconds: number): Promise<number> {
  const journal = newJournal();
  const seed = Date.now() % 2 ** 31;
  const workerData = { name, seconds, seed, journal };
  const worker = new Worker(fileURLToPath(new URL('./worker.js', import.meta.url)), { workerData });
  const kinds = new Set<string>();
  const found = (input: Uint8Array, error: string) => {
    const kind = error.split('\n').slice(0, 3).join('\n');
    if (kinds.has(kind)) return;
    kinds.add(kind);
    save(name, input, error);
  };
  const ended = new Promise<string>((resolve) => {
    worker.on('message', (message: FuzzMessage) => {
      if (message.kind === 'finding') found(message.input, message.error);
      else resolve(`${message.text}, seed ${seed}`);
    });
    worker.on('error', (error) => {
      found(inputIn(journal), error.stack ?? error.message);
      resolve('the thread ended');
    });
  });
  const text = await Promise.race([ended, hang(journal, ended)]);
  if (text === undefined) {
    found(inputIn(journal), `no end within ${HANG_MS} ms`);
    await worker.terminate();
  }
  console.log(`${name}: ${text ?? 'an input that has no end'}, ${kinds.size} findings`);
  return kinds.size;
}

/** Comes to its end when the same input runs for too long, and with the run if none does. */
async function hang(journal: SharedArrayBuffer, ended: Promise<unknown>): Promise<undefined> {
  const counter = new Int32Array(journal, 0, 1);
  let isOver = false;
  void ended.then(() => {
    isOver = true;
  });
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
  console.log(`${basename(path)}: no property is broken`);
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
// A run that hung leaves a promise that nobody waits for.
process.exit();
