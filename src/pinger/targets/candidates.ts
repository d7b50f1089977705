/** Server locations as targets: their identity, and the order in which they are tried. */

import { bracketed, gateAddress } from '../../shared/address.js';
import { TRANSPORTS } from '../../shared/outcome.js';
import type { PartialLookupError } from '../dns/locate.js';
import type { ServerLocation } from '../dns/location.js';

/** The value of the label `address`. */
export function addressLabel({ address, port }: Pick<ServerLocation, 'address' | 'port'>): string {
  return `${bracketed(address)}:${port}`;
}

/** Identifies a target of a destination: transport and address. */
export function targetKey(
  location: Pick<ServerLocation, 'transport' | 'address' | 'port'>,
): string {
  return `${location.transport} ${addressLabel(location)}`;
}

/** Whether a record that led to the location is one of these, each `TYPE NAME`. */
export function dependsOn(
  { steps }: Pick<ServerLocation, 'steps'>,
  records: ReadonlySet<string>,
): boolean {
  return steps.some(({ type, name }) => records.has(`${type} ${name}`));
}

/**
 * The earlier locations that a missing DNS answer may still contain. Locations from an earlier pinger
 * have no steps: the records that led to them are unknown.
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

/** The location with this key, without its DNS records; undefined when it must not be pinged. */
export function locationOfKey(key: string): ServerLocation | undefined {
  const [, transportName, host = '', port] = /^(\S+) (.*):(\d+)$/.exec(key) ?? [];
  const transport = TRANSPORTS.find((name) => name === transportName);
  const gated = gateAddress(host.replace(/^\[(.*)\]$/, '$1'), Number(port));
  if (transport === undefined || 'problem' in gated) return undefined;
  return { transport, ...gated, priority: undefined, weight: undefined, steps: [] };
}

/**
 * The locations in the order in which a client tries them (RFC 2782): by priority, and among equals
 * at random in proportion to the weights. Within a priority, locations that are pinged already come
 * first, so that targets do not change with each lookup.
 *
 * @param chanceOf from 0 to 1, uniformly distributed; constant per location for a stable order.
 */
export function ranked(
  locations: readonly ServerLocation[],
  isPinged: (location: ServerLocation) => boolean,
  chanceOf: (location: ServerLocation) => number,
): readonly ServerLocation[] {
  const chances = new Map(
    // Sorted by u^(1/w), each is first with a probability in proportion to its weight.
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

/** RFC 2782: a weight of 0 has a very small chance. */
const TINY_WEIGHT = 0.001;
