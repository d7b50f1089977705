/** DNS servers: how they are written, and which faults of a socket are theirs and which ours. */

import { bracketed } from '../../shared/address.js';

export interface DnsServer {
  /** An IP address, without brackets; a link-local one may have a zone: `fe80::1%eth0` (RFC 4007 11). */
  readonly address: string;
  readonly port: number;
}

export const DNS_PORT = 53;

/** Reads `address`, `address:port` or `[address]:port`. */
export function serverOf(text: string): DnsServer {
  const [, inside, bare, port] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(text) ?? [];
  return { address: inside ?? bare ?? text, port: Number(port ?? DNS_PORT) };
}

/** `192.0.2.53:53` or `[2001:db8::53]:53`. */
export function serverLabel({ address, port }: DnsServer): string {
  return `${bracketed(address)}:${port}`;
}

/** What the network says of a server, rather than our own host of itself. */
const OF_THE_NETWORK: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EPROTO', 'ENOPROTOOPT'],
  ...['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
]);
/** There is no way of ours to this one server; there may be one to another. */
const NO_ROUTE: ReadonlySet<string> = new Set([
  ...['ENETUNREACH', 'EHOSTUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'],
]);

export interface SocketError {
  /** `local` when our own host is at fault. */
  readonly kind: 'closed' | 'unreachable' | 'local';
  /** Such as `EMFILE`. */
  readonly code: string;
  /** Of `local`: another server may be within reach all the same. */
  readonly isForOneServer: boolean;
}

/**
 * Whose fault an error of a socket is.
 *
 * @param isBefore nothing has been sent when it came: to bind a UDP socket, or to connect it, asks
 *   nobody but the own host.
 */
export function socketErrorOf(error: unknown, isBefore: boolean): SocketError {
  const code = codeOf(error);
  const isForOneServer = NO_ROUTE.has(code);
  if (isBefore || !OF_THE_NETWORK.has(code)) return { kind: 'local', code, isForOneServer };
  const isClosed = code === 'ECONNREFUSED' || code === 'ECONNRESET' || code === 'EPIPE';
  return { kind: isClosed ? 'closed' : 'unreachable', code, isForOneServer: true };
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code);
  return error instanceof Error ? error.message : String(error);
}
