import type { Shard } from '../config/shard.js';
import type { SourceHealth, WebhookHealth } from '../config/source-settings.js';
import type { Entry } from '../registry/entry.js';
import type {
  DestinationSlot,
  PingSettings,
  RegisteredDestination,
} from '../shared/destination.js';
import type { DestinationRow, LedgerReader, TargetRow } from '../shared/ledger/reader.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type { ProbeRequest } from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import type { State } from '../shared/state.js';
import type { History } from '../status/history.js';
import type { ChangeListener, StateChange } from '../status/state-change.js';
import type { OwnNames } from './guards/same-site.js';
import type { ConnectionCounts } from './server/connections.js';

/** What is watched, and what is known of it. */
export type StatusContext = Pick<Exporter, 'ledger' | 'registry' | 'now'>;

/** What the HTTP side sees of the rest of the process. */
export interface Exporter {
  readonly version: string;
  readonly ledger: LedgerReader;
  readonly registry: {
    readonly size: number;
    all(): readonly RegisteredDestination[];
    named(name: string): RegisteredDestination | undefined;
    withUri(uri: string): readonly RegisteredDestination[];
  };
  readonly pinger: {
    readonly isReady: boolean;
    readonly restarts: number;
    /** Pings once. Rejects when it cannot, or when `signal` aborts. */
    probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport>;
    /** What there is to tell of a destination besides numbers. Rejects when the pinger cannot say. */
    explanation(slot: DestinationSlot): Promise<Explanation | undefined>;
  };
  readonly changes: {
    /** Changes are numbered from 1; these are the newest and the oldest that is kept. */
    readonly newest: number;
    readonly oldest: number;
    /** The number of the change with this id; before the oldest when it is not of this run. */
    numberOf(id: string): number;
    /** Up to `most` of the kept changes after the one with this number, the oldest first. */
    after(number: number, most: number): readonly StateChange[];
    /** Calls `listener` for each change, until the function that it returns is called. */
    subscribe(listener: ChangeListener): () => void;
  };
  /** What is added at run time; each resolves once that is kept, and rejects with AdditionError. */
  readonly runtimeDestinations: {
    add(owner: string, entry: Entry): Promise<1 | -2>;
    remove(owner: string, names: readonly string[]): Promise<number>;
    flush(owner?: string): Promise<number>;
  };
  /** The names under which we may be asked for what changes things or shows secrets. */
  readonly names: OwnNames;
  /** Connections of the HTTP server. */
  readonly connections: ConnectionCounts;
  readonly history: { of(slot: DestinationSlot): History };
  /** Whether callers may add and remove. */
  readonly isAdminEnabled: boolean;
  sources(): readonly SourceHealth[];
  webhooks(): readonly WebhookHealth[];
  readonly shard: Shard;
  /** Loads the configuration anew. Resolves with what is wrong with it, and then nothing has changed. */
  reload(): Promise<string | undefined>;
  /** Settings of pings by the name of their module. */
  readonly modules: Readonly<Record<string, PingSettings>>;
  /** A module's settings for people to read. */
  moduleText(module: string): string;
  readonly probes: {
    readonly isEnabled: boolean;
    /** CIDR blocks and domains that may be probed; empty when anything may. */
    readonly allow: readonly string[];
  };
  /** The configuration in force, for people to read. */
  configText(): string;
  /** Lines of the log that nobody read, or that could not be written. */
  readonly logLinesDropped: number;
  /** Faults of the exporter on the main thread. */
  readonly faults: number;
  /** The last attempt to load a configuration succeeded. */
  readonly isConfigRight: boolean;
  /** Wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
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
