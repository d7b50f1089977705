/** Whether a local address still exists: nothing that is sent from a removed one is answered. */

import { addressFamily } from '../../shared/address.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import { bind } from '../net/udp.js';
import { localFailure } from './socket-errors.js';

/** How pings end whose packets cannot leave or return. */
const SUSPECT_REASONS: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'reset']);

/**
 * The outcome of a ping that was sent from `localAddress`: a local error if that address is gone.
 *
 * @param localAddress IPv6 without brackets; empty when unknown.
 */
export function localIfAddressIsGone(outcome: Outcome, localAddress: string): Outcome {
  if (outcome.kind !== 'failed' || !SUSPECT_REASONS.has(outcome.reason)) return outcome;
  const fault = bindFailure(localAddress);
  return fault === undefined ? outcome : { kind: 'failed', ...fault };
}

/** Why nothing can be sent from the address; undefined when it exists or that is unknown. */
function bindFailure(address: string): TransportFailure | undefined {
  const family = addressFamily(address);
  if (family === undefined) return undefined;
  try {
    bind(family, address, 0, false).close();
    return undefined;
  } catch (error) {
    const failure = error as NodeJS.ErrnoException;
    return failure.code === 'EADDRNOTAVAIL' ? localFailure(failure) : undefined;
  }
}
