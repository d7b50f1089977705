/** An open connection that carries SIP messages: a byte stream or a WebSocket. */

import type * as net from 'node:net';
import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';

export interface Channel {
  readonly local: LocalAddress;
  /** A part of a message has been received. */
  readonly isWithinMessage: boolean;
  send(message: Uint8Array): void;
  /** Closes the channel gracefully. The listener is not called any more. */
  end(): void;
  /** Closes a channel that seems dead at once. The listener is not called any more. */
  destroy(): void;
}

export interface ChannelListener {
  /** The peer sent data, maybe not a message. */
  active(): void;
  received(message: Uint8Array): void;
  /** The channel is closed. This is the last call. */
  closed(failure: TransportFailure): void;
}

/** Maximum number of bytes that wait for a peer that does not read; further messages are dropped. */
export const MAX_UNSENT_BYTES = 64 * 1024;

/** The local address of a connection; 0.0.0.0:0 when it is already closed. */
export function localAddressOf(socket: net.Socket): LocalAddress {
  return { address: socket.localAddress ?? '0.0.0.0', port: socket.localPort ?? 0 };
}
