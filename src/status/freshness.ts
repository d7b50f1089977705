/** What may be said of a destination, given how long ago anything was learnt of it. */

import type { RegisteredDestination } from '../shared/destination.js';
import type { DestinationRow, LedgerReader, TargetRow } from '../shared/ledger/reader.js';
import type { State } from '../shared/state.js';

/** What is watched, and what is known of it. */
export interface StatusContext {
  readonly ledger: LedgerReader;
  readonly registry: {
    readonly size: number;
    all(): readonly RegisteredDestination[];
    named(name: string): RegisteredDestination | undefined;
    withUri(uri: string): readonly RegisteredDestination[];
  };
  /** The wall clock now, milliseconds. */
  now(): number;
}

/** Intervals after which a verdict that no ping has renewed is nobody's word any more. */
const STALE_INTERVALS = 3;

/** A name without an address is looked up again at least this often, milliseconds. */
const MAX_LOOKUP_PAUSE_MS = 30_000;

/**
 * A verdict that may be shown: unknown once it is too long ago that anything was learnt of the peer, at
 * `lastSeenMs`. Pings that fail by a fault of our own teach nothing.
 */
export function effectiveState(
  { now }: Pick<StatusContext, 'now'>,
  watched: RegisteredDestination,
  state: State,
  lastSeenMs: number,
): State {
  const { intervalMs, timeoutMs, deleteCounter, maxBackoffMs } = watched.destination.settings;
  const isSlowed = state === 'down' && deleteCounter > 0;
  const betweenMs = Math.max(
    intervalMs,
    isSlowed ? maxBackoffMs : 0,
    watched.targets.length === 0 ? MAX_LOOKUP_PAUSE_MS : 0,
  );
  const isStale = now() - lastSeenMs > STALE_INTERVALS * betweenMs + timeoutMs;
  return isStale ? 'unknown' : state;
}

/**
 * When anything was last learnt of a destination: by a ping of one of its targets, by a look-up that
 * found no address, or when its verdict was reached. Wall clock, milliseconds; 0 for never.
 */
export function lastSeenMs(
  row: DestinationRow | undefined,
  targets: readonly (TargetRow | undefined)[],
): number {
  const lookupMs = targets.length === 0 ? (row?.lastLookupMs ?? 0) : 0;
  const seenMs = targets.map((target) => target?.lastSeenMs ?? 0);
  return Math.max(row?.sinceMs ?? 0, lookupMs, ...seenMs);
}
