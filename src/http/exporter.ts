import type { Watched } from '../shared/destination.js';
import type { LedgerReader } from '../shared/ledger.js';

/** What the HTTP side sees of the rest of the process. */
export interface Exporter {
  readonly version: string;
  readonly ledger: LedgerReader;
  readonly roster: {
    all(): readonly Watched[];
    named(name: string): Watched | undefined;
    withUri(uri: string): readonly Watched[];
  };
  readonly pinger: { readonly isReady: boolean; readonly restarts: number };
  /** The configuration in force, for people to read. */
  readonly configText: string;
  /** Wall clock, milliseconds. */
  readonly configLoadedAtMs: number;
}
