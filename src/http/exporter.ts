import type { Watched } from '../shared/destination.js';
import type { LedgerReader } from '../shared/ledger/reader.js';
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
    /** Milliseconds for which no pinger has been at work; 0 while one is. */
    readonly silentMs: number;
  };
  /** The configuration in force, for people to read. */
  configText(): string;
  /** Wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
}

/** Intervals after which a verdict that no pinger renews is nobody's word any more. */
const STALE_INTERVALS = 3;

/** A state as it may be told: unknown once the pinger has been silent for too long. */
export function tellable(exporter: Exporter, watched: Watched, state: State | undefined): State {
  const { intervalMs } = watched.destination.settings;
  const isStale = exporter.pinger.silentMs > STALE_INTERVALS * intervalMs;
  return isStale ? 'unknown' : (state ?? 'unknown');
}
