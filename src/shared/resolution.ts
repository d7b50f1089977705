import type { TransportName } from './outcome.js';

/** The settings of DNS resolution. */
export interface DnsSettings {
  /** Each `address` or `address:port`; empty to use those in `resolvConf`. */
  readonly servers: readonly string[];
  /** Path of the file that lists the system's servers, used when `servers` is empty. */
  readonly resolvConf: string;
  /** Search domains; empty to use those in `resolvConf`. */
  readonly search: readonly string[];
  /** Timeout of one query to one server, milliseconds. */
  readonly timeoutMs: number;
  /** Limits on the TTL of answers, milliseconds. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Path of the hosts file; empty for none. */
  readonly hostsFile: string;
}

/**
 * Why a name has no addresses. `local`: the exporter could not query any server (no file descriptor, a
 * firewall rule, no network), which says nothing about the name.
 */
export const RESOLUTION_FAILURES = [
  'nxdomain',
  'nodata',
  'servfail',
  'refused',
  'timeout',
  'local',
] as const;
export type ResolutionFailure = (typeof RESOLUTION_FAILURES)[number];

/** The result of resolving a destination's name. */
export interface Resolution {
  readonly targets: readonly {
    readonly transport: TransportName;
    /** As in the label `address`. */
    readonly address: string;
    readonly steps: readonly (Omit<ResolutionStep, 'untilMs'> & {
      /** Milliseconds until the record expires; infinite if never. */
      readonly leftMs: number;
    })[];
  }[];
  /** Milliseconds since the last usable answer; undefined without one. */
  readonly ageMs: number | undefined;
  /** Failed lookups as text. */
  readonly errors: readonly string[];
}

/** The last messages sent to a target and received from it, as text, and its last ping. */
export interface Exchange {
  /** Empty when there is none or it is not kept. */
  readonly sent: string;
  readonly received: string;
  /** Undefined when there is none or it is not kept. */
  readonly ladder: Ladder | undefined;
}

/** The messages of a ping. */
export interface Ladder {
  /** When the first request was sent: wall clock, milliseconds. */
  readonly startedAtMs: number;
  readonly steps: readonly LadderStep[];
}

export interface LadderStep {
  /** Milliseconds since the start. */
  readonly offsetMs: number;
  readonly direction: 'sent' | 'received';
  /** `OPTIONS (retransmission 1)`, `200 OK`. */
  readonly summary: string;
  /** Only the last message of each direction is kept; empty for others. */
  readonly message: string;
}

/** Details of a destination that are not in the ledger; the pinger sends them on request. */
export interface Explanation {
  readonly resolution: Resolution;
  /** By target index. */
  readonly exchanges: ReadonlyMap<number, Exchange>;
}

/** One record, of DNS or the hosts file, on the path from a name to an address. */
export interface ResolutionStep {
  readonly type: 'NAPTR' | 'SRV' | 'A' | 'AAAA' | 'hosts';
  /** The name that was looked up. */
  readonly name: string;
  /** The name or address in the record. */
  readonly value: string;
  readonly order?: number;
  readonly preference?: number;
  readonly priority?: number;
  readonly weight?: number;
  /** Time at which the record expires, on the pinger thread's monotonic clock, milliseconds; infinite if never. */
  readonly untilMs: number;
}
