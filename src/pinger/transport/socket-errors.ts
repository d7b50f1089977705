/** Converts errors of sockets to failures of pings. */

import type { TransportFailure } from '../../shared/outcome.js';

/** The code of an error that represents a bug of the exporter. */
export const INTERNAL_ERROR = 'INTERNAL_ERROR';

/** Errors of this host or process. They say nothing about the peer. */
const LOCAL_ERRORS: Readonly<Record<string, string>> = {
  EMFILE: 'no file descriptor left for the process',
  ENFILE: 'no file descriptor left on this host',
  EPERM: 'not permitted; check the firewall rules of this host',
  EACCES: 'not permitted by this host',
  EADDRINUSE: 'the local address and port are in use',
  EADDRNOTAVAIL: 'the local address does not exist, or no local port is left',
  ENOBUFS: 'no network buffer left on this host',
  ENOMEM: 'no memory left on this host',
  EAFNOSUPPORT: 'this host has no addresses of this family',
  EMSGSIZE: 'the message is too long for a datagram',
  EINVAL: 'this host rejects such an address',
  ENODEV: 'this host has no such network interface',
  [INTERNAL_ERROR]: 'see the log of the exporter',
};

/** The failure for a local error; undefined when the peer or the network may have caused the error. */
export function localFailure(error: NodeJS.ErrnoException): TransportFailure | undefined {
  const { code = '', syscall } = error;
  const isForbidden = syscall === 'SO_BINDTODEVICE' && code === 'EPERM';
  const words = isForbidden ? 'binding to an interface takes CAP_NET_RAW' : LOCAL_ERRORS[code];
  return words === undefined ? undefined : { reason: 'local', detail: `${code}: ${words}` };
}

/** The failure for an error of a sent datagram, or of a connection that could not be opened. */
export function failureOf(error: NodeJS.ErrnoException): TransportFailure {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    // ICMP's protocol unreachable (RFC 1122 3.2.2.1).
    case 'ENOPROTOOPT':
      return { reason: 'refused' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'ETIMEDOUT':
    // ICMP's parameter problem.
    case 'EPROTO':
      return { reason: 'unreachable' };
    default:
      return localFailure(error) ?? { reason: 'local', detail: error.code ?? error.message };
  }
}

/** The failure for an error of an open connection. */
export function openConnectionFailure(error: NodeJS.ErrnoException): TransportFailure {
  switch (error.code) {
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
      return { reason: 'unreachable' };
    default:
      return localFailure(error) ?? { reason: 'reset', ...detailOf(error) };
  }
}

function detailOf({ code }: NodeJS.ErrnoException): { readonly detail?: string } {
  return code === undefined ? {} : { detail: code };
}
