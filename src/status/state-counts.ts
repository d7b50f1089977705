/** How many destinations are in each state, as the status page shows it. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { RegisteredDestination } from '../shared/destination.js';
import { effectiveState, lastSeenMs, type StatusContext } from './freshness.js';
import type { StatusView } from './page-views.js';

type StateCounts = StatusView['states'];

/** Number of destinations that are counted before other work may run. */
const BATCH = 500;

export async function countStates(status: StatusContext): Promise<StateCounts> {
  const counts = { down: 0, degraded: 0, unknown: 0, draining: 0, up: 0 };
  for (const [i, registered] of status.registry.all().entries()) {
    if (i % BATCH === BATCH - 1) await nextRound();
    counts[shownState(status, registered)]++;
  }
  return counts;
}

/** As the status page derives it from a brief view, without the cost of one. */
function shownState(status: StatusContext, registered: RegisteredDestination): keyof StateCounts {
  const row = status.ledger.verdict(registered.slot);
  const targets = registered.targets.map(({ slot }) => status.ledger.results(slot));
  const state = effectiveState(
    status,
    registered,
    row?.state ?? 'unknown',
    lastSeenMs(row, targets),
  );
  if (state === 'down') return row?.reason === 'draining' ? 'draining' : 'down';
  if (state === 'unknown') return state;
  const isDegraded = targets.some((target) => {
    if (target === undefined) return false;
    const ofTarget = effectiveState(status, registered, target.state, target.lastSeenMs);
    return ofTarget === 'down' || (ofTarget === 'up' && target.troubles !== undefined);
  });
  return isDegraded ? 'degraded' : 'up';
}
