/** The OpenAPI 3.1 document of the HTTP interface. */

import { INCIDENT_SCHEMAS } from './incidents.js';
import { PATHS } from './paths.js';
import { ref } from './schema.js';
import { SCHEMAS } from './schemas.js';
import { UPSTREAM_PATHS, UPSTREAM_SCHEMAS } from './upstream.js';

const DESCRIPTION =
  'Times are ISO 8601 in UTC, durations are in seconds, and null means unknown or not applicable. ' +
  'code is always the code of is_alive, sip_code always a SIP status code.';

export const OPENAPI_DOCUMENT = {
  openapi: '3.1.0',
  info: {
    title: 'sip-keepalive-exporter',
    version: '1',
    description: DESCRIPTION,
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  // Every path needs a password if web.config.file has basic_auth_users.
  security: [{}, { basic: [] }],
  paths: { ...PATHS, ...UPSTREAM_PATHS },
  webhooks: {
    change: {
      post: {
        operationId: 'onChange',
        summary: 'A destination went up or down',
        requestBody: {
          required: true,
          content: { 'application/json': { schema: ref('Change') } },
        },
        responses: { '2XX': { description: 'Delivered.' } },
      },
    },
  },
  components: {
    securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
    schemas: { ...SCHEMAS, ...INCIDENT_SCHEMAS, ...UPSTREAM_SCHEMAS },
  },
};
