import type { ExporterFacts } from '../metrics/exporter-families.js';
import type { DestinationEntry } from '../registry/runtime-destination.js';
import type { DestinationSlot, PingSettings } from '../shared/destination.js';
import type { ProbeReport } from '../shared/probe-report.js';
import type { ProbeRequest } from '../shared/protocol.js';
import type { Explanation } from '../shared/resolution.js';
import type { StatusContext } from '../status/freshness.js';
import type { History } from '../status/history.js';
import type { ChangeListener, StateChange } from '../status/state-change.js';
import type { ExporterNames } from './guards/same-site.js';

/** What the HTTP side sees of the rest of the process. */
export interface Exporter extends StatusContext, Omit<ExporterFacts, 'registry'> {
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
  /** Destinations added at run time. Each method resolves once the change is on disk, and rejects with RuntimeDestinationError. */
  readonly runtimeDestinations: {
    add(owner: string, entry: DestinationEntry): Promise<1 | -2>;
    remove(owner: string, names: readonly string[]): Promise<number>;
    flush(owner?: string): Promise<number>;
  };
  /** The names under which we may be asked for what changes things or shows secrets. */
  readonly names: ExporterNames;
  readonly history: { of(slot: DestinationSlot): History };
  /** Whether callers may add and remove. */
  readonly isAdminEnabled: boolean;
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
}
