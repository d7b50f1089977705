/** One DNS query over a TCP connection of its own (RFC 1035 4.2.2, RFC 7766). */

import * as net from 'node:net';
import { HEADER_BYTES } from './message-structure.js';
import { type DnsServer, socketErrorOf } from './server.js';
import type { ServerEvent, ServerEventListener } from './server-event.js';

/** The length in front of each message. */
const LENGTH_BYTES = 2;

/**
 * Sends a query; `hear` is told of one message or of what went wrong, once, unless the result, which
 * closes the connection, is called before. No more is kept than the length that the server announces,
 * and nothing is read after the message.
 */
export function queryOverTcp(
  server: DnsServer,
  query: Buffer,
  hear: ServerEventListener,
): () => void {
  let socket: net.Socket;
  try {
    socket = net.connect({ host: server.address, port: server.port });
  } catch (error) {
    hear({ kind: 'fault', fault: socketErrorOf(error, true) });
    return () => {};
  }
  let isOver = false;
  const end = (heard: ServerEvent) => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    hear(heard);
  };
  const message = new LengthPrefixed();
  socket.on('data', (chunk) => {
    message.take(chunk);
    if (message.isTooShort) end({ kind: 'garbage', why: 'a message without a header' });
    else if (message.isWhole) end({ kind: 'message', bytes: message.bytes });
  });
  socket.on('error', (error) => end({ kind: 'fault', fault: socketErrorOf(error, false) }));
  socket.on('close', () => end({ kind: 'garbage', why: 'a closed connection' }));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(query.length);
  socket.write(Buffer.concat([length, query]));
  return () => {
    isOver = true;
    socket.destroy();
  };
}

/** Puts one message together; what comes after it is dropped. */
class LengthPrefixed {
  readonly #prefix = Buffer.alloc(LENGTH_BYTES);
  /** Bytes of the prefix and of the message that have come. */
  #read = 0;
  bytes: Buffer = Buffer.alloc(0);

  take(chunk: Buffer): void {
    let rest = chunk;
    if (this.#read < LENGTH_BYTES) {
      const copied = rest.copy(this.#prefix, this.#read);
      this.#read += copied;
      rest = rest.subarray(copied);
      if (this.#read < LENGTH_BYTES) return;
      this.bytes = Buffer.alloc(this.#prefix.readUInt16BE());
    }
    this.#read += rest.copy(this.bytes, this.#read - LENGTH_BYTES);
  }

  get isWhole(): boolean {
    return this.#read >= LENGTH_BYTES && this.#read - LENGTH_BYTES === this.bytes.length;
  }

  /** It is announced to be shorter than any DNS message. */
  get isTooShort(): boolean {
    return this.#read >= LENGTH_BYTES && this.bytes.length < HEADER_BYTES;
  }
}
