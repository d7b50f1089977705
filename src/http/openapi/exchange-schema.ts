/** The schema of the messages of a ping. */

import { closedObject, listOf, nullable, oneOf, seconds, text, time } from './schema.js';

export const EXCHANGE = closedObject(
  {
    started_at: nullable(time('When the first request was sent.')),
    steps: listOf(
      closedObject({
        offset: seconds('Seconds since the first request.'),
        direction: oneOf(['sent', 'received']),
        summary: text('OPTIONS (retransmission 1), 200 OK.'),
        message: nullable(
          text(
            'With secrets masked; null when it is not kept: all but the last of each direction.',
          ),
        ),
      }),
    ),
  },
  'The last ping of a target.',
);
