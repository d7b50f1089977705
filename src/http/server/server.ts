/** The HTTP or HTTPS server: listening, timeouts, closing. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../shared/clock.js';
import type { Connections } from './connections.js';
import { pipelined } from './pipelining.js';
import type { WebConfig } from './web-config.js';

/** Milliseconds. Node.js checks the first two at `connectionsCheckingInterval`. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** A response is aborted when the client reads nothing for this time. */
const UNREAD_TIMEOUT_MS = 30_000;
/** Minimum time between two reported errors of the server, because EMFILE occurs thousands of times. */
const REPORT_INTERVAL_MS = 60_000;

export interface ServerOptions {
  readonly handler: http.RequestListener;
  /** Empty for all addresses. */
  readonly host: string;
  readonly port: number;
  /** The current web configuration; undefined for plain HTTP. */
  readonly webConfig: (() => WebConfig) | undefined;
  readonly connections: Connections;
  readonly clock: Clock;
  /** Receives errors after the start. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  /** URL with the actual port. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws NodeJS.ErrnoException when the address or port is not available. */
export async function listen(options: ServerOptions): Promise<HttpServer> {
  const { host, port, webConfig, connections } = options;
  const tls = webConfig?.().tls;
  const handler = createHandler(options);
  const server =
    tls === undefined
      ? http.createServer(TIMEOUTS, handler)
      : https.createServer(
          { ...TIMEOUTS, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
          handler,
        );
  server.on('connection', (socket) => connections.accept(socket));
  server.setTimeout(UNREAD_TIMEOUT_MS, (socket) => {
    // A response that is still being prepared has no unread bytes.
    if (!connections.isInUse(socket) || socket.writableLength > 0) socket.destroy();
  });
  if (server instanceof https.Server && webConfig !== undefined) followTls(server, webConfig);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(host === '' ? { port } : { port, host }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', serverErrorHandler(options));
  const address = server.address() as AddressInfo;
  const urlHost = host === '' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${urlHost}:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Wraps the handler: requests of a connection run one at a time, and all errors have a listener. */
function createHandler({ handler, connections, onError }: ServerOptions): http.RequestListener {
  const inOrder = pipelined(handler);
  return (request, response) => {
    // Without a listener an error would be an uncaught exception.
    request.on('error', () => {});
    response.on('error', onError);
    connections.requestStarted(request.socket, response);
    inOrder(request, response);
  };
}

function serverErrorHandler({ connections, clock, onError }: ServerOptions) {
  let quietUntilMs = -Infinity;
  return (error: NodeJS.ErrnoException) => {
    if (error.syscall === 'accept') connections.acceptFailed();
    const nowMs = clock.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + REPORT_INTERVAL_MS;
    onError(error);
  };
}

/** Uses the certificate of the current web configuration for new connections. */
function followTls(server: https.Server, webConfig: () => WebConfig): void {
  let used = webConfig().tls;
  // Before the server's own listener, which selects the certificate of the connection.
  server.prependListener('connection', () => {
    const { tls } = webConfig();
    if (tls === undefined || tls === used) return;
    used = tls;
    server.setSecureContext(tls);
  });
}
