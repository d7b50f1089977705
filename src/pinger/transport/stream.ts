/** SIP over a byte stream: TCP, or TLS (RFC 3261 18). */

import type * as net from 'node:net';
import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import { type Channel, type ChannelListener, localAddressOf, MAX_UNREAD } from './channel.js';
import { Framer, FramingError, PONG } from './framer.js';
import type { RateBound } from './rate-bound.js';
import { brokenBy } from './socket-errors.js';
import { isTlsError, tlsFailure } from './tls-errors.js';

export class StreamChannel implements Channel {
  readonly local: LocalAddress;
  readonly #socket: net.Socket;
  readonly #framer: Framer;
  readonly #bound: RateBound;
  #listener: ChannelListener | undefined;

  /** @param hasNoCertificate we have none to show to a peer that demands one. */
  constructor(
    socket: net.Socket,
    listener: ChannelListener,
    bound: RateBound,
    hasNoCertificate: boolean,
  ) {
    this.local = localAddressOf(socket);
    this.#socket = socket;
    this.#listener = listener;
    this.#bound = bound;
    this.#framer = new Framer(
      (message) => {
        this.#count(1, 0);
        this.#listener?.received(message);
      },
      () => {
        this.#count(1, 0);
        this.send(PONG);
      },
    );
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('end', () => this.#end(this.#closedByPeer()));
    socket.on('error', (error) =>
      this.#end(isTlsError(error) ? tlsFailure(error, hasNoCertificate) : brokenBy(error)),
    );
    socket.on('close', () => this.#end(this.#closedByPeer()));
  }

  get isWithinMessage(): boolean {
    return this.#framer.isWithinMessage;
  }

  send(message: Uint8Array): void {
    // The bytes are the sender's, who uses them again; a socket may hold them for a while.
    if (this.#socket.writableLength < MAX_UNREAD) this.#socket.write(Buffer.from(message));
  }

  end(): void {
    this.#listener = undefined;
    if (this.#socket.writableLength > 0) this.#socket.destroy();
    else this.#socket.destroySoon();
  }

  destroy(): void {
    this.#listener = undefined;
    this.#socket.destroy();
  }

  #take(chunk: Uint8Array): void {
    this.#listener?.heard();
    try {
      this.#count(0, chunk.length);
      this.#framer.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#end({ reason: 'malformed', detail: error.message });
    }
  }

  /** @throws FramingError when the peer sends more than a connection may bring. */
  #count(messages: number, bytes: number): void {
    if (!this.#bound.admit(messages, bytes)) throw new FramingError(this.#bound.fault);
  }

  #closedByPeer(): TransportFailure {
    const where = this.isWithinMessage ? ' in the middle of a message' : '';
    return { reason: 'reset', detail: `the peer closed the connection${where}` };
  }

  #end(failure: TransportFailure): void {
    const listener = this.#listener;
    this.destroy();
    listener?.ended(failure);
  }
}
