import type { Entry } from '../shared/additions.js';
import type { ChangeListener, StateChange } from '../shared/changes.js';
import type { DestinationSlot, PingSettings, Watched } from '../shared/destination.js';
import type { LedgerReader } from '../shared/ledger/reader.js';
import type { ProbeReport } from '../shared/probe.js';
import type { ProbeRequest } from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import type { Shard } from '../shared/shard.js';
import type { SourceHealth, WebhookHealth } from '../shared/sources.js';
import type { State } from '../shared/state.js';
import type { History } from './history.js';

/** What is watched, and what is known of it. */
export type Watching = Pick<Exporter, 'ledger' | 'roster' | 'now'>;

/** What the HTTP side sees of the rest of the process. */
export interface Exporter {
  readonly version: string;
  readonly ledger: LedgerReader;
  readonly roster: {
    readonly size: number;
    all(): readonly Watched[];
    named(name: string): Watched | undefined;
    withUri(uri: string): readonly Watched[];
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
    /** What is kept of the changes after the one with this id. */
    since(id: string): readonly StateChange[];
    /** Calls `listener` for each change, until the function that it returns is called. */
    subscribe(listener: ChangeListener): () => void;
  };
  /** What is added at run time; each resolves once that is kept, and rejects with AdditionError. */
  readonly additions: {
    add(owner: string, entry: Entry): Promise<1 | -2>;
    remove(owner: string, names: readonly string[]): Promise<number>;
    flush(owner?: string): Promise<number>;
  };
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
  /** The last attempt to load a configuration succeeded. */
  readonly isConfigRight: boolean;
  /** Wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
  /** The wall clock now, milliseconds. */
  now(): number;
}

/** Intervals after which a verdict that no ping has renewed is nobody's word any more. */
const STALE_INTERVALS = 3;

/** A verdict as it may be told: unknown once the last ping, at `lastPingMs`, is too long ago. */
export function tellable(
  { now }: Watching,
  watched: Watched,
  state: State,
  lastPingMs: number,
): State {
  const { intervalMs, timeoutMs, deleteCounter, maxBackoffMs } = watched.destination.settings;
  const isSlowed = state === 'down' && deleteCounter > 0;
  const betweenMs = isSlowed ? Math.max(intervalMs, maxBackoffMs) : intervalMs;
  const isStale = now() - lastPingMs > STALE_INTERVALS * betweenMs + timeoutMs;
  // Without a ping there is a verdict only of a name that has no address.
  return isStale && lastPingMs > 0 ? 'unknown' : state;
}
