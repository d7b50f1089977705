/** An open connection that carries SIP messages: a byte stream or a WebSocket. */

import type * as net from 'node:net';
import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';

export interface Channel {
  readonly local: LocalAddress;
  /** A message has been received in part. */
  readonly isWithinMessage: boolean;
  send(message: Uint8Array): void;
  /** Closes it in an orderly way; the listener is not called any more. */
  end(): void;
  /** Closes it at once, for a connection that seems dead; the listener is not called any more. */
  destroy(): void;
}

export interface ChannelListener {
  /** The peer sent something, maybe not a message. */
  active(): void;
  received(message: Uint8Array): void;
  /** The channel is closed; the last call. */
  closed(failure: TransportFailure): void;
}

/** Bytes that may wait for a peer that does not read; further messages are not sent. */
export const MAX_UNSENT_BYTES = 64 * 1024;

/** The local end of a connection; a placeholder when it is closed already. */
export function localAddressOf(socket: net.Socket): LocalAddress {
  return { address: socket.localAddress ?? '0.0.0.0', port: socket.localPort ?? 0 };
}
