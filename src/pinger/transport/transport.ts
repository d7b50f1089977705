/**
 * How messages reach a target. The rest of the pinger knows transports only by these interfaces.
 */

import type { LocalAddress } from '../../shared/address.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import type { DebugSubject } from '../debug/debug-log.js';

/** Where a target listens. */
export interface Endpoint {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
  /** The host before DNS, which the certificate must name (RFC 5922 4). */
  readonly domain: string;
  /** Whose pings go there, for debug lines. */
  readonly destination?: DebugSubject;
}

/** Learns what happens to the ping in progress and to the connection that carries it. */
export interface FlowListener {
  /** The flow can send a request now; `local` is its sent-by address. */
  ready(local: LocalAddress): void;
  /** The flow waits for the peer; called for each step, with its name: `a connection`. */
  waitingFor(what: string): void;
  /** The ping cannot be answered. */
  failed(failure: TransportFailure): void;
  /**
   * The connection was closed before anything was received, and it had carried earlier pings: the
   * peer may not have seen the request. `prepare` opens another.
   */
  connectionLost(): void;
  /** A phase of setting up a connection is complete. */
  connected(phase: ConnectPhase, micros: number): void;
  /** The peer has shown its certificate. */
  secured(peer: TlsPeer): void;
}

/** Sends the pings of one target. */
export interface Flow {
  /** Requests are not retransmitted over a reliable transport (RFC 3261 17.1.2.2). */
  readonly isReliable: boolean;
  /**
   * Monotonic: when the last request left; undefined when no more is known than when `send` was
   * called, NaN when it cannot be compared with arrivals.
   */
  readonly sentAtMs?: number | undefined;
  /** Prepares a ping; `ready` or `failed` follows, maybe at once, unless `pingEnded` is called first. */
  prepare(): void;
  send(message: Uint8Array): void;
  /** Retransmits a request. */
  resend(message: Uint8Array): void;
  /**
   * The ping has ended; resources that it alone needed are released.
   *
   * @param isAnswered undefined when that is unknown.
   */
  pingEnded(isAnswered: boolean | undefined): void;
  /** The outcome, with what the flow adds: that it is a local error, or a detail. */
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
  /** Monotonic, milliseconds: when it arrived, where the kernel says so. */
  readonly arrivedAtMs?: number | undefined;
  /** Whether answers go back over the connection that the message came on (RFC 3261 18.2.2). */
  readonly isConnection: boolean;
  /** Sends a response to the source's address, at this port. */
  answer(message: Uint8Array, port: number): void;
}

/** Receives every message that arrives; false when it belongs to no ping and is not answered. */
export type MessageHandler = (bytes: Uint8Array, from: Source) => boolean;
