/** CPU time of work, independent of other processes and of the other threads of this one. */

import { readFileSync } from 'node:fs';

/** At most this many measurements; the first one that shows linear work is the last. */
const MAX_TRIES = 10;

/**
 * Whether an input of eight times the size takes about eight times as long. Quadratic work would take
 * 64 times as long; half of that leaves room for caches, garbage collection and other processes.
 * What else runs on the machine only makes a measurement longer, so each minimum counts.
 */
export function isLinear(size: number, work: (size: number) => unknown): boolean {
  work(size);
  let smallMs = Math.min(...[1, 2, 3].map(() => cpuMs(() => work(size))));
  let largeMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < MAX_TRIES; i++) {
    largeMs = Math.min(
      largeMs,
      cpuMs(() => work(8 * size)),
    );
    if (largeMs < 32 * smallMs + 20) return true;
    smallMs = Math.min(
      smallMs,
      cpuMs(() => work(size)),
    );
  }
  return false;
}

/** CPU time of `work` in milliseconds. */
function cpuMs(work: () => unknown): number {
  const before = threadCpuMs();
  work();
  return threadCpuMs() - before;
}

/**
 * CPU time of this thread so far, milliseconds. Threads of V8 that compile and collect garbage are
 * counted only where the system does not tell threads apart.
 */
function threadCpuMs(): number {
  try {
    const [nanoseconds] = readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ');
    return Number(nanoseconds) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
