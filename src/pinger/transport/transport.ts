/**
 * How messages reach a target. The rest of the pinger knows wires only by these interfaces.
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
  /** The host that led to the address, before any look-up (RFC 5922 4: whom its certificate names). */
  readonly domain: string;
  /** Whose pings go there, for debug lines. */
  readonly destination?: DebugSubject;
}

/** What a flow tells of the ping that is under way, and of how it came to carry it. */
export interface FlowListener {
  /** The flow can carry a request now, sent by `local`. */
  ready(local: LocalAddress): void;
  /** The flow waits for the peer now, and for what: `a connection`. Told for each step of it. */
  awaits(what: string): void;
  /** The ping can get no answer. */
  failed(failure: TransportFailure): void;
  /**
   * The connection was closed before anything came back, and it had served earlier pings: the peer
   * may have closed it before it saw the request. `prepare` makes another.
   */
  lost(): void;
  /** A phase of the coming about of a connection is over. */
  connected(phase: ConnectPhase, micros: number): void;
  /** The peer has shown its certificate. */
  secured(peer: TlsPeer): void;
}

/** The way to one target. */
export interface Flow {
  /** No retransmissions over a reliable one (RFC 3261 17.1.2.2). */
  readonly isReliable: boolean;
  /**
   * Monotonic: when the last request left; undefined when no more is known than when `send` was
   * called, NaN when it cannot be compared with arrivals.
   */
  readonly sentAtMs?: number | undefined;
  /** Makes the flow fit for a ping; `ready` or `failed` follows, at once or later, unless `rest` comes first. */
  prepare(): void;
  send(message: Uint8Array): void;
  /** Sends once more what got no answer. */
  resend(message: Uint8Array): void;
  /**
   * The ping has ended; what was held for it alone is given back.
   *
   * @param isAnswered undefined when that is not known.
   */
  rest(isAnswered: boolean | undefined): void;
  /** The outcome with what the flow knows of it: a fault of our own, or more words. */
  explain(outcome: Outcome): Outcome;
  close(): void;
}

export interface Transport {
  /** @param isForOnce the flow will carry one ping. */
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
  /** Sends something back to where it came from, to this port there. */
  answer(message: Uint8Array, port: number): void;
}

/** Takes every message that arrives, from whomever; false when it was none of ours. */
export type MessageHandler = (bytes: Uint8Array, from: Source) => boolean;
