/** DNS servers as text, and the classification of socket errors as local or the server's. */

import { bracketed } from '../../shared/address.js';

export interface DnsServer {
  /** An IP address without brackets; a link-local one may have a zone: `fe80::1%eth0` (RFC 4007 11). */
  readonly address: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** Parses `address`, `address:port` or `[address]:port`. */
export function parseServer(text: string): DnsServer {
  const [, bracketedAddress, address, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { address: bracketedAddress ?? address ?? text, port: Number(port ?? DNS_PORT) };
}

/** `192.0.2.53:53` or `[2001:db8::53]:53`. */
export function serverLabel({ address, port }: DnsServer): string {
  return `${bracketed(address)}:${port}`;
}

/** Errors that the network reports about a server. All others are local. */
const NETWORK_ERRORS: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EPROTO', 'ENOPROTOOPT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
]);
/** Local errors that concern the route to one server; there may be a route to another. */
const ROUTE_ERRORS: ReadonlySet<string> = new Set([
  ...['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'],
]);

export interface SocketError {
  /** `local` when the exporter's own host is the cause. */
  readonly kind: 'closed' | 'unreachable' | 'local';
  /** Such as `EMFILE`. */
  readonly code: string;
  /** For a `local` error: whether other servers may still be reachable. */
  readonly isForOneServer: boolean;
}

/**
 * Classifies an error of a socket.
 *
 * @param isBeforeSend nothing was sent yet. Binding or connecting a UDP socket involves only the
 *   local host, so an error then is local.
 */
export function socketErrorOf(error: unknown, isBeforeSend: boolean): SocketError {
  const code = codeOf(error);
  const isForOneServer = ROUTE_ERRORS.has(code);
  if (isBeforeSend || !NETWORK_ERRORS.has(code)) return { kind: 'local', code, isForOneServer };
  const isClosed = code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
  return { kind: isClosed ? 'closed' : 'unreachable', code, isForOneServer: true };
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
