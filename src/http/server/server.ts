/** The HTTP or HTTPS server: listening, timeouts, closing. */

import type { RequestListener, Server } from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, ListenOptions, Socket } from 'node:net';
import { http } from '../../platform/node-http.js';
import type { Clock } from '../../shared/clock.js';
import type { ListenAddress, OpenSocket } from '../../shared/listen-address.js';
import { clientProblem, isCertificateRequested } from './client-certificate.js';
import type { Connections } from './connections.js';
import { pipelined } from './pipelining.js';
import { refuse } from './refused-requests.js';
import type { ServerTls } from './tls-config.js';
import { removeStaleSocket } from './unix-socket.js';
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
  readonly handler: RequestListener;
  readonly at: ListenAddress | OpenSocket;
  /** The current web configuration; undefined for plain HTTP. */
  readonly webConfig: (() => Pick<WebConfig, 'tls'>) | undefined;
  readonly connections: Connections;
  readonly clock: Clock;
  /** Receives errors after the start. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  /** URL with the actual port; `unix:` and the path for a Unix domain socket. */
  readonly url: string;
  close(): Promise<void>;
}

/** Listens on all of these. @throws NodeJS.ErrnoException when one of them is not available. */
export async function listenOnAll(
  all: readonly (ListenAddress | OpenSocket)[],
  options: Omit<ServerOptions, 'at'>,
): Promise<readonly HttpServer[]> {
  const servers: HttpServer[] = [];
  try {
    for (const at of all) servers.push(await listen({ ...options, at }));
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    throw error;
  }
  return servers;
}

/** @throws NodeJS.ErrnoException when the address or port is not available. */
export async function listen(options: ServerOptions): Promise<HttpServer> {
  const { at, webConfig, connections } = options;
  const tls = webConfig?.().tls;
  const handler = createHandler(options);
  const server =
    tls === undefined
      ? http.createServer(TIMEOUTS, handler)
      : https.createServer(httpsOptions(tls), handler);
  server.setTimeout(UNREAD_TIMEOUT_MS, (socket) => {
    // A response that is still being prepared has no unread bytes.
    if (!connections.isInUse(socket) || socket.writableLength > 0) socket.destroy();
  });
  if (server instanceof https.Server && webConfig !== undefined) followTls(server, options);
  if (at.kind === 'unix') await removeStaleSocket(at.path);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (at.kind === 'descriptor') server.listen({ fd: at.fd }, resolve);
    else server.listen(listenOptions(at), resolve);
  });
  server.removeAllListeners('error');
  server.on('error', serverErrorHandler(options));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    refuse(error, socket, connections.isInUse(socket)),
  );
  acceptConnections(server, connections);
  return {
    url: urlOf(server.address(), at, tls === undefined ? 'http' : 'https'),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A TLS socket over a Unix domain socket cannot be matched to the socket below it, so it is registered itself. */
function acceptConnections(server: Server | https.Server, connections: Connections): void {
  const isUnix = typeof server.address() === 'string';
  const event = isUnix && server instanceof https.Server ? 'secureConnection' : 'connection';
  server.on(event, (socket: Socket) => connections.accept(socket, isUnix));
}

function listenOptions(at: ListenAddress): ListenOptions {
  if (at.kind === 'unix') return { path: at.path };
  return at.host === '' ? { port: at.port } : { port: at.port, host: at.host };
}

function urlOf(
  address: AddressInfo | string | null,
  at: ListenAddress | OpenSocket,
  scheme: 'http' | 'https',
): string {
  if (typeof address === 'string') return `unix:${address}`;
  if (address === null) return at.kind === 'unix' ? `unix:${at.path}` : '';
  const named = at.kind === 'tcp' ? at.host : address.address;
  const host = named === '' || named === '::' || named === '0.0.0.0' ? 'localhost' : named;
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${address.port}/`;
}

/** Wraps the handler: requests of a connection run one at a time, and all errors have a listener. */
function createHandler({ handler, connections, onError }: ServerOptions): RequestListener {
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

function httpsOptions({ context, clients }: ServerTls): https.ServerOptions {
  const requestCert = isCertificateRequested(clients);
  // The certificate is checked after the handshake, by the policy that is then in force.
  const client = { requestCert, rejectUnauthorized: false };
  return { ...TIMEOUTS, ...context, ...client, handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
}

/** Uses the certificate and the policy of the current web configuration for new connections. */
function followTls(server: https.Server, { webConfig, onError }: ServerOptions): void {
  const current = () => webConfig?.().tls;
  let used = current();
  const isRequested = used !== undefined && isCertificateRequested(used.clients);
  // Before the server's own listeners, which select the certificate of the connection and read from it.
  server.prependListener('connection', () => {
    const tls = current();
    if (tls === undefined || tls === used) return;
    used = tls;
    server.setSecureContext(tls.context);
    if (isCertificateRequested(tls.clients) === isRequested) return;
    onError(
      new Error(
        'client_auth_type: whether clients are asked for certificates changes only when the exporter starts',
      ),
    );
  });
  server.prependListener('secureConnection', (socket) => {
    if (used === undefined || clientProblem(socket, used.clients) === undefined) return;
    socket.destroy();
  });
}
