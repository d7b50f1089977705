/**
 * Sends small requests at a steady rate, each on its own connection.
 *
 * usage: polls URL AUTHORIZATION EVERY_MS PATH...
 *
 * Prints for each line of input the figures since the last line as JSON (PollReport). A request
 * without a response counts with its age.
 */

import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PollReport } from '../hostile/polls.js';
import { percentile } from '../samples.js';
import { answerLines } from './lines.js';

/** A request that takes longer counts as failed. */
const TIMEOUT_MS = 20_000;

const [url = '', authorization = '', everyMs = '', ...paths] = process.argv.slice(2);
const headers = authorization === '' ? {} : { authorization };
const openSince = new Map<string, number>();
let waitsMs: number[] = [];
let failed = 0;

for (const path of paths) void poll(path);
console.log('ready');
answerLines(() => {
  const now = performance.now();
  const all = [...waitsMs, ...[...openSince.values()].map((since) => now - since)];
  const report: PollReport = {
    longestMs: percentile(all, 1),
    medianMs: percentile(all, 0.5),
    answered: waitsMs.length,
    failed,
  };
  waitsMs = [];
  failed = 0;
  return JSON.stringify(report);
});

async function poll(path: string): Promise<never> {
  while (true) {
    const began = performance.now();
    openSince.set(path, began);
    if (!(await isAnswered(path))) failed++;
    openSince.delete(path);
    const tookMs = performance.now() - began;
    waitsMs.push(tookMs);
    await sleep(Math.max(0, Number(everyMs) - tookMs));
  }
}

async function isAnswered(path: string): Promise<boolean> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const [response]: IncomingMessage[] = await once(
      get(`${url}${path}`, { headers, signal, agent: false }),
      'response',
    );
    for await (const _ of response ?? []);
    return response?.statusCode === 200;
  } catch {
    return false;
  }
}
