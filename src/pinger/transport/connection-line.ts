/** Log lines about connections. */

import { bracketed, type LocalAddress } from '../../shared/address.js';
import { reasonText, type TransportFailure, type TransportName } from '../../shared/outcome.js';
import type { LogLine } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { Endpoint } from './transport.js';

export type ConnectionChange = 'opened' | 'closed' | 'failed';

/** Logs a change of a connection if debug lines cover its destination. */
export function logConnection(
  debug: DebugLog,
  change: ConnectionChange,
  transport: TransportName,
  endpoint: Endpoint,
  fields: LogLine['fields'],
): void {
  const { destination } = endpoint;
  if (!debug.covers(destination)) return;
  debug.write({
    level: 'debug',
    event: `connection_${change}`,
    message: `connection ${change}`,
    fields: {
      ...(destination === undefined ? {} : { destination: destination.name }),
      ...{ transport, peer: addressLabel(endpoint) },
      ...fields,
    },
  });
}

export function addressLabel({ address, port }: LocalAddress): string {
  return `${bracketed(address)}:${port}`;
}

export function failureText({ reason, detail }: TransportFailure): string {
  return detail ?? reasonText(reason);
}
