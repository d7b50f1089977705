/**
 * How messages reach a target. The rest of the pinger knows wires only by these three interfaces.
 */

import type { TransportFailure } from '../../shared/outcome.js';

/** Where a target listens. */
export interface Endpoint {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** Where we listen, as the target sees it. */
export interface LocalAddress {
  /** IP address, IPv6 without brackets. */
  readonly address: string;
  readonly port: number;
}

/** What a flow tells of the ping that is under way. */
export interface FlowUser {
  /** The flow can carry a request now, sent by `local`. */
  ready(local: LocalAddress): void;
  /** The ping can get no answer. */
  failed(reason: TransportFailure): void;
}

/** The way to one target. */
export interface Flow {
  /** No retransmissions over a reliable one (RFC 3261 17.1.2.2). */
  readonly isReliable: boolean;
  /** Makes the flow fit for a ping; `ready` or `failed` follows, at once or later. */
  prepare(): void;
  send(message: Uint8Array): void;
  /** Sends once more what got no answer. */
  resend(message: Uint8Array): void;
  /** The ping has ended; what was held for it alone is given back. */
  rest(isAnswered: boolean): void;
  close(): void;
}

export interface Transport {
  open(endpoint: Endpoint, user: FlowUser): Flow;
  close(): void;
}

/** Where a message came from. */
export interface Source {
  readonly address: string;
  readonly port: number;
  /** Sends something back to where it came from, to this port there. */
  answer(message: Uint8Array, port: number): void;
}

/** Takes every message that arrives, from whomever. */
export type MessageHandler = (bytes: Uint8Array, from: Source) => void;
