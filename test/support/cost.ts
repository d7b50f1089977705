/** CPU time of work, independent of other processes. */

/**
 * CPU time of `work` in milliseconds, the minimum of a few tries. Time of other processes does not
 * count.
 */
export function cpuMs(work: () => unknown, tries = 1): number {
  const took = Array.from({ length: tries }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return Math.min(...took);
}

/**
 * Whether an input of eight times the size takes about eight times as long. Quadratic work would take
 * 64 times as long; half of that leaves room for caches, garbage collection and other processes.
 */
export function isLinear(size: number, work: (size: number) => unknown): boolean {
  work(size);
  const TRIES = 3;
  return cpuMs(() => work(8 * size), TRIES) < 32 * cpuMs(() => work(size), TRIES) + 20;
}
