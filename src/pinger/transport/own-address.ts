/** Whether an address of ours is still there: what is sent from one that is gone reaches nobody. */

import { addressFamily } from '../../shared/address.js';
import type { Outcome, TransportFailure } from '../../shared/outcome.js';
import { bind } from '../net/udp.js';
import { localFailure } from './socket-errors.js';

/** How pings end whose packets cannot leave, or cannot come back. */
const SIGNS: ReadonlySet<string> = new Set(['timeout', 'unreachable', 'reset']);

/**
 * The outcome of a ping that was sent from `ownAddress`: a fault of our own where that address is gone.
 *
 * @param ownAddress IPv6 without brackets; empty when it is not known.
 */
export function unlessOurAddressIsGone(outcome: Outcome, ownAddress: string): Outcome {
  if (outcome.kind !== 'failed' || !SIGNS.has(outcome.reason)) return outcome;
  const fault = faultOf(ownAddress);
  return fault === undefined ? outcome : { kind: 'failed', ...fault };
}

/** Why nothing can be sent from the address; undefined when it is there, or nobody can say. */
function faultOf(address: string): TransportFailure | undefined {
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
