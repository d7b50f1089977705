/** SIP over WebSocket (RFC 7118): one message per frame, under the subprotocol `sip`. */

import type * as net from 'node:net';
import { type ClientOptions, type RawData, WebSocket } from 'ws';
import { bracketed, type LocalAddress } from '../../shared/address.js';
import type { TransportFailure } from '../../shared/outcome.js';
import { printable } from '../../shared/text.js';
import { DEFAULT_PORTS } from '../../shared/uri.js';
import { skipPadding } from '../sip/keepalives.js';
import { type Channel, type ChannelListener, localAddressOf, MAX_UNSENT_BYTES } from './channel.js';
import { StopReading } from './contain.js';
import { MAX_BODY_LENGTH, MAX_HEAD_LENGTH, PONG } from './framer.js';
import type { RateLimit } from './rate-limit.js';
import { openConnectionFailure } from './socket-errors.js';
import { isTlsError, tlsFailure } from './tls-errors.js';
import type { Endpoint } from './transport.js';

/** RFC 6455 7.4.1: a normal closure. */
const NORMAL = 1000;
/** RFC 6455 7.4.1: the connection was closed without a close frame. */
const ABNORMAL = 1006;
const UPGRADE = 'the upgrade to WebSocket';
/** Maximum length of text from the peer in error texts. */
const MAX_QUOTED_LENGTH = 120;
/** Maximum wait for a peer to answer a close frame. */
const CLOSE_MS = 1_000;

export interface UpgradeListener {
  opened(socket: WebSocket): void;
  failed(failure: TransportFailure): void;
}

export interface UpgradeOptions {
  readonly path: string;
  /** The Origin header: `auto` for the host of the endpoint, empty for none. */
  readonly origin: string;
  readonly isSecure: boolean;
  /** No client certificate is configured. */
  readonly hasNoCertificate: boolean;
  readonly rateLimit: RateLimit;
}

/** Upgrades a connection to a WebSocket. Returns a function that cancels. */
export function upgrade(
  socket: net.Socket,
  endpoint: Endpoint,
  options: UpgradeOptions,
  listener: UpgradeListener,
): () => void {
  let isOver = false;
  const fail = (failure: TransportFailure) => {
    if (isOver) return;
    isOver = true;
    socket.destroy();
    listener.failed(failure);
  };
  const ws = open(socket, endpoint, options, fail);
  if (ws === undefined) return () => {};
  ws.on('error', (error) => fail(failureOf(error, options.hasNoCertificate)));
  ws.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
    const detail = `${UPGRADE} was answered with ${statusCode}${hintOf(statusCode, headers.location)}`;
    fail({ reason: 'refused', detail });
  });
  ws.once('open', () => {
    if (isOver) return;
    isOver = true;
    listener.opened(ws);
  });
  return () => {
    isOver = true;
    ws.terminate();
    socket.destroy();
  };
}

/** Calls `fail` and returns undefined when the request cannot be made. */
function open(
  socket: net.Socket,
  { domain, port }: Endpoint,
  { path, origin, isSecure, rateLimit }: UpgradeOptions,
  fail: (failure: TransportFailure) => void,
): WebSocket | undefined {
  const host = bracketed(domain);
  const ownOrigin = `${isSecure ? 'https' : 'http'}://${host}`;
  const finishRequest: ClientOptions['finishRequest'] = (request) => {
    let bytesRead = socket.bytesRead;
    // RFC 9110 15.2: there may be any number of provisional responses before the final one.
    request.on('information', () => {
      if (!rateLimit.admit(1, socket.bytesRead - bytesRead)) malformed(rateLimit.error, fail);
      bytesRead = socket.bytesRead;
    });
    request.end();
  };
  const scheme = isSecure ? 'wss' : 'ws';
  const options = {
    headers: { Host: port === DEFAULT_PORTS[scheme] ? host : `${host}:${port}` },
    createConnection: () => socket,
    perMessageDeflate: false,
    followRedirects: false,
    // Pongs are sent here: `ws` would close a connection with unanswered pings without an error.
    autoPong: false,
    maxPayload: MAX_HEAD_LENGTH + MAX_BODY_LENGTH,
    closeTimeout: CLOSE_MS,
    finishRequest,
    ...(origin === '' ? {} : { origin: origin === 'auto' ? ownOrigin : origin }),
  };
  try {
    // The connection is open already, and URL parsers reject some DNS names.
    return new WebSocket(`${scheme}://localhost:${port}${path}`, 'sip', options);
  } catch (error) {
    fail({ reason: 'local', detail: error instanceof Error ? error.message : String(error) });
    return undefined;
  }
}

function malformed(detail: string, fail: (failure: TransportFailure) => void): void {
  fail({ reason: 'malformed', detail });
}

/** Names the setting that may help. */
function hintOf(status: number, location: string | undefined): string {
  if (location !== undefined) return `, a redirect to ${printable(location, MAX_QUOTED_LENGTH)}`;
  if (status === 403) return '; check ws_origin';
  return status === 404 ? '; check ws_path' : '';
}

