import type { DownReason, TransportName } from './outcome.js';
import type { TlsPeer } from './tls-peer.js';

/**
 * The result of a probe. Durations are seconds; undefined for a phase that was not reached, NaN for one
 * during which the pinger thread stalled.
 */
export interface ProbeReport {
  readonly isAlive: boolean;
  /** Why the peer is not alive; undefined when it is alive or the probe was not allowed. */
  readonly reason: DownReason | undefined;
  /** The exact error as text; empty when only the reason is known. */
  readonly detail: string;
  /** False when the URI has no address that may be probed. Then nothing was sent. */
  readonly isAllowed: boolean;
  /** False when, because of a stall of the pinger thread, it is unknown whether a response came in time. */
  readonly isObserved: boolean;
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

/**
 * A step: the wall clock in milliseconds, what happened, and the SIP message as sent or received with
 * secrets masked, empty for other steps. A tuple costs half as much as an object to pass to another thread.
 */
export type ProbeLogLine = readonly [atMs: number, what: string, message: string];
