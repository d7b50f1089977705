/** Detects that a local address was removed: requests that were sent from it cannot be answered. */

import { addressFamily } from '../../shared/address.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import { bind } from '../net/udp.js';
import { localFailure } from './socket-errors.js';

/** Results of pings whose packets cannot leave or return. */
const SUSPECT_REASONS: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'reset']);

/**
 * The outcome of a ping that was sent from `localAddress`: a local error if that address was removed.
 *
 * @param localAddress IPv6 without brackets; empty when unknown.
 */
export function localIfAddressIsGone(outcome: Outcome, localAddress: string): Outcome {
  if (outcome.kind !== 'failed' || !SUSPECT_REASONS.has(outcome.reason)) return outcome;
  const failure = bindFailure(localAddress);
  return failure === undefined ? outcome : { kind: 'failed', ...failure };
}

/** Why nothing can be sent from the address; undefined when it exists or its existence is unknown. */
function bindFailure(address: string): TransportFailure | undefined {
  const family = addressFamily(address);
  if (family === undefined) return undefined;
  try {
    bind(family, address, 0, false).close();
    return undefined;
  } catch (error) {
    const bindError = error as NodeJS.ErrnoException;
    return bindError.code === 'EADDRNOTAVAIL' ? localFailure(bindError) : undefined;
  }
}
