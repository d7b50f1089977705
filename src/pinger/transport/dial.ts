/** Opens TCP connections, with or without TLS. */

import type * as net from 'node:net';
import * as tls from 'node:tls';
import { addressFamily } from '../../shared/address.js';
import type { TlsSettings } from '../../shared/destination.js';
import { CAN_SET_DSCP } from '../../shared/dscp.js';
import type { Faults } from '../../shared/faults.js';
import type { ConnectPhase } from '../../shared/ledger/layout.js';
import type { TransportFailure } from '../../shared/outcome.js';
import type { TlsPeer } from '../../shared/tls-peer.js';
import { SystemCallError } from '../net/system-call-error.js';
import type { Clock } from '../time/clock.js';
import { tlsPeerOf } from './certificate.js';
import { containListeners } from './contain.js';
import { failureOf } from './socket-errors.js';
import { tlsFailure } from './tls-errors.js';
import type { Endpoint } from './transport.js';

export interface DialOptions {
  readonly endpoint: Endpoint;
  /** @throws SystemCallError when there is none to connect with. */
  readonly openSocket: () => net.Socket;
  /** IP address to send from; empty to let the routes choose. */
  readonly sourceAddress: string;
  readonly dscp: number;
  /** Undefined for TCP alone. */
  readonly secure: TlsSession | undefined;
  readonly clock: Clock;
  readonly faults: Faults;
}

export interface TlsSession {
  readonly settings: TlsSettings;
  readonly context: tls.SecureContext;
}

export interface DialListener {
  connected(phase: ConnectPhase, micros: number): void;
  secured(peer: TlsPeer): void;
  /** The connection is open; the listener handles its events from now on. */
  opened(socket: net.Socket): void;
  failed(failure: TransportFailure): void;
}

/** Connects; `opened` or `failed` follows unless cancelled. Returns a function that cancels. */
export function dial(options: DialOptions, listener: DialListener): () => void {
  const { endpoint, openSocket, sourceAddress, dscp, secure, clock, faults } = options;
  const beganAt = clock.now();
  let socket: net.Socket;
  try {
    socket = openSocket();
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    listener.failed(failureOf(error));
    return () => {};
  }
  socket.setNoDelay(true);
  socket.connect({
    host: endpoint.address,
    port: endpoint.port,
    family: endpoint.family,
    ...(sourceAddress === '' ? {} : { localAddress: sourceAddress }),
  });
  containListeners(socket, faults);
  let cancel = () => abandon(socket, onError);
  const onError = (error: Error) => {
    abandon(socket, onError);
    listener.failed(failureOf(error));
  };
  setDscp(socket, dscp);
  socket.on('error', onError);
  socket.once('connect', () => {
    if (isToItself(socket)) {
      abandon(socket, onError);
      listener.failed({
        reason: 'refused',
        detail: 'the socket connected to itself; the port is closed',
      });
      return;
    }
    listener.connected('connect', (clock.now() - beganAt) * 1000);
    if (secure === undefined) listener.opened(socket);
    else cancel = shakeHands(socket, secure, options, listener);
    socket.off('error', onError);
  });
  return () => cancel();
}

function shakeHands(
  tcp: net.Socket,
  { settings, context }: TlsSession,
  { endpoint: { domain }, clock, faults }: DialOptions,
  listener: DialListener,
): () => void {
  const beganAt = clock.now();
  const name = settings.serverName || domain;
  const socket = tls.connect({
    socket: tcp,
    secureContext: context,
    // RFC 6066 3: an IP address is not allowed as a server name.
    servername: addressFamily(name) === undefined ? name : '',
    // certificate.ts verifies it, so that errors are reported even where they are accepted.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  });
  containListeners(socket, faults);
  const onError = (error: Error) => {
    const peer = readablePeerOf(socket, domain, settings, false);
    abandon(socket, onError);
    if (peer !== undefined) listener.secured(peer);
    listener.failed(tlsFailure(error, peer !== undefined && settings.certFile === ''));
  };
  socket.on('error', onError);
  socket.once('secureConnect', () => {
    listener.connected('tls', (clock.now() - beganAt) * 1000);
    const peer = readablePeerOf(socket, domain, settings, true);
    if (peer !== undefined) listener.secured(peer);
    if (settings.insecureSkipVerify || peer?.isVerified === true) {
      listener.opened(socket);
      socket.off('error', onError);
    } else {
      abandon(socket, onError);
      listener.failed({
        reason: 'tls_certificate',
        detail: peer?.fault ?? 'the certificate cannot be read',
      });
    }
  });
  return () => abandon(socket, onError);
}

/** RFC 9293 3.5: a connection to a closed port of this host may use that port as its own source port. */
function isToItself({ localAddress, localPort, remoteAddress, remotePort }: net.Socket): boolean {
  return localPort === remotePort && localAddress === remoteAddress;
}

/** Undefined also for a certificate that OpenSSL accepts but Node.js cannot read. */
function readablePeerOf(...args: Parameters<typeof tlsPeerOf>): ReturnType<typeof tlsPeerOf> {
  try {
    return tlsPeerOf(...args);
  } catch {
    return undefined;
  }
}

/** Closes the socket and ignores its further errors. */
function abandon(socket: net.Socket, onError: (error: Error) => void): void {
  socket.off('error', onError);
  socket.on('error', () => {});
  socket.destroy();
}

function setDscp(socket: net.Socket, dscp: number): void {
  if (dscp === 0 || !CAN_SET_DSCP) return;
  const marked = socket as net.Socket & { setTypeOfService(octet: number): void };
  // RFC 2474 3: the code point is the upper six bits of the octet.
  socket.once('connect', () => marked.setTypeOfService(dscp << 2));
}
