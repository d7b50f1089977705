/** CPU time of work, independent of other processes and of the other threads of this one. */

import { readFileSync } from 'node:fs';

/** How much larger the large input is. */
const FACTOR = 8;
/** At most this many measurements; the first one that shows linear work is the last. */
const MAX_TRIES = 10;

/**
 * Whether one input of eight times the size takes about as long as eight inputs of the size. Quadratic
 * work would take eight times as long; half of that leaves room for caches, garbage collection and
 * other processes. What else runs only makes a measurement longer, so the minimum counts.
 */
export function isLinear(size: number, work: (size: number) => unknown): boolean {
  const measureSmall = () =>
    cpuMs(() => {
      for (let i = 0; i < FACTOR; i++) work(size);
    });
  work(size);
  let smallMs = measureSmall();
  let largeMs = Number.POSITIVE_INFINITY;
  for (let i = 0; i < MAX_TRIES; i++) {
    smallMs = Math.min(smallMs, measureSmall());
    largeMs = Math.min(
      largeMs,
      cpuMs(() => work(FACTOR * size)),
    );
    if (largeMs < (FACTOR / 2) * smallMs + 20) return true;
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
 * CPU time of this thread so far, milliseconds; Linux updates it every few milliseconds. Elsewhere,
 * the threads of V8 that compile and collect garbage count too.
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
