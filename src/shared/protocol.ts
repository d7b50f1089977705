/**
 * The messages between the main thread and the pinger thread. They contain no measurements, which are in
 * the ledger.
 */

import type {
  DestinationSlot,
  PeerDetails,
  Pingable,
  PingSettings,
  TargetAddress,
  TargetSlot,
} from './destination.js';
import type { UdpIo } from './ledger/layout.js';
import type { LogEvent } from './log-events.js';
import type { DownReason, FailureReason, TransportName } from './outcome.js';
import type { ProbeReport } from './probe-report.js';
import type { DnsSettings, Explanation } from './resolution.js';
import type { State } from './state.js';

/** `auto`: `kernel` where it is available, otherwise `dgram`. */
export type UdpIoChoice = 'auto' | UdpIo;

/** The data that a pinger thread starts with. */
export interface PingerStart {
  readonly ledger: SharedArrayBuffer;
  /** Targets that an earlier pinger resolved; this one continues their ledger rows. */
  readonly previousTargets: readonly ResolvedTargets[];
  readonly dns: DnsSettings;
  readonly udpIo: UdpIoChoice;
}

export interface ResolvedTargets {
  readonly destination: DestinationSlot;
  readonly targets: readonly TargetAddress[];
}

export type ToPinger =
  /** Monitor these destinations, or apply their new settings. */
  | {
      readonly type: 'monitor';
      readonly destinations: readonly {
        readonly slot: DestinationSlot;
        readonly destination: Pingable;
        /** Whether to report each of its pings. */
        readonly isFollowed: boolean;
      }[];
    }
  /** Write these debug lines. */
  | ({ readonly type: 'debug' } & DebugSettings)
  /** How to count in the ledger from now on. */
  | ({ readonly type: 'ledger' } & LedgerSettings)
  | { readonly type: 'unmonitor'; readonly slots: readonly DestinationSlot[] }
  /** Contents of the files that settings name, by path; sent again when they change. */
  | { readonly type: 'files'; readonly files: ReadonlyMap<string, string> }
  /** Settings of the probes that follow with this number; they replace earlier ones with it. */
  | { readonly type: 'probe_settings'; readonly number: number; readonly settings: PingSettings }
  /** Probes that were requested at about the same time. */
  | { readonly type: 'probe'; readonly probes: readonly NumberedProbe[] }
  /** Send the details of a destination that are not in the ledger. */
  | { readonly type: 'explain'; readonly id: number; readonly slot: DestinationSlot }
  /** Cancel this probe, because its client is gone. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

/** A single ping of any URI, monitored or not. */
/** A probe with the number of its settings. */
export interface NumberedProbe extends Omit<ProbeRequest, 'settings'> {
  readonly settings: number;
}

export interface ProbeResult {
  readonly id: number;
  /** Undefined when an internal error ended the probe. */
  readonly report: ProbeReport | undefined;
}

export interface ProbeRequest {
  readonly id: number;
  /** Canonical. */
  readonly uri: string;
  readonly settings: PingSettings;
  /** Timeout of the whole probe, milliseconds. */
  readonly timeoutMs: number;
  /** CIDR blocks that may be probed; empty for any address. */
  readonly allow: readonly string[];
}

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** How the pinger thread counts in the ledger. */
export interface LedgerSettings {
  /** Upper bounds of the classic buckets, microseconds. */
  readonly rttBoundsMicros: readonly number[];
  readonly connectBoundsMicros: readonly number[];
  readonly hasExemplars: boolean;
}

/** Which debug lines the pinger thread writes. */
export interface DebugSettings {
  /** `trace` adds the whole text of SIP messages; undefined for no debug lines. */
  readonly level: 'debug' | 'trace' | undefined;
  /** Names and canonical URIs of the destinations that lines are written for; empty for all. */
  readonly destinations: readonly string[];
}

/** A log line; `fields` are its key-value pairs. */
export interface LogLine {
  readonly level: LogLevel;
  /** A stable name to search for: `destination_down`. */
  readonly event: LogEvent;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** The state of a destination changed. */
export interface VerdictUpdate {
  readonly destination: DestinationSlot;
  readonly from: State;
  readonly to: State;
  readonly reason: DownReason | undefined;
  /** The exact error as text; empty when only the reason is known. */
  readonly detail: string;
  /** Status code of the response that the reason is about; undefined without one. */
  readonly sipCode: number | undefined;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** Details of a target; each update replaces the previous one. */
export interface PeerUpdate {
  readonly destination: DestinationSlot;
  readonly target: TargetSlot;
  readonly peer: PeerDetails;
}

/** The result of a ping of a followed destination. */
export interface PingReport {
  readonly destination: DestinationSlot;
  readonly transport: TransportName;
  readonly address: string;
  /** Undefined when it was alive. */
  readonly reason: FailureReason | undefined;
  /** Status code of the response; undefined without one. */
  readonly code: number | undefined;
  readonly rttMicros: number | undefined;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** The Server or User-Agent header of a destination's peer. */
export interface ServerName {
  readonly destination: DestinationSlot;
  readonly server: string;
}

export type FromPinger =
  | { readonly type: 'ready' }
  | { readonly type: 'targets'; readonly resolved: readonly ResolvedTargets[] }
  | { readonly type: 'changed'; readonly changes: readonly VerdictUpdate[] }
  | { readonly type: 'servers'; readonly servers: readonly ServerName[] }
  | { readonly type: 'peers'; readonly peers: readonly PeerUpdate[] }
  | { readonly type: 'pings'; readonly pings: readonly PingReport[] }
  | {
      readonly type: 'explained';
      readonly id: number;
      /** Undefined when the destination is not monitored. */
      readonly explanation: Explanation | undefined;
    }
  /** Probes that ended at about the same time. */
  | { readonly type: 'probed'; readonly results: readonly ProbeResult[] }
  | ({ readonly type: 'log' } & LogLine)
  /** Debug lines, which are logged at every log level. */
  | { readonly type: 'debug_lines'; readonly lines: readonly LogLine[] };
