/** The schema of /api/v1/status. */

import { closedObject, integer, listOf, nullable, type Schema, text, time } from './schema.js';

const FLAG: Schema = { type: 'boolean' };
const COUNT = integer('Destinations.');

const SOURCE = closedObject({
  name: text(),
  kind: text('file_sd, http_sd, dispatcher_list, kamailio_cfg or kamailio_rpc.'),
  ok: { ...FLAG, description: 'Whether the last read succeeded.' },
  destinations: nullable(integer('Monitored destinations; null before the first success.')),
  last_success: nullable(time('End of the last read without an error.')),
  error: nullable(text('Null unless the last read failed.')),
});

export const STATUS = closedObject(
  {
    version: text(),
    started_at: time('When the process started.'),
    now: time('When this was answered.'),
    destinations: COUNT,
    states: closedObject({
      ...{ down: COUNT, degraded: COUNT, unknown: COUNT, draining: COUNT, up: COUNT },
    }),
    pinger: closedObject({
      healthy: { ...FLAG, description: 'Whether its thread works.' },
      restarts: integer('Of its thread.'),
    }),
    ready: closedObject({
      ok: { ...FLAG, description: 'Whether /-/ready answers 200.' },
      reason: nullable(text('Null when it is ready.')),
    }),
    reload: closedObject({
      ok: { ...FLAG, description: 'Whether the last reload succeeded.' },
      at: time('When the configuration in force was loaded.'),
    }),
    sources: listOf(SOURCE, 'The sources of destinations.'),
    web: closedObject({
      admin: { ...FLAG, description: 'Whether destinations can be changed over HTTP.' },
      prometheus: { ...FLAG, description: 'Whether web.prometheus_url is set.' },
      alertmanager: { ...FLAG, description: 'Whether web.alertmanager_url is set.' },
      links: {
        ...{ type: 'object', additionalProperties: text() },
        description: 'URL templates with {destination} and {uri}, by their titles.',
      },
    }),
  },
  'The exporter itself. Each destination counts in one of the states: draining is not down, and degraded is not up.',
);
