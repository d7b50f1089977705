/** The HTTP server itself: plain or TLS, where it listens, how it ends. */

import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import type { WebConfigFile } from './web-config.js';

export interface ServerOptions {
  readonly handler: http.RequestListener;
  /** Empty for every address. */
  readonly host: string;
  readonly port: number;
  readonly webConfig: WebConfigFile | undefined;
  /** Told of trouble after the start. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer {
  /** Where it really listens. */
  readonly url: string;
  close(): Promise<void>;
}

/** @throws NodeJS.ErrnoException when it cannot listen there. */
export async function listen(options: ServerOptions): Promise<HttpServer> {
  const { handler, host, port, webConfig, onError } = options;
  const tls = webConfig?.current().tls;
  const server = tls === undefined ? http.createServer(handler) : https.createServer(tls, handler);
  if (server instanceof https.Server && webConfig !== undefined)
    keepFresh(server, webConfig, onError);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(host === '' ? { port } : { port, host }, resolve);
  });
  server.removeAllListeners('error');
  server.on('error', onError);
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
