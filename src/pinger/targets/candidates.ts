/** Places as targets: by which name they are known, and in which order they are tried. */

import { bracketed, gateAddress } from '../../shared/address.js';
import { TRANSPORTS } from '../../shared/outcome.js';
import type { PartialLookupError } from '../dns/locate.js';
import type { ServerLocation } from '../dns/location.js';

/** As in the label `address`. */
export function addressLabel({ address, port }: Pick<ServerLocation, 'address' | 'port'>): string {
  return `${bracketed(address)}:${port}`;
}

/** What makes a target another one: its wire and its address. */
export function targetKey(
  location: Pick<ServerLocation, 'transport' | 'address' | 'port'>,
): string {
  return `${location.transport} ${addressLabel(location)}`;
}

/** Whether a record that led to the place is one of these, each `TYPE NAME`. */
export function dependsOn(
  { steps }: Pick<ServerLocation, 'steps'>,
  records: ReadonlySet<string>,
): boolean {
  return steps.some(({ type, name }) => records.has(`${type} ${name}`));
}

/**
 * Those of the places known before that an answer which did not come may still lead to. Of those that an
 * earlier pinger found it is not known what led to them.
 */
export function stillPossible(
  before: readonly ServerLocation[],
  { missing, unanswered, unansweredBeside }: PartialLookupError,
): readonly ServerLocation[] {
  return before.filter((location) =>
    location.steps.length === 0
      ? missing === 'locations'
      : dependsOn(location, unanswered) || dependsOn(location, unansweredBeside),
  );
}

/** The place of such a key, of which nothing more is known; undefined when it may not be pinged. */
export function locationOfKey(key: string): ServerLocation | undefined {
  const [, name, host = '', port] = /^(\S+) (.*):(\d+)$/.exec(key) ?? [];
  const transport = TRANSPORTS.find((known) => known === name);
  const gated = gateAddress(host.replace(/^\[(.*)\]$/, '$1'), Number(port));
  if (transport === undefined || 'fault' in gated) return undefined;
  return { transport, ...gated, priority: undefined, weight: undefined, steps: [] };
}

/**
 * The places in the order in which a client would try them (RFC 2782): by priority, and within one
 * by chance in proportion to the weights. What is pinged already goes first within its priority, so
 * that targets do not change with each look-up.
 *
 * @param chanceOf from 0 to 1, evenly spread; the same for the same place if the order is to stay.
 */
export function ranked(
  locations: readonly ServerLocation[],
  isPinged: (location: ServerLocation) => boolean,
  chanceOf: (location: ServerLocation) => number,
): readonly ServerLocation[] {
  const chances = new Map(
    // Ordered by u^(1/w), each is first with a chance in proportion to its weight.
    locations.map((location) => [
      location,
      chanceOf(location) ** (1 / Math.max(location.weight ?? 0, TINY_WEIGHT)),
    ]),
  );
  return locations.toSorted(
    (a, b) =>
      (a.priority ?? 0) - (b.priority ?? 0) ||
      Number(isPinged(b)) - Number(isPinged(a)) ||
      (chances.get(b) ?? 0) - (chances.get(a) ?? 0),
  );
}

/** RFC 2782: a weight of 0 leaves a very small chance. */
const TINY_WEIGHT = 0.001;
