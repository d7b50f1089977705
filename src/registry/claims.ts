/** Claims: requests of owners to monitor a destination, and how several claims for one name are merged. */

import type { Destination, PingSettings } from '../shared/destination.js';

/** A request to monitor a destination for `owner`. */
export interface Claim {
  readonly owner: string;
  readonly destination: Destination;
  /** Whether the owner is notified of each ping. */
  readonly isFollowed?: boolean;
}

/** A claim and its source: the configuration, a discovery source, or the callers of `/rpc`. */
export interface SourcedClaim extends Claim {
  readonly source: string;
}

/** A claim that the registry refused, and the reason as a text. */
export interface RefusedClaim {
  readonly claim: Claim;
  readonly reason: string;
}

/** The result of merging the claims for one name. */
export interface ResolvedClaim {
  readonly destination: Destination;
  readonly owners: readonly string[];
  readonly isFollowed: boolean;
  /** All claims for the name, including those that contradict the first one. */
  readonly claims: readonly SourcedClaim[];
}

/** Undefined when there are no claims. */
export function resolveClaims(claims: readonly SourcedClaim[]): ResolvedClaim | undefined {
  const [first, ...others] = compatibleClaims(claims);
  if (first === undefined) return undefined;
  return {
    destination: mergeClaims([first, ...others]),
    owners: [...new Set([first, ...others].map(({ owner }) => owner))],
    isFollowed: claims.some((claim) => claim.isFollowed === true),
    claims,
  };
}

/** The claims with the same URI as the first one: a name can have only one URI. */
function compatibleClaims(claims: readonly SourcedClaim[]): readonly SourcedClaim[] {
  const [first] = claims;
  return claims.filter(({ destination }) => destination.uri === first?.destination.uri);
}

/**
 * The destination to monitor for all of these claims: that of the first one, with additional labels of the
 * others and the shortest interval.
 */
function mergeClaims([first, ...others]: readonly [SourcedClaim, ...SourcedClaim[]]): Destination {
  if (others.length === 0) return first.destination;
  const { settings } = first.destination;
  const all = [first, ...others].map(({ destination }) => destination);
  return {
    ...first.destination,
    labels: Object.assign({}, ...all.map(({ labels }) => labels).reverse()),
    settings: withShortestIntervals(
      settings,
      all.map((destination) => destination.settings),
    ),
  };
}

/** These settings with the shortest intervals of all claims, and a timeout that fits them. */
function withShortestIntervals(settings: PingSettings, all: readonly PingSettings[]): PingSettings {
  const intervalMs = Math.min(...all.map((other) => other.intervalMs));
  const retryIntervalMs = Math.min(...all.map((other) => other.retryIntervalMs));
  const downIntervalMs = Math.min(...all.map((other) => other.downIntervalMs));
  const isSame =
    intervalMs === settings.intervalMs &&
    retryIntervalMs === settings.retryIntervalMs &&
    downIntervalMs === settings.downIntervalMs;
  if (isSame) return settings;
  const shortestMs = Math.min(retryIntervalMs, downIntervalMs);
  const timeoutMs = settings.timeoutMs < shortestMs ? settings.timeoutMs : 0.9 * shortestMs;
  return { ...settings, intervalMs, retryIntervalMs, downIntervalMs, timeoutMs };
}

const serialized = new WeakMap<PingSettings, string>();

/** Cached, because many destinations share their settings. */
function serialize(settings: PingSettings): string {
  const known = serialized.get(settings);
  if (known !== undefined) return known;
  const text = JSON.stringify(settings);
  serialized.set(settings, text);
  return text;
}

export function haveSameSettings(a: Destination, b: Destination): boolean {
  return a.settings === b.settings || serialize(a.settings) === serialize(b.settings);
}

export function isSameDestination(a: Destination, b: Destination): boolean {
  if (a === b) return true;
  return (
    a.name === b.name &&
    a.uri === b.uri &&
    a.module === b.module &&
    JSON.stringify(a.labels) === JSON.stringify(b.labels) &&
    haveSameSettings(a, b)
  );
}

/** Whether both lists have the same claims, in the same order, each for the same destination. */
export function areSameClaims(a: readonly SourcedClaim[], b: readonly SourcedClaim[]): boolean {
  return (
    a.length === b.length &&
    a.every((claim, i) => {
      const other = b[i];
      return (
        claim.source === other?.source &&
        claim.owner === other.owner &&
        isSameDestination(claim.destination, other.destination)
      );
    })
  );
}
