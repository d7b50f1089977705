/** Why a destination that is up is degraded nevertheless. */

import type { TargetResults } from '../shared/ledger/rows.js';
import { T1_MS } from '../shared/sip-timers.js';
import type { State } from '../shared/state.js';
import type { TargetView } from './views.js';

type Judged = Pick<TargetView, 'transport' | 'address' | 'state' | 'reason' | 'degraded'>;

/** Null unless the target is up, and two or more of its last ten pings failed, were retransmitted or slow. */
export function targetDegraded(state: State, row: TargetResults | undefined): string | null {
  const troubles = state === 'up' ? row?.troubles : undefined;
  if (troubles === undefined) return null;
  const { pings, failed, retransmitted, slow } = troubles;
  const parts = [
    { count: failed, what: 'failed' },
    { count: retransmitted, what: `${retransmitted === 1 ? 'was' : 'were'} retransmitted` },
    { count: slow, what: `took ${T1_MS} ms or longer` },
  ];
  return listed(parts, `of the last ${pings} pings`);
}

/** Null unless the destination is up, and a target is down or degraded. */
export function destinationDegraded(state: State, targets: readonly Judged[]): string | null {
  if (state !== 'up') return null;
  const down = targets.filter((target) => target.state === 'down');
  if (down.length > 0) {
    const draining = down.filter(({ reason }) => reason === 'draining').length;
    const parts = [
      { count: down.length - draining, what: 'down' },
      { count: draining, what: 'draining' },
    ].map(({ count, what }) => ({ count, what: `${count === 1 ? 'is' : 'are'} ${what}` }));
    return listed(parts, `of ${targets.length} addresses`);
  }
  const worst = targets.find(({ degraded }) => degraded !== null);
  if (worst === undefined || targets.length === 1) return worst?.degraded ?? null;
  return `${worst.transport} ${worst.address}: ${worst.degraded}`;
}

/** `3 of the last 10 pings failed, 1 was retransmitted` */
function listed(
  parts: readonly { readonly count: number; readonly what: string }[],
  ofWhat: string,
): string {
  return parts
    .filter(({ count }) => count > 0)
    .map(({ count, what }, i) => (i === 0 ? `${count} ${ofWhat} ${what}` : `${count} ${what}`))
    .join(', ');
}
