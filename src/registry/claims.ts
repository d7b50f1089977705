/** Who wants which destination watched, and what several who want the same one come to. */

import type { Destination, PingSettings } from '../shared/destination.js';

/** Wants a destination watched on behalf of `owner`. */
export interface Claim {
  readonly owner: string;
  readonly destination: Destination;
  /** Wants to hear of each ping. */
  readonly isFollowed?: boolean;
}

/** A claim and the source that makes it: the configuration, a discovery, the callers of the RPC. */
export interface SourcedClaim extends Claim {
  readonly source: string;
}

/** A claim that cannot be met, and why, in words. */
export interface RefusedClaim {
  readonly claim: Claim;
  readonly why: string;
}

/** Those that the first claim leaves room for: one name cannot stand for two URIs. */
export function compatibleClaims(claims: readonly SourcedClaim[]): readonly SourcedClaim[] {
  const [first] = claims;
  return claims.filter(({ destination }) => destination.uri === first?.destination.uri);
}

/**
 * What is watched for all of these: the first one's destination, with the labels of the others where
 * it has none of that name, at the shortest interval of all.
 */
export function mergeClaims([first, ...others]: readonly [
  SourcedClaim,
  ...SourcedClaim[],
]): Destination {
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

const texts = new WeakMap<PingSettings, string>();

/** Many destinations share their settings, so few are written out. */
function textOf(settings: PingSettings): string {
  const known = texts.get(settings);
  if (known !== undefined) return known;
  const text = JSON.stringify(settings);
  texts.set(settings, text);
  return text;
}

export function haveSameSettings(a: Destination, b: Destination): boolean {
  return a.settings === b.settings || textOf(a.settings) === textOf(b.settings);
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
