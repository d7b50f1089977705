/** Places as targets: by which name they are known, and in which order they are tried. */

import { bracketed, gateAddress } from '../shared/address.js';
import { TRANSPORTS } from '../shared/outcome.js';
import type { Place } from './dns/locate.js';

/** As in the label `address`. */
export function addressLabel({ address, port }: Pick<Place, 'address' | 'port'>): string {
  return `${bracketed(address)}:${port}`;
}

/** What makes a target another one: its wire and its address. */
export function targetKey(place: Pick<Place, 'wire' | 'address' | 'port'>): string {
  return `${place.wire} ${addressLabel(place)}`;
}

/** The place of such a key, of which nothing more is known; undefined when it may not be pinged. */
export function keyedPlace(key: string): Place | undefined {
  const [, name, host = '', port] = /^(\S+) (.*):(\d+)$/.exec(key) ?? [];
  const wire = TRANSPORTS.find((known) => known === name);
  const gated = gateAddress(host.replace(/^\[(.*)\]$/, '$1'), Number(port));
  if (wire === undefined || 'fault' in gated) return undefined;
  return { wire, ...gated, priority: undefined, weight: undefined, steps: [] };
}

/**
 * The places in the order in which a client would try them (RFC 2782): by priority, and within one
 * by chance in proportion to the weights. What is pinged already goes first within its priority, so
 * that targets do not change with each look-up.
 */
export function ranked(
  places: readonly Place[],
  isPinged: (place: Place) => boolean,
  random: () => number,
): readonly Place[] {
  const chances = new Map(
    // Ordered by u^(1/w), each is first with a chance in proportion to its weight.
    places.map((place) => [place, random() ** (1 / Math.max(place.weight ?? 0, TINY_WEIGHT))]),
  );
  return places.toSorted(
    (a, b) =>
      (a.priority ?? 0) - (b.priority ?? 0) ||
      Number(isPinged(b)) - Number(isPinged(a)) ||
      (chances.get(b) ?? 0) - (chances.get(a) ?? 0),
  );
}

/** RFC 2782: a weight of 0 leaves a very small chance. */
const TINY_WEIGHT = 0.001;
