/** Waiting for what the event loop brings, for tests with sockets of this process alone. */

import { setImmediate as turn } from 'node:timers/promises';

/** Long for the slowest machine; a check that succeeds waits no longer than it has to. */
const PATIENCE_MS = 30_000;

/** Lets the event loop turn until `check` gives something, and calls `each` before each check. */
export async function turnsUntil<T>(
  wanted: string,
  check: () => T | undefined | false,
  each: () => void = () => {},
): Promise<T> {
  const end = performance.now() + PATIENCE_MS;
  while (performance.now() < end) {
    each();
    const result = check();
    if (result !== undefined && result !== false) return result;
    await turn();
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${wanted}`);
}
