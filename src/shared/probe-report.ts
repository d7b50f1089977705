import type { DownReason, TransportName } from './outcome.js';
import type { TlsPeer } from './tls-peer.js';

/**
 * What a probe came to. Durations are seconds; undefined where it did not come so far, NaN where we
 * stood still and nobody knows.
 */
export interface ProbeReport {
  readonly isAlive: boolean;
  /** Why not; undefined when it is alive, or when it was not allowed. */
  readonly reason: DownReason | undefined;
  /** What exactly went wrong, in words; empty when no more is known than the reason. */
  readonly detail: string;
  /** False when no address that may be probed was found, and so nothing was sent. */
  readonly isAllowed: boolean;
  /** False when we stood still, so that nothing is known. */
  readonly isSeen: boolean;
  readonly transport: TransportName | undefined;
  /** IP address, IPv6 without brackets. */
  readonly address: string | undefined;
  readonly code: number | undefined;
  readonly durations: {
    readonly total: number;
    readonly resolve: number | undefined;
    readonly connect: number | undefined;
    readonly tls: number | undefined;
    readonly request: number | undefined;
  };
  readonly retransmissions: number;
  readonly tls: TlsPeer | undefined;
  readonly log: readonly ProbeLogLine[];
}

export interface ProbeLogLine {
  /** Wall clock, milliseconds. */
  readonly atMs: number;
  readonly what: string;
  /** A message as it was sent or received, secrets masked; empty for other lines. */
  readonly message: string;
}
