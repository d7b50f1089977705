/** What work costs, whatever else the machine does meanwhile. */

/**
 * Milliseconds of a processor that `work` takes, the least of a few tries. Time in which other
 * processes run does not count.
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
 * Whether eight times as much costs about eight times as much. It would be 64 times where the cost
 * is quadratic; half of that leaves room for caches, collections and a neighbour on the same core.
 */
export function isLinear(size: number, work: (size: number) => unknown): boolean {
  work(size);
  const TRIES = 3;
  return cpuMs(() => work(8 * size), TRIES) < 32 * cpuMs(() => work(size), TRIES) + 20;
}
