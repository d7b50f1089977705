/**
 * The messages that cross between the main thread and the pinger thread. Numbers do not: they are
 * in the ledger.
 */

import type { Destination, DestinationSlot, TargetAddress } from './destination.js';
import type { DownReason } from './outcome.js';
import type { State } from './state.js';

/** What a pinger is born with. */
export interface PingerStart {
  readonly ledger: SharedArrayBuffer;
  /** Targets that an earlier pinger resolved, whose rows of the ledger go on. */
  readonly known: readonly ResolvedTargets[];
  /** DNS servers as `address` or `address:port`; none for the system's. */
  readonly dnsServers: readonly string[];
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
        readonly destination: Destination;
      }[];
    }
  | { readonly type: 'unwatch'; readonly slots: readonly DestinationSlot[] }
  | { readonly type: 'stop' };

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A line for the log; `fields` are its key-value pairs. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number>>;
}

/** A destination's verdict became another one. */
export interface Change {
  readonly destination: DestinationSlot;
  readonly from: State;
  readonly to: State;
  readonly reason: DownReason | undefined;
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
  | { readonly type: 'changed'; readonly changes: readonly Change[] }
  | { readonly type: 'servers'; readonly servers: readonly ServerName[] }
  | ({ readonly type: 'log' } & LogLine);
