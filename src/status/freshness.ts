/** The state to report, which is unknown when the last result is too old. */

import type { Destination, DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import type { LedgerReader } from '../shared/ledger/reader.js';
import type { DestinationVerdict, TargetResults } from '../shared/ledger/rows.js';
import type { State } from '../shared/state.js';
import type { BeliefSource } from './beliefs.js';

/** Access to the destinations and their measurements. */
export interface StatusContext {
  readonly ledger: LedgerReader;
  readonly registry: {
    readonly size: number;
    all(): readonly RegisteredDestination[];
    named(name: string): RegisteredDestination | undefined;
    /** Undefined when the slot is free or has a new destination. */
    at(slot: DestinationSlot): RegisteredDestination | undefined;
    /** @param uri canonical. */
    withUri(uri: string): readonly RegisteredDestination[];
  };
  /** What running Kamailios believe; undefined without any. */
  readonly beliefs?: BeliefSource;
  /** Incidents, which last beyond a restart, as the ledger does not; undefined without any. */
  readonly incidents?: {
    /** When the one that lasts began, if it is of this state: wall clock, milliseconds. */
    beganAtMs(destination: Destination, state: State): number | undefined;
  };
  /** Wall clock, milliseconds. */
  now(): number;
}

/** A state that no ping has confirmed for this many intervals is stale. */
const STALE_INTERVALS = 3;

/** Longest pause before a name without addresses is resolved again, milliseconds. */
const MAX_LOOKUP_PAUSE_MS = 30_000;

/**
 * The state to report: `unknown` when the last result about the peer, at `lastSeenMs`, is too old. A ping
 * with a local error is not such a result.
 */
export function effectiveState(
  { now }: Pick<StatusContext, 'now'>,
  registered: RegisteredDestination,
  state: State,
  lastSeenMs: number,
): State {
  const { settings } = registered.destination;
  const maxPauseMs = Math.max(
    settings.intervalMs,
    state === 'down' ? settings.downIntervalMs : 0,
    state === 'down' && (settings.deleteCounter > 0 || settings.respectRetryAfter)
      ? settings.maxBackoffMs
      : 0,
    registered.targets.length === 0 ? MAX_LOOKUP_PAUSE_MS : 0,
  );
  const isStale = now() - lastSeenMs > STALE_INTERVALS * maxPauseMs + settings.timeoutMs;
  return isStale ? 'unknown' : state;
}

/**
 * Time of the last result about a destination: a ping of one of its targets, a DNS lookup without
 * addresses, or a change of its state. Wall clock, milliseconds; 0 for never.
 */
export function lastSeenMs(
  row: DestinationVerdict | undefined,
  targets: readonly (TargetResults | undefined)[],
): number {
  const lookupMs = targets.length === 0 ? (row?.lastLookupMs ?? 0) : 0;
  let lastMs = Math.max(row?.sinceMs ?? 0, lookupMs);
  for (const target of targets) lastMs = Math.max(lastMs, target?.lastSeenMs ?? 0);
  return lastMs;
}

/** The state of a destination to report. */
export function destinationState(status: StatusContext, registered: RegisteredDestination): State {
  const row = status.ledger.verdict(registered.slot);
  const targets = registered.targets.map(({ slot }) => status.ledger.results(slot));
  return effectiveState(status, registered, row?.state ?? 'unknown', lastSeenMs(row, targets));
}
