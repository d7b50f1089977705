/** What the system's errors mean for a ping. */

import type { TransportFailure } from '../../shared/outcome.js';

/** Of a datagram that was sent, or of a connection that did not come about. */
export function failureOf(error: NodeJS.ErrnoException): TransportFailure {
  switch (error.code) {
    case 'ECONNREFUSED':
    case 'ECONNRESET':
      return { reason: 'refused' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'ETIMEDOUT':
      return { reason: 'unreachable' };
    default:
      return { reason: 'local', detail: error.code ?? error.message };
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
      return { reason: 'reset', ...(error.code === undefined ? {} : { detail: error.code }) };
  }
}