/** Errors of the response to the upgrade, by the error message of `ws`. */
const WRONG_RESPONSES: readonly (readonly [pattern: RegExp, detail: string])[] = [
  [/subprotocol/i, 'the peer does not support the WebSocket subprotocol sip'],
  [/Upgrade header/i, `the response to ${UPGRADE} has no header Upgrade: websocket`],
  [/Sec-WebSocket-Accept/i, `the response to ${UPGRADE} has a wrong Sec-WebSocket-Accept`],
  [/extension/i, `the response to ${UPGRADE} uses an extension that was not offered`],
];

/** Why an upgrade failed. */
function failureOf(error: NodeJS.ErrnoException, hasNoCertificate: boolean): TransportFailure {
  if (isTlsError(error)) return tlsFailure(error, hasNoCertificate);
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return {
      reason: 'malformed',
      detail: `the headers of the response to ${UPGRADE} are too long`,
    };
  }
  if (error.code?.startsWith('HPE_')) {
    return { reason: 'malformed', detail: `${UPGRADE} was not answered with HTTP` };
  }
  const [, detail] = WRONG_RESPONSES.find(([pattern]) => pattern.test(error.message)) ?? [];
  if (detail !== undefined) return { reason: 'refused', detail };
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
    return { reason: 'reset', detail: 'the peer closed the connection during the upgrade' };
  }
  if (error.syscall !== undefined) return openConnectionFailure(error);
  const quoted = printable(error.message, MAX_QUOTED_LENGTH);
  return { reason: 'refused', detail: `the response to ${UPGRADE} is invalid: ${quoted}` };
}

export class WebSocketChannel implements Channel {
  readonly local: LocalAddress;
  /** A message is one frame, which `ws` reports when it is complete. */
  readonly isWithinMessage = false;
  readonly #ws: WebSocket;
  readonly #rateLimit: RateLimit;
  #listener: ChannelListener | undefined;

  /** @param socket the connection under `ws`. */
  constructor(ws: WebSocket, socket: net.Socket, listener: ChannelListener, rateLimit: RateLimit) {
    this.local = localAddressOf(socket);
    this.#ws = ws;
    this.#rateLimit = rateLimit;
    this.#listener = listener;
    // Before `ws`, which does not report all frames that it reads.
    socket.prependListener('data', (chunk: Uint8Array) => this.#count(0, chunk.length));
    socket.on('error', (error) => {
      const failure = openConnectionFailure(error);
      // A reset is reported when the WebSocket closes.
      if (failure.reason !== 'reset') this.#end(failure);
    });
    ws.on('ping', (data) => {
      this.#count(1, 0);
      this.#pong(data);
    });
    ws.on('pong', () => this.#count(1, 0));
    ws.on('message', (message) => {
      this.#count(1, 0);
      this.#take(bytesOf(message));
    });
    ws.on('error', (error) => this.#end({ reason: 'malformed', detail: error.message }));
    ws.on('close', (code) => this.#end({ reason: 'reset', detail: closedWith(code) }));
  }

  send(message: Uint8Array): void {
    // RFC 7118 5: text or binary; every peer accepts text.
    if (this.#ws.bufferedAmount < MAX_UNSENT_BYTES) {
      this.#ws.send(Buffer.from(message), { binary: false }, () => {});
    }
  }

  /** RFC 6455 5.5.2. */
  #pong(data: Buffer): void {
    const isOpen = this.#listener !== undefined && this.#ws.readyState === WebSocket.OPEN;
    if (isOpen && this.#ws.bufferedAmount < MAX_UNSENT_BYTES) this.#ws.pong(data, true, () => {});
  }

  end(): void {
    this.#listener = undefined;
    this.#ws.close(NORMAL);
  }

  destroy(): void {
    this.#listener = undefined;
    this.#ws.terminate();
  }

  /** @throws StopReading when the peer exceeds the rate limit. */
  #count(messages: number, bytes: number): void {
    // The bytes may be a close frame, which is not a response.
    if (messages > 0) this.#listener?.active();
    if (this.#rateLimit.admit(messages, bytes)) return;
    this.#end({ reason: 'malformed', detail: this.#rateLimit.error });
    // `ws` would continue with the rest of the chunk, which may contain thousands of frames.
    throw new StopReading();
  }

  /** RFC 7118 6: a peer may keep the connection alive by RFC 5626 too. */
  #take(message: Uint8Array): void {
    if (skipPadding(message, 0) < message.length) this.#listener?.received(message);
    else if (Buffer.from(message).includes('\r\n\r\n')) this.send(PONG);
  }

  #end(failure: TransportFailure): void {
    const listener = this.#listener;
    this.destroy();
    listener?.closed(failure);
  }
}

function closedWith(code: number): string {
  if (code === ABNORMAL) return 'the peer closed the connection without closing the WebSocket';
  return `the peer closed the WebSocket with code ${code}`;
}

function bytesOf(message: RawData): Uint8Array {
  if (Array.isArray(message)) return Buffer.concat(message);
  return message instanceof ArrayBuffer ? new Uint8Array(message) : message;
}
