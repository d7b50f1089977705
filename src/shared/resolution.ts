import type { TransportName } from './outcome.js';

/** How names are resolved. */
export interface DnsSettings {
  /** Each `address` or `address:port`; none for those of `resolvConf`. */
  readonly servers: readonly string[];
  /** The system's list of servers, where there are none above. */
  readonly resolvConf: string;
  /** Domains that complete a name, in place of those of `resolvConf`. */
  readonly search: readonly string[];
  /** For the answer of a server, milliseconds. */
  readonly timeoutMs: number;
  /** An answer is used at least and at most so long, milliseconds. */
  readonly minTtlMs: number;
  readonly maxTtlMs: number;
  /** Empty for none. */
  readonly hostsFile: string;
}

/**
 * Why a name has no addresses. `local` is a fault of ours (no descriptor left, a firewall rule, no
 * network): no server could be asked, so it says nothing about the name.
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

/** What a destination's name came to. */
export interface Resolution {
  readonly targets: readonly {
    readonly transport: TransportName;
    /** As in the label `address`. */
    readonly address: string;
    readonly steps: readonly (Omit<ResolutionStep, 'untilMs'> & {
      /** How long it still holds, milliseconds; infinite for ever. */
      readonly leftMs: number;
    })[];
  }[];
  /** Milliseconds since the last good answer; undefined when there was none. */
  readonly ageMs: number | undefined;
  /** Look-ups on the way that failed, in words. */
  readonly errors: readonly string[];
}

/** The last messages that went to a target and came from it, as text. */
export interface Exchange {
  /** Empty when none was, or none is kept. */
  readonly sent: string;
  readonly received: string;
}

/** What the pinger can tell of a destination besides numbers. */
export interface Explanation {
  readonly resolution: Resolution;
  /** By the index of the target's slot. */
  readonly exchanges: ReadonlyMap<number, Exchange>;
}

/** One record, of the DNS or of the hosts file, on the way from a name to an address. */
export interface ResolutionStep {
  readonly type: 'NAPTR' | 'SRV' | 'A' | 'AAAA' | 'hosts';
  /** What was asked for. */
  readonly name: string;
  /** What it led to. */
  readonly value: string;
  readonly order?: number;
  readonly preference?: number;
  readonly priority?: number;
  readonly weight?: number;
  /** Monotonic time of the pinger thread, milliseconds, until which it holds; infinite for ever. */
  readonly untilMs: number;
}
