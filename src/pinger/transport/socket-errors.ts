/** What the system's errors mean for a ping. */

import type { TransportFailure } from '../../shared/outcome.js';

/** The code of an error that stands for a fault of our own code. */
export const INTERNAL_ERROR = 'INTERNAL_ERROR';

/** Faults of this machine or process, which say nothing of the peer; in words. */
const LOCAL_FAULTS: Readonly<Record<string, string>> = {
  EMFILE: 'the process has no descriptor left',
  ENFILE: 'the system has no descriptor left',
  EPERM: 'the system does not permit it, as a firewall rule may say',
  EACCES: 'the system does not permit it',
  EADDRINUSE: 'the local address and port are in use',
  EADDRNOTAVAIL: 'the local address is not there, or no local port is left',
  ENOBUFS: 'the system has no buffer left',
  ENOMEM: 'the system has no memory left',
  EAFNOSUPPORT: 'the system has no addresses of this family',
  EMSGSIZE: 'the message is longer than a datagram may be',
  EINVAL: 'the system does not take such an address',
  [INTERNAL_ERROR]: 'the log has it',
};

/** Undefined when the error may be the peer's or the network's. */
export function localFailure(error: NodeJS.ErrnoException): TransportFailure | undefined {
  const { code = '' } = error;
  const words = LOCAL_FAULTS[code];
  return words === undefined ? undefined : { reason: 'local', detail: `${code}: ${words}` };
}

/** Of a datagram that was sent, or of a connection that did not come about. */
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

/** Of a connection that had come about. */
export function brokenBy(error: NodeJS.ErrnoException): TransportFailure {
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
