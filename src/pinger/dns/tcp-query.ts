/** One DNS query over its own TCP connection (RFC 1035 4.2.2, RFC 7766). */

import * as net from 'node:net';
import { HEADER_BYTES } from './message-structure.js';
import { type DnsServer, socketErrorOf } from './server.js';
import type { ServerEvent, ServerEventListener } from './server-event.js';

/** The length in front of each message. */
const LENGTH_BYTES = 2;

/**
 * Sends a query and reports one event: the answer or an error. Reads no more than the length that the
 * server announces.
 *
 * @returns a function that closes the connection; no event follows.
 */
export function queryOverTcp(
  server: DnsServer,
  query: Buffer,
  onEvent: ServerEventListener,
): () => void {
  let socket: net.Socket;
  try {
    socket = net.connect({ host: server.address, port: server.port });
  } catch (error) {
    onEvent({ kind: 'socketError', error: socketErrorOf(error, true) });
    return () => {};
  }
  let hasEnded = false;
  const end = (event: ServerEvent) => {
    if (hasEnded) return;
    hasEnded = true;
    socket.destroy();
    onEvent(event);
  };
  const message = new LengthPrefixedMessage();
  socket.on('data', (chunk) => {
    message.append(chunk);
    if (message.isTooShort) end({ kind: 'malformed', detail: 'a message without a header' });
    else if (message.isComplete) end({ kind: 'message', bytes: message.bytes });
  });
  socket.on('error', (error) => end({ kind: 'socketError', error: socketErrorOf(error, false) }));
  socket.on('close', () => end({ kind: 'malformed', detail: 'a connection closed too early' }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  return () => {
    hasEnded = true;
    socket.destroy();
  };
}

/** Assembles one message; bytes after it are dropped. */
class LengthPrefixedMessage {
  readonly #prefix = Buffer.alloc(LENGTH_BYTES);
  /** Number of received bytes of prefix and message. */
  #received = 0;
  bytes: Buffer = Buffer.alloc(0);

  append(chunk: Buffer): void {
    let rest = chunk;
    if (this.#received < LENGTH_BYTES) {
      const copied = rest.copy(this.#prefix, this.#received);
      this.#received += copied;
      rest = rest.subarray(copied);
      if (this.#received < LENGTH_BYTES) return;
      this.bytes = Buffer.alloc(this.#prefix.readUInt16BE());
    }
    this.#received += rest.copy(this.bytes, this.#received - LENGTH_BYTES);
  }

  get isComplete(): boolean {
    return this.#received >= LENGTH_BYTES && this.#received - LENGTH_BYTES === this.bytes.length;
  }

  /** Whether the announced length is less than that of any DNS message. */
  get isTooShort(): boolean {
    return this.#received >= LENGTH_BYTES && this.bytes.length < HEADER_BYTES;
  }
}
