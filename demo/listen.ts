/** Servers of the fleet, one for each transport. */

import { spawnSync } from 'node:child_process';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import * as net from 'node:net';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { WebSocketServer } from 'ws';
import { Framer, FramingError } from '../src/pinger/transport/framer.js';
import type { TransportName } from '../src/shared/outcome.js';

export interface Caller {
  readonly address: string;
  readonly port: number;
}

/** Handles a request. `reply` may be called later, several times, or never. */
export type OnRequest = (
  request: Uint8Array,
  from: Caller,
  reply: (response: Uint8Array) => void,
) => void;

export interface Listening {
  readonly port: number;
  close(): void;
}

/** A self-signed certificate. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
}

/** Listens on a free port of `host`. */
export function listen(
  transport: TransportName,
  host: string,
  certificate: Certificate | undefined,
  onRequest: OnRequest,
): Promise<Listening> {
  switch (transport) {
    case 'udp':
      return listenUdp(host, onRequest);
    case 'tcp':
    case 'tls':
      return listenStream(host, certificate, onRequest);
    case 'ws':
    case 'wss':
      return listenWebSocket(host, onRequest);
    default:
      return transport satisfies never;
  }
}

/** Creates a certificate for 127.0.0.1 with openssl; undefined when that is missing. */
export function selfSigned(folder: string, name: string): Certificate | undefined {
  const [certFile, keyFile] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  // Of whole days that are left, there are 20 from the first second on.
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '21'];
  const files = ['-keyout', keyFile, '-out', certFile];
  const { status } = spawnSync('openssl', ['req', '-x509', ...key, ...subject, ...files]);
  return status === 0 ? { certFile, keyFile } : undefined;
}

async function listenUdp(host: string, onRequest: OnRequest): Promise<Listening> {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  let isOpen = true;
  socket.on('message', (request, from) => {
    onRequest(request, from, (response) => {
      if (isOpen) socket.send(response, from.port, from.address);
    });
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  const close = () => {
    isOpen = false;
    socket.close();
  };
  return { port: socket.address().port, close };
}

async function listenStream(
  host: string,
  certificate: Certificate | undefined,
  onRequest: OnRequest,
): Promise<Listening> {
  const sockets = new Set<net.Socket>();
  const accept = (socket: net.Socket) => {
    sockets.add(socket);
    const from = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 };
    const framer = new Framer((request) =>
      onRequest(request, from, (response) => socket.write(response)),
    );
    socket.on('data', (chunk) => {
      try {
        framer.push(chunk);
      } catch (error) {
        if (!(error instanceof FramingError)) throw error;
        socket.destroy();
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  };
  const server =
    certificate === undefined
      ? net.createServer(accept)
      : tls.createServer(
          { cert: readFileSync(certificate.certFile), key: readFileSync(certificate.keyFile) },
          accept,
        );
  const port = await portOf(server, host);
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { port, close };
}

async function listenWebSocket(host: string, onRequest: OnRequest): Promise<Listening> {
  const server = new WebSocketServer({ host, port: 0, handleProtocols: () => 'sip' });
  await once(server, 'listening');
  server.on('connection', (socket, { socket: { remoteAddress = '', remotePort = 0 } }) => {
    socket.on('message', (request) => {
      const from = { address: remoteAddress, port: remotePort };
      onRequest(Buffer.from(String(request)), from, (response) =>
        socket.send(Buffer.from(response).toString()),
      );
    });
  });
  const close = () => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { port: (server.address() as net.AddressInfo).port, close };
}

async function portOf(server: net.Server, host: string): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  return (server.address() as net.AddressInfo).port;
}
