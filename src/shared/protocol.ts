/**
 * The messages that cross between the main thread and the pinger thread. Numbers do not: they are
 * in the ledger.
 */

import type {
  DestinationSlot,
  PeerDetails,
  Pingable,
  PingSettings,
  TargetAddress,
  TargetSlot,
} from './destination.js';
import type { DownReason, FailureReason, TransportName } from './outcome.js';
import type { ProbeReport } from './probe-report.js';
import type { DnsSettings, Explanation } from './resolution.js';
import type { State } from './state.js';

/** What a pinger is born with. */
export interface PingerStart {
  readonly ledger: SharedArrayBuffer;
  /** Targets that an earlier pinger resolved, whose rows of the ledger go on. */
  readonly known: readonly ResolvedTargets[];
  readonly dns: DnsSettings;
}

export interface ResolvedTargets {
  readonly destination: DestinationSlot;
  readonly targets: readonly TargetAddress[];
}

export type ToPinger =
  /** Watch these, or take over their new settings. */
  | {
      readonly type: 'watch';
      readonly destinations: readonly {
        readonly slot: DestinationSlot;
        readonly destination: Pingable;
        /** Each of its pings is told of. */
        readonly isFollowed: boolean;
      }[];
    }
  | { readonly type: 'unwatch'; readonly slots: readonly DestinationSlot[] }
  /** What is in the files that settings name, by their paths; sent again when it changes. */
  | { readonly type: 'files'; readonly files: ReadonlyMap<string, string> }
  | ({ readonly type: 'probe' } & ProbeRequest)
  /** Asks what there is to tell of a destination besides numbers. */
  | { readonly type: 'explain'; readonly id: number; readonly slot: DestinationSlot }
  /** Nobody waits for this probe any more. */
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'stop' };

/** One ping of a destination that is not watched. */
export interface ProbeRequest {
  readonly id: number;
  /** Canonical. */
  readonly uri: string;
  readonly settings: PingSettings;
  /** For all of it, milliseconds. */
  readonly timeoutMs: number;
  /** CIDR blocks that may be probed; empty when any may. */
  readonly allow: readonly string[];
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A line for the log; `fields` are its key-value pairs. */
export interface LogLine {
  readonly level: LogLevel;
  /** What happened, as a stable name to search for: `destination_down`. */
  readonly event?: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** A destination's verdict became another one. */
export interface VerdictUpdate {
  readonly destination: DestinationSlot;
  readonly from: State;
  readonly to: State;
  readonly reason: DownReason | undefined;
  /** What exactly went wrong, in words; empty when no more is known than the reason. */
  readonly detail: string;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** What was found out about a target; a later one replaces an earlier one. */
export interface PeerUpdate {
  readonly destination: DestinationSlot;
  readonly target: TargetSlot;
  readonly peer: PeerDetails;
}

/** How a ping of a destination that is followed ended. */
export interface PingReport {
  readonly destination: DestinationSlot;
  readonly transport: TransportName;
  readonly address: string;
  /** Undefined when it was alive. */
  readonly reason: FailureReason | undefined;
  /** Status code of the answer; undefined when there was none. */
  readonly code: number | undefined;
  readonly rttMicros: number | undefined;
  /** Wall clock, milliseconds. */
  readonly atMs: number;
}

/** What a peer calls itself. */
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
      /** Undefined when the destination is not watched. */
      readonly explanation: Explanation | undefined;
    }
  /** Without a report when a fault of ours ended the probe. */
  | { readonly type: 'probed'; readonly id: number; readonly report: ProbeReport | undefined }
  | ({ readonly type: 'log' } & LogLine);
