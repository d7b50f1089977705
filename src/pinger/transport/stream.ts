/** SIP over a byte stream: TCP, or TLS (RFC 3261 18). */

import type * as net from 'node:net';
import type { LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import { type Channel, type ChannelListener, localAddressOf, MAX_UNSENT_BYTES } from './channel.js';
import { Framer, FramingError, PONG } from './framer.js';
import type { RateLimit } from './rate-limit.js';
import { openConnectionFailure } from './socket-errors.js';
import { isTlsError, tlsFailure } from './tls-errors.js';

export class StreamChannel implements Channel {
  readonly local: LocalAddress;
  readonly #socket: net.Socket;
  readonly #framer: Framer;
  readonly #rateLimit: RateLimit;
  #listener: ChannelListener | undefined;

  /** @param hasNoCertificate no client certificate is configured. */
  constructor(
    socket: net.Socket,
    listener: ChannelListener,
    rateLimit: RateLimit,
    hasNoCertificate: boolean,
  ) {
    this.local = localAddressOf(socket);
    this.#socket = socket;
    this.#listener = listener;
    this.#rateLimit = rateLimit;
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
      this.#end(
        isTlsError(error) ? tlsFailure(error, hasNoCertificate) : openConnectionFailure(error),
      ),
    );
    socket.on('close', () => this.#end(this.#closedByPeer()));
  }

  get isWithinMessage(): boolean {
    return this.#framer.isWithinMessage;
  }

  send(message: Uint8Array): void {
    // A copy: the caller reuses the bytes, and the socket may keep them for a while.
    if (this.#socket.writableLength < MAX_UNSENT_BYTES) this.#socket.write(Buffer.from(message));
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
    this.#listener?.active();
    try {
      this.#count(0, chunk.length);
      this.#framer.push(chunk);
    } catch (error) {
      if (!(error instanceof FramingError)) throw error;
      this.#end({ reason: 'malformed', detail: error.message });
    }
  }

  /** @throws FramingError when the peer exceeds the rate limit. */
  #count(messages: number, bytes: number): void {
    if (!this.#rateLimit.admit(messages, bytes)) throw new FramingError(this.#rateLimit.error);
  }

  #closedByPeer(): TransportFailure {
    const where = this.isWithinMessage ? ' in the middle of a message' : '';
    return { reason: 'reset', detail: `the peer closed the connection${where}` };
  }

  #end(failure: TransportFailure): void {
    const listener = this.#listener;
    this.destroy();
    listener?.closed(failure);
  }
}
