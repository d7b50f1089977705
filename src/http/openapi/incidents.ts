/** `GET /api/v1/incidents`: its operation and the schemas of `IncidentsView` in status/page-views.ts. */

import { FAILURE_REASONS } from '../../shared/outcome.js';
import { BOOLEAN, json, type Operation, query } from './operation.js';
import {
  closedObject,
  integer,
  listOf,
  nullable,
  oneOf,
  ref,
  type Schema,
  seconds,
  text,
  time,
} from './schema.js';

const STATE = oneOf(['down', 'unknown']);
const between = (minimum: number, maximum: number): Schema => ({
  ...{ type: 'integer', minimum, maximum },
});

export const INCIDENTS_OPERATION: Operation = {
  operationId: 'listIncidents',
  summary: 'The periods in which verdicts were not up',
  parameters: [
    query('q', 'Words, each a part of a text of the incident; up to 200 characters.'),
    query('destination', 'A name, or a canonical URI; also of a destination that was removed.'),
    query('label', 'NAME=VALUE; repeatable, and then all must hold.', listOf(text())),
    query('owner', 'An owner of the destination at that time.'),
    query('state', 'Only those with this state.', STATE),
    query('open', 'true: only those that last; false: only those that have ended.', BOOLEAN),
    query('before', 'Only smaller ids: next of the page before.', between(1, 2 ** 53 - 1)),
    query('limit', 'Maximum number; 100 without it.', between(1, 1_000)),
  ],
  responses: {
    200: json('The newest first.', ref('Incidents')),
    400: json('A parameter is malformed.', ref('Error')),
  },
};

export const INCIDENT_SCHEMAS: Readonly<Record<string, Schema>> = {
  Incidents: closedObject({
    incidents: listOf(ref('Incident')),
    total: integer('All incidents that are kept, whatever the parameters.'),
    dropped: integer('Incidents that were forgotten since the start.'),
    oldest: nullable(time('When the oldest that is kept began.')),
    next: nullable(integer('The parameter before of the next page; null on the last.')),
  }),
  Incident: closedObject(
    {
      id: integer('Increases with each incident, also across restarts.'),
      destination: text('The name of the destination.'),
      uri: text('Canonical SIP URI.'),
      state: STATE,
      began_at: time('When the state was reached.'),
      ended_at: nullable(time('Null while it lasts.')),
      duration: nullable(
        seconds('Of one that lasts, until now; null when its end was lost in a crash.'),
      ),
      ended_by: nullable(
        oneOf(
          ['up', 'down', 'unknown', 'removed'],
          'The state that followed, or removed for a destination that is no longer monitored.',
        ),
      ),
      reason: nullable(oneOf([...FAILURE_REASONS, 'resolution'], 'Why it began.')),
      reason_text: nullable(text('The reason as a text.')),
      detail: nullable(text('The exact error as a text.')),
      sip_code: nullable({
        ...between(100, 699),
        description: 'SIP status code of the response with which it began; null without one.',
      }),
      module: text(),
      owners: listOf(text()),
      labels: { type: 'object', additionalProperties: text() },
    },
    'A period in which the verdict on a destination was not up, after its first verdict.',
  ),
};
