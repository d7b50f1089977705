import { DISAGREEMENTS, LISTED_STATES } from '../../shared/kamailio.js';
import { closedObject, nullable, oneOf, text, time } from './schema.js';

/** The schema of `KamailioView` in status/views.ts. */
export const KAMAILIO = closedObject(
  {
    kamailio: text('The name of the Kamailio.'),
    module: oneOf(['dispatcher', 'uac']),
    setid: nullable(text('The dispatcher set; null for uac.')),
    uri: text('As listed.'),
    duid: nullable(text('The unique identifier in Kamailio.')),
    state: oneOf(LISTED_STATES),
    probed: { type: 'boolean', description: 'Whether the Kamailio itself pings it.' },
    registered: { type: ['boolean', 'null'], description: 'Only for uac.' },
    disagreement: nullable(oneOf(DISAGREEMENTS, 'Null while the state agrees with the verdict.')),
    disagreement_since: nullable(time('When the disagreement was first seen.')),
  },
  'What a Kamailio believes about the destination, as one of its modules lists it.',
);
