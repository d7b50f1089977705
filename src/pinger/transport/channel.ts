/** What carries messages once a connection is there: a byte stream, or a WebSocket. */

import type * as net from 'node:net';
import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';

export interface Channel {
  readonly local: LocalAddress;
  /** Whether a message has begun to come and is not complete. */
  readonly isWithinMessage: boolean;
  send(message: Uint8Array): void;
  /** Ends it, letting the peer know; nothing is told any more. */
  end(): void;
  /** Ends it at once, as one does with a connection that seems dead; nothing is told any more. */
  destroy(): void;
}

/** What a channel tells of itself. */
export interface ChannelListener {
  /** Something came from the peer, be it a message or not. */
  heard(): void;
  received(message: Uint8Array): void;
  /** It is closed; the last word. */
  ended(failure: TransportFailure): void;
}

/** Bytes that may wait to be taken by a peer that does not read; more than that is not sent. */
export const MAX_UNREAD = 64 * 1024;

/** Our end of a connection; nobody's when it is closed already, as its end will tell. */
export function localAddressOf(socket: net.Socket): LocalAddress {
  return { address: socket.localAddress ?? '0.0.0.0', port: socket.localPort ?? 0 };
}
