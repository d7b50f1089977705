/** The HTTP server itself: plain or TLS, where it listens, how it ends. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Connections } from './connections.js';
import { pipelined } from './pipelining.js';
import type { WebConfigFile } from './web-config.js';

/** For a request: until its headers are there, until all of it is, and how often to look. */
const TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 2_000,
} as const;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** An answer of which the client reads nothing for so long ends. */
const UNREAD_TIMEOUT_MS = 30_000;
/** Connections that cannot be accepted are logged no more often than this. */
const LOG_PAUSE_MS = 60_000;

export interface ServerOptions {
  readonly handler: http.RequestListener;
  /** Empty for every address. */
  readonly host: string;
  readonly port: number;
  readonly webConfig: WebConfigFile | undefined;
  readonly connections: Connections;
  /** Called with errors after the start. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  /** Where it really listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws NodeJS.ErrnoException when it cannot listen there. */
export async function listen(options: ServerOptions): Promise<HttpServer> {
  const { host, port, webConfig, connections, onError } = options;
  const tls = webConfig?.current().tls;
  const handler = guarded(options);
  const server =
    tls === undefined
      ? http.createServer(TIMEOUTS, handler)
      : https.createServer(
          { ...TIMEOUTS, ...tls, handshakeTimeout: HANDSHAKE_TIMEOUT_MS },
          handler,
        );
  server.on('connection', (socket) => connections.accept(socket));
  server.setTimeout(UNREAD_TIMEOUT_MS, (socket) => {
    // One whose answer is not ready yet has written nothing, and has nothing unread.
    if (!connections.isInUse(socket) || socket.writableLength > 0) socket.destroy();
  });
  if (server instanceof https.Server && webConfig !== undefined)
    keepFresh(server, webConfig, onError);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(host === '' ? { port } : { port, host }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', atTimes(connections, onError));
  const address = server.address() as AddressInfo;
  const shown = host === '' ? 'localhost' : host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${address.port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The handler, with what must hold for every request. */
function guarded({ handler, connections, onError }: ServerOptions): http.RequestListener {
  const inOrder = pipelined(handler);
  return (request, response) => {
    // An error without a listener would end the process.
    request.on('error', () => {});
    response.on('error', onError);
    connections.began(request.socket, response);
    inOrder(request, response);
  };
}

/** Connections that are not accepted (EMFILE) come by the thousand: one line says it for a while. */
function atTimes(connections: Connections, onError: ServerOptions['onError']) {
  let quietUntilMs = 0;
  return (error: NodeJS.ErrnoException) => {
    if (error.syscall === 'accept') connections.refused();
    const now = performance.now();
    if (now < quietUntilMs) return;
    quietUntilMs = now + LOG_PAUSE_MS;
    onError(error);
  };
}

/** New connections get the certificate that is in the files now. */
function keepFresh(
  server: https.Server,
  webConfig: WebConfigFile,
  onError: (error: unknown) => void,
): void {
  let seen = webConfig.current().tls;
  server.on('connection', () => {
    try {
      const { tls } = webConfig.current();
      if (tls === undefined || tls === seen) return;
      seen = tls;
      server.setSecureContext(tls);
    } catch (error) {
      onError(error);
    }
  });
}
