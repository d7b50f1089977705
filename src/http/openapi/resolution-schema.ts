/** The schema of how a name led to its targets. */

import { TRANSPORTS } from '../../shared/outcome.js';
import { closedObject, integer, listOf, nullable, oneOf, seconds, text } from './schema.js';

const TRANSPORT = oneOf(TRANSPORTS);
const ADDRESS = text('IP address and port: 192.0.2.1:5060, [2001:db8::1]:5060.');

export const RESOLUTION = closedObject({
  age: nullable(seconds('Seconds since the last successful lookup.')),
  errors: listOf(text(), 'Failed lookups.'),
  targets: listOf(
    closedObject({
      transport: TRANSPORT,
      address: ADDRESS,
      steps: listOf(
        closedObject({
          type: oneOf(['NAPTR', 'SRV', 'A', 'AAAA', 'hosts']),
          name: text('The name queried.'),
          value: text('The content of the record.'),
          order: nullable(integer('Only for NAPTR records.')),
          preference: nullable(integer('Only for NAPTR records.')),
          priority: nullable(integer('Only for SRV records.')),
          weight: nullable(integer('Only for SRV records.')),
          ttl_left: nullable(integer('Remaining TTL in seconds; null without a limit.')),
        }),
        'The records that led to the target.',
      ),
    }),
  ),
});
