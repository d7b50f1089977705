/** Decides which states of a dispatcher set to change, and by which calls. */

import type { Listing } from '../discovery/found.js';
import type { RpcCall } from '../discovery/kamailio-rpc/client.js';
import { isRoutedTo } from '../shared/kamailio.js';
import type { Entry } from './listed.js';

/** The change of one state. */
export interface Step {
  readonly entry: Entry;
  readonly state: 'active' | 'inactive';
  readonly call: RpcCall;
}

/**
 * The steps for one set. Destinations that are up become active first, then those that are down inactive,
 * the last in the list first. One that is routed to always remains, unless `allowEmptySet`. Each step is
 * decided when it is requested, and the generator must be told whether the previous one succeeded.
 */
export function* planSet(
  set: readonly Entry[],
  allowEmptySet: boolean,
): Generator<Step, void, boolean> {
  const callOf = callsFor(set);
  let routedTo = set.filter(({ state }) => isRoutedTo(state)).length;
  for (const entry of set) {
    if (entry.disagreement?.kind !== 'leaves_out_up') continue;
    const call = callOf(entry, 'active');
    if (call !== undefined && (yield { entry, state: 'active', call })) routedTo++;
  }
  for (const entry of set.toReversed()) {
    if (entry.disagreement?.kind !== 'routes_to_down') continue;
    if (routedTo <= 1 && !allowEmptySet) return;
    const call = callOf(entry, 'inactive');
    if (call !== undefined && (yield { entry, state: 'inactive', call })) routedTo--;
  }
}

/** The dispatcher sets with a disagreement. */
export function setsToChange(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const sets = new Map<string, Entry[]>();
  for (const entry of entries) {
    const { setid } = entry.listing;
    const set = sets.get(setid);
    if (set === undefined) sets.set(setid, [entry]);
    else set.push(entry);
  }
  return [...sets.values()].filter((set) => set.some((entry) => entry.disagreement !== undefined));
}

/**
 * The call that changes a state. Kamailio changes only the first destination of the set with the URI, so
 * further ones are named by their `duid`; undefined for one that no call reaches.
 */
function callsFor(set: readonly Entry[]) {
  const firstByUri = firstBy(set, ({ uri }) => uri);
  const firstByDuid = firstBy(set, ({ duid }) => duid);
  return ({ listing }: Entry, state: Step['state']): RpcCall | undefined => {
    const { setid, uri, duid, isProbed } = listing;
    // Without the second letter Kamailio would clear the flag.
    const letters = `${state === 'active' ? 'a' : 'i'}${isProbed ? 'p' : 'x'}`;
    if (firstByUri.get(uri) === listing) {
      return { method: 'dispatcher.set_state', params: [letters, Number(setid), uri] };
    }
    if (duid === '' || firstByDuid.get(duid) !== listing) return undefined;
    return { method: 'dispatcher.set_duid_state', params: [letters, Number(setid), duid] };
  };
}

function firstBy(
  set: readonly Entry[],
  key: (listing: Listing) => string,
): ReadonlyMap<string, Listing> {
  const first = new Map<string, Listing>();
  for (const { listing } of set) {
    if (!first.has(key(listing))) first.set(key(listing), listing);
  }
  return first;
}
