import type { DestinationSlot, PingSettings, Watched } from '../shared/destination.js';
import type { LedgerReader } from '../shared/ledger/reader.js';
import type { ProbeReport } from '../shared/probe.js';
import type { ProbeRequest } from '../shared/protocol.js';
import type { Resolution } from '../shared/resolution.js';
import type { State } from '../shared/state.js';

/** What the HTTP side sees of the rest of the process. */
export interface Exporter {
  readonly version: string;
  readonly ledger: LedgerReader;
  readonly roster: {
    all(): readonly Watched[];
    named(name: string): Watched | undefined;
    withUri(uri: string): readonly Watched[];
  };
  readonly pinger: {
    readonly isReady: boolean;
    readonly restarts: number;
    /** Pings once. Rejects when it cannot, or when `signal` aborts. */
    probe(request: Omit<ProbeRequest, 'id'>, signal: AbortSignal): Promise<ProbeReport>;
    /** What a destination's name came to. Rejects when the pinger cannot say. */
    resolution(slot: DestinationSlot): Promise<Resolution | undefined>;
  };
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
  /** Wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
  /** The wall clock now, milliseconds. */
  now(): number;
}

/** Intervals after which a verdict that no ping has renewed is nobody's word any more. */
const STALE_INTERVALS = 3;

/** A verdict as it may be told: unknown once the last ping, at `lastPingMs`, is too long ago. */
export function tellable(
  exporter: Exporter,
  watched: Watched,
  state: State,
  lastPingMs: number,
): State {
  const { intervalMs, timeoutMs } = watched.destination.settings;
  const isStale = exporter.now() - lastPingMs > STALE_INTERVALS * intervalMs + timeoutMs;
  // Without a ping there is a verdict only of a name that has no address.
  return isStale && lastPingMs > 0 ? 'unknown' : state;
}
