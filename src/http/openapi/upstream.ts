/** What Prometheus and Alertmanager know, for the OpenAPI document. */

import { RANGE_SPANS } from '../../upstream/long-spans.js';
import { FORBIDDEN, get, json, type Operation, query } from './operation.js';
import {
  closedObject,
  listOf,
  nullable,
  oneOf,
  type Properties,
  ref,
  type Schema,
  seconds,
  text,
  time,
} from './schema.js';

const SHARE: Schema = { type: ['number', 'null'], minimum: 0, maximum: 1 };
const SHARES: Schema = { type: 'object', additionalProperties: SHARE };
const BOOLEAN: Schema = { type: 'boolean' };

const MATCHER = closedObject({ name: text(), value: text(), is_regex: BOOLEAN, is_equal: BOOLEAN });

const SILENCE_TARGETS: readonly Properties[] = [
  { destination: text('A name.') },
  { destinations: listOf(text(), 'Up to 1,000 names.') },
  { label: closedObject({ name: text(), value: text() }) },
];

const REQUESTED: Properties = {
  duration: { ...seconds('From a minute to 90 days.'), minimum: 60 },
  comment: text('1 to 1,000 characters.'),
};

export const UPSTREAM_SCHEMAS: Readonly<Record<string, Schema>> = {
  Availability: closedObject({
    spans: closedObject(
      { day: SHARES, week: SHARES, month: SHARES },
      'Share of the time up, by the names of the destinations; null if Prometheus has no value.',
    ),
  }),
  Range: closedObject({
    step: seconds('Seconds between two points.'),
    at: listOf(time('The end of the time that the point is about.')),
    rtt: listOf(nullable(seconds('Median round-trip time, seconds.'))),
    availability: listOf(SHARE, 'Share of the time up.'),
  }),
  Silence: closedObject({
    id: text(),
    state: oneOf(['active', 'pending']),
    matchers: listOf(MATCHER),
    starts_at: time('When it starts.'),
    ends_at: time('When it ends.'),
    created_by: text(),
    comment: text(),
  }),
  SilenceRequest: {
    anyOf: SILENCE_TARGETS.map((target) => ({
      type: 'object',
      properties: { ...target, ...REQUESTED, created_by: text('Default: status page.') },
      required: [...Object.keys(target), ...Object.keys(REQUESTED)],
      additionalProperties: false,
    })),
  },
};

/** Responses when the other server cannot answer. */
const failures = (name: string, setting: string): Operation['responses'] => ({
  501: json(`${setting} is not set.`, ref('Error')),
  502: json(`${name} does not answer as expected.`, ref('Error')),
});
const FROM_PROMETHEUS = failures('Prometheus', 'web.prometheus_url');
const FROM_ALERTMANAGER = failures('Alertmanager', 'web.alertmanager_url');
const BAD = json('The request is malformed.', ref('Error'));
const ADMIN = {
  ...FORBIDDEN,
  content: { ...FORBIDDEN.content, ...json('', ref('Error')).content },
  description: 'A cross-origin request, an unknown host name, or no web.enable-admin-api.',
};

export const UPSTREAM_PATHS: Readonly<Record<string, object>> = {
  '/api/v1/availability': get({
    operationId: 'getAvailability',
    summary: 'Availability of up to 100 destinations over a day, a week and 30 days',
    parameters: [
      { ...query('destination', 'A name; repeatable.', listOf(text())), required: true },
    ],
    responses: {
      200: json('Of the existing destinations.', ref('Availability')),
      ...{ 400: BAD, ...FROM_PROMETHEUS },
    },
  }),
  '/api/v1/range': get({
    operationId: 'getRange',
    summary: 'Round-trip times and availability of a destination over a long span',
    parameters: [
      { ...query('destination', 'A name.'), required: true },
      { ...query('span', 'The span until now.', oneOf(RANGE_SPANS)), required: true },
    ],
    responses: {
      200: json('The oldest point first.', ref('Range')),
      ...{ 400: BAD, 404: json('No such destination.', ref('Error')), ...FROM_PROMETHEUS },
    },
  }),
  '/api/v1/silences': {
    ...get({
      operationId: 'listSilences',
      summary: 'The silences that may fit alerts on destinations or on the exporter',
      responses: {
        200: json('The first to end first.', closedObject({ silences: listOf(ref('Silence')) })),
        ...FROM_ALERTMANAGER,
      },
    }),
    post: {
      operationId: 'createSilence',
      summary: 'Silence the alerts on destinations',
      requestBody: {
        required: true,
        content: { 'application/json': { schema: ref('SilenceRequest') } },
      },
      responses: {
        201: json('The silence.', closedObject({ id: text() })),
        ...{ 400: BAD, 403: ADMIN },
        404: json('No such destination, or none with this label.', ref('Error')),
        413: json('The request is too long.', ref('Error')),
        ...FROM_ALERTMANAGER,
      },
    },
  },
  '/api/v1/silences/{id}': {
    delete: {
      operationId: 'endSilence',
      summary: 'End a silence',
      parameters: [
        { name: 'id', in: 'path', required: true, description: 'Its ID.', schema: text() },
      ],
      responses: {
        204: { description: 'It has ended.' },
        403: ADMIN,
        404: json('No such silence.', ref('Error')),
        ...FROM_ALERTMANAGER,
      },
    },
  },
};
