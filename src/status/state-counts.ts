/** How many destinations are in each state, as the status page shows it. */

import { setImmediate as nextRound } from 'node:timers/promises';
import { briefView } from './describe.js';
import type { StatusContext } from './freshness.js';
import type { StatusView } from './page-views.js';
import type { DestinationBrief } from './views.js';

type StateCounts = StatusView['states'];

/** Number of destinations that are counted before other work may run. */
const BATCH = 200;

export async function countStates(status: StatusContext): Promise<StateCounts> {
  const counts = { down: 0, degraded: 0, unknown: 0, draining: 0, up: 0 };
  for (const [i, registered] of status.registry.all().entries()) {
    if (i % BATCH === BATCH - 1) await nextRound();
    counts[shownState(briefView(status, registered))]++;
  }
  return counts;
}

function shownState({ state, reason, degraded }: DestinationBrief): keyof StateCounts {
  if (state === 'down') return reason === 'draining' ? 'draining' : 'down';
  return degraded === null ? state : 'degraded';
}
