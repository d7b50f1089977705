/**
 * The interfaces of transports. The rest of the pinger uses transports only through them.
 */

import type { LocalAddress } from '../../shared/address.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { DebugSubject } from '../debug/debug-log.js';

/** The address of a target. */
export interface Endpoint {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** The host before DNS, which the certificate must name (RFC 5922 4). */
  readonly domain: string;
  /** The destination that the target belongs to, for debug lines. */
  readonly destination?: DebugSubject;
}

/** Receives the events of the current ping and of its connection. */
export interface FlowListener {
  /** The flow can send a request now. @param local its sent-by address. */
  ready(local: LocalAddress): void;
  /** The flow waits for the peer; called for each step. @param what a noun: `a connection`. */
  waitingFor(what: string): void;
  /** The request cannot be delivered or answered. */
  failed(failure: TransportFailure): void;
  /**
   * A connection that had carried earlier pings was closed before anything was received for this one:
   * the peer may not have read the request. `prepare` opens a new connection.
   */
  connectionLost(): void;
  /** A phase of setting up a connection is complete. @param micros its duration. */
  connected(phase: ConnectPhase, micros: number): void;
  /** The peer has sent its certificate. */
  secured(peer: TlsPeer): void;
}

/** Sends the pings of one target. */
export interface Flow {
  /** Requests are not retransmitted over a reliable transport (RFC 3261 17.1.2.2). */
  readonly isReliable: boolean;
  /**
   * Monotonic time at which the last request left. Undefined when only the time of `send` is known; NaN
   * when it cannot be compared with arrival times.
   */
  readonly sentAtMs?: number | undefined;
  /** Prepares a ping. `ready` or `failed` follows, maybe before this returns, unless `pingEnded` comes first. */
  prepare(): void;
  send(message: Uint8Array): void;
  /** Retransmits a request. */
  resend(message: Uint8Array): void;
  /**
   * The ping has ended. Resources that only it needed are released.
   *
   * @param isAnswered undefined when that is unknown.
   */
  pingEnded(isAnswered: boolean | undefined): void;
  /** Adds what the flow knows to an outcome: that it is a local error, or a detail. */
  explain(outcome: Outcome): Outcome;
  close(): void;
}

export interface Transport {
  /** @param isForOnce the flow carries one ping only. */
  open(endpoint: Endpoint, listener: FlowListener, isForOnce: boolean): Flow;
  close(): void;
}

/** Where a message came from. */
export interface Source {
  readonly address: string;
  readonly port: number;
  /** Monotonic arrival time, milliseconds, if the kernel provides it. */
  readonly arrivedAtMs?: number | undefined;
  /** Whether responses are sent over the connection of the request (RFC 3261 18.2.2). */
  readonly isConnection: boolean;
  /** Sends a response to the source's address, at this port. */
  answer(message: Uint8Array, port: number): void;
}

/** Handles every message that arrives. Returns false when it belongs to no ping and is not answered. */
export type MessageHandler = (bytes: Uint8Array, from: Source) => boolean;
