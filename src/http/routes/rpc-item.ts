/** The items of `keepalive.list` and `keepalive.get`. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { RegisteredDestination } from '../../shared/destination.js';
import { STATES, type State } from '../../shared/state.js';
import { destinationView } from '../../status/describe.js';
import type { StatusContext } from '../../status/freshness.js';
import type { DestinationView } from '../../status/views.js';

/** Number of destinations that are described before other work may run. */
const BATCH = 200;

/** The fields of Kamailio and those of the API. `state`, which is in both, is Kamailio's number here. */
export interface RpcItem extends Omit<DestinationView, 'state'> {
  readonly owner: string;
  /** ISO 8601, the latest of all targets; null for never. The next two are the same. */
  readonly 'last checked': string | null;
  readonly 'last up': string | null;
  readonly 'last down': string | null;
  /** 0 unknown, 1 up, 2 down. */
  readonly state: number;
  readonly state_text: State;
}

/** One item per destination and owner, as in Kamailio; with `owner`, only those of that owner. */
export async function listItems(
  status: StatusContext,
  all: readonly RegisteredDestination[],
  owner: string | undefined,
): Promise<readonly RpcItem[]> {
  const items: RpcItem[] = [];
  for (const [index, registered] of all.entries()) {
    if (index % BATCH === BATCH - 1) await nextRound();
    const owners = registered.owners.filter((one) => owner === undefined || one === owner);
    if (owners.length === 0) continue;
    const view = destinationView(status, registered);
    items.push(...owners.map((one) => rpcItem(view, one)));
  }
  return items;
}

function rpcItem({ uri, state, ...view }: DestinationView, owner: string): RpcItem {
  return {
    uri,
    owner,
    'last checked': latest(view.targets.map((target) => target.last_ping)),
    'last up': latest(view.targets.map((target) => target.last_up)),
    'last down': latest(view.targets.map((target) => target.last_down)),
    state: STATES.indexOf(state),
    ...view,
    state_text: state,
  };
}

function latest(times: readonly (string | null)[]): string | null {
  return times.reduce((a, b) => ((a ?? '') > (b ?? '') ? a : b), null);
}
