/** SIP over WebSocket (RFC 7118): a message a frame, under the subprotocol `sip`. */

import type * as net from 'node:net';
import { type RawData, WebSocket } from 'ws';
import { bracketed } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import { DEFAULT_PORTS } from '../../shared/uri.js';
import { type Channel, type ChannelUser, localAddressOf, MOST_UNREAD } from './channel.js';
import { LONGEST_BODY, LONGEST_HEAD } from './framer.js';
import { isTlsError, tlsFailure } from './tls-failures.js';
import type { Endpoint, LocalAddress } from './transport.js';

/** RFC 6455 7.4.1: a normal closure. */
const NORMAL = 1000;
/** How long a peer may take to answer our close. */
const CLOSE_MS = 1_000;

export interface UpgradeUser {
  opened(socket: WebSocket): void;
  failed(failure: TransportFailure): void;
}

/** Makes a WebSocket of a connection. Returns how to give up. */
export function upgrade(
  socket: net.Socket,
  { domain, port }: Endpoint,
  path: string,
  {
    isSecure,
    hasNoCertificate,
  }: { readonly isSecure: boolean; readonly hasNoCertificate: boolean },
  user: UpgradeUser,
): () => void {
  let isOver = false;
  // The connection is there already, and not every name of DNS is a host to a URL parser.
  const url = `${isSecure ? 'wss' : 'ws'}://localhost:${port}${path}`;
  const isDefaultPort = port === DEFAULT_PORTS[isSecure ? 'wss' : 'ws'];
  const options = {
    headers: { Host: isDefaultPort ? bracketed(domain) : `${bracketed(domain)}:${port}` },
    createConnection: () => socket,
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: LONGEST_HEAD + LONGEST_BODY,
    closeTimeout: CLOSE_MS,
  };
  let ws: WebSocket;
  try {
    ws = new WebSocket(url, 'sip', options);
  } catch (error) {
    socket.destroy();
    user.failed({
      reason: 'local',
      detail: error instanceof Error ? error.message : String(error),
    });
    return () => {};
  }
  const fail = (failure: TransportFailure) => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    user.failed(failure);
  };
  ws.on('error', (error) => fail(failureOf(error, hasNoCertificate)));
  ws.on('unexpected-response', (_request, { statusCode = 0 }) =>
    fail({ reason: 'refused', detail: `the upgrade to WebSocket was answered with ${statusCode}` }),
  );
  ws.once('open', () => {
    if (isOver) return;
    isOver = true;
    user.opened(ws);
  });
  return () => {
    isOver = true;
    ws.terminate();
    socket.destroy();
  };
}

/** Why an upgrade failed. */
function failureOf(error: NodeJS.ErrnoException, hasNoCertificate: boolean): TransportFailure {
  if (isTlsError(error)) return tlsFailure(error, hasNoCertificate);
  if (error.code?.startsWith('HPE_')) {
    return { reason: 'malformed', detail: 'the upgrade to WebSocket was not answered with HTTP' };
  }
  if (/subprotocol/i.test(error.message)) {
    return { reason: 'refused', detail: 'the peer does not speak the WebSocket subprotocol sip' };
  }
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
    return { reason: 'reset', detail: 'the peer closed the connection during the upgrade' };
  }
  return { reason: 'refused', detail: 'the answer to the upgrade to WebSocket was not valid' };
}

export class WebSocketChannel implements Channel {
  readonly local: LocalAddress;
  readonly #ws: WebSocket;
  #user: ChannelUser | undefined;

  /** @param socket the connection that `ws` was made of. */
  constructor(ws: WebSocket, socket: net.Socket, user: ChannelUser) {
    this.local = localAddressOf(socket);
    this.#ws = ws;
    this.#user = user;
    ws.on('ping', () => this.#user?.heard());
    ws.on('message', (message) => {
      this.#user?.heard();
      this.#user?.received(bytesOf(message));
    });
    ws.on('error', (error) => this.#end({ reason: 'malformed', detail: error.message }));
    ws.on('close', (code) =>
      this.#end({ reason: 'reset', detail: `the peer closed the WebSocket with code ${code}` }),
    );
  }

  send(message: Uint8Array): void {
    // RFC 7118 5: text or binary; text is what all take.
    if (this.#ws.bufferedAmount < MOST_UNREAD) {
      this.#ws.send(Buffer.from(message), { binary: false }, () => {});
    }
  }

  end(): void {
    this.#user = undefined;
    this.#ws.close(NORMAL);
  }

  destroy(): void {
    this.#user = undefined;
    this.#ws.terminate();
  }

  #end(failure: TransportFailure): void {
    const user = this.#user;
    this.destroy();
    user?.ended(failure);
  }
}

function bytesOf(message: RawData): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : message;
}
