/** Claims: who needs which destination watched, and what several claims for one name add up to. */

import type { Destination, PingSettings } from '../shared/destination.js';

/** A request to watch a destination on behalf of `owner`. */
export interface Claim {
  readonly owner: string;
  readonly destination: Destination;
  /** The owner is notified of each ping. */
  readonly isFollowed?: boolean;
}

/** A claim and the source that makes it: the configuration, a discovery source, the callers of `/rpc`. */
export interface SourcedClaim extends Claim {
  readonly source: string;
}

/** A claim that the registry refuses, and the reason as a text. */
export interface RefusedClaim {
  readonly claim: Claim;
  readonly reason: string;
}

/** What the claims for one name add up to. */
export interface ResolvedClaim {
  readonly destination: Destination;
  readonly owners: readonly string[];
  readonly isFollowed: boolean;
  /** All claims for the name, also those that the first one rules out. */
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

/** The claims for the URI of the first one: one name cannot stand for two URIs. */
function compatibleClaims(claims: readonly SourcedClaim[]): readonly SourcedClaim[] {
  const [first] = claims;
  return claims.filter(({ destination }) => destination.uri === first?.destination.uri);
}

/**
 * The destination to watch for all of these claims: the first one's, with additional labels from
 * the others, at the shortest interval of all.
 */
function mergeClaims([first, ...others]: readonly [SourcedClaim, ...SourcedClaim[]]): Destination {
  if (others.length === 0) return first.destination;
  const { settings } = first.destination;
  const all = [first, ...others].map(({ destination }) => destination);
  const intervalMs = Math.min(...all.map((destination) => destination.settings.intervalMs));
  const timeoutMs = Math.min(
    settings.timeoutMs,
    settings.timeoutMs < intervalMs ? settings.timeoutMs : 0.9 * intervalMs,
  );
  return {
    ...first.destination,
    labels: Object.assign({}, ...all.map(({ labels }) => labels).reverse()),
    settings:
      intervalMs === settings.intervalMs ? settings : { ...settings, intervalMs, timeoutMs },
  };
}

const serialized = new WeakMap<PingSettings, string>();

/** Many destinations share their settings, so few are serialized. */
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
