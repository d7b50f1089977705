/** Waits on the event loop, for tests whose sockets are all in this process. */

import { setImmediate as turn } from 'node:timers/promises';

/** Long enough for the slowest machine; a check that succeeds does not wait longer. */
const PATIENCE_MS = 30_000;

/** Waits, tick by tick, until `check` returns a value. Calls `each` before each check. */
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
