/** The paths of the HTTP interface, for the OpenAPI document. */

import { FAMILY_GROUPS } from '../../shared/family-names.js';
import { INCIDENTS_OPERATION } from './incidents.js';
import {
  BOOLEAN,
  BUSY,
  both,
  FORBIDDEN,
  get,
  json,
  type Operation,
  plain,
  post,
  query,
} from './operation.js';
import { closedObject, listOf, oneOf, ref, text } from './schema.js';

const ALIVE: Operation = {
  operationId: 'isAlive',
  summary: "The result of Kamailio's is_alive",
  parameters: [
    { ...query('destination', 'A name, or a URI in any spelling.'), required: true },
    query('fail_on_down', 'Whether to answer 503 for a destination that is down.', BOOLEAN),
  ],
  responses: {
    200: both('1 up, or 2 down.', ref('Destination')),
    400: both('A parameter is missing or malformed.', ref('AliveError')),
    404: both('No such destination.', ref('AliveError')),
    503: both('-1 unknown, or 2 down with fail_on_down.', ref('Destination')),
  },
};

const PROBE: Operation = {
  operationId: 'probe',
  summary: 'One ping, with the metrics of blackbox_exporter',
  parameters: [
    query('target', 'A SIP URI in any spelling.'),
    query('module', 'A module of the configuration.'),
    query('destination', 'The name of a configured destination, instead of target and module.'),
    query('debug', 'Whether to answer with the log of the probe.', BOOLEAN),
    {
      ...{ name: 'X-Prometheus-Scrape-Timeout-Seconds', in: 'header' },
      ...{ description: 'The timeout of Prometheus.', schema: text() },
    },
  ],
  responses: {
    200: both(
      'Metrics; probe_success is 0 for a peer that is not alive. With debug, text or JSON.',
      ref('ProbeDetails'),
    ),
    400: both('A parameter is missing or malformed.', ref('Error')),
    403: both('The target may not be probed.', ref('Error')),
    404: both('No such destination.', ref('Error')),
    503: both('The exporter could not ping.', { anyOf: [ref('ProbeDetails'), ref('Error')] }),
  },
};

const RPC: Operation = {
  operationId: 'rpc',
  summary: "Kamailio's RPC commands keepalive.*, as JSON-RPC 2.0",
  requestBody: {
    required: true,
    content: {
      'application/json': {
        schema: { anyOf: [ref('RpcRequest'), listOf(ref('RpcRequest'))] },
      },
    },
  },
  responses: {
    200: json('The response, or the responses of a batch.', {
      anyOf: [
        ...[ref('RpcResult'), ref('RpcError')],
        listOf({ anyOf: [ref('RpcResult'), ref('RpcError')] }),
      ],
    }),
    204: { description: 'The request has only notifications.' },
    403: FORBIDDEN,
    413: json('The request is too long.', ref('RpcError')),
  },
};

/** A route without parameters that responds with text. */
function textRoute(operationId: string, summary: string, others: Operation['responses'] = {}) {
  return get({ operationId, summary, responses: { 200: plain(summary), ...others } });
}

const API: Readonly<Record<string, object>> = {
  '/api/v1/destinations': get({
    operationId: 'listDestinations',
    summary: 'Every destination',
    parameters: [query('view', 'full: with targets; brief: without.', oneOf(['full', 'brief']))],
    responses: {
      200: json(
        'The destinations.',
        closedObject({
          destinations: listOf({ anyOf: [ref('Destination'), ref('DestinationBrief')] }),
        }),
      ),
      400: json('A parameter is malformed.', ref('Error')),
      503: BUSY,
    },
  }),
  '/api/v1/destinations/{name}': get({
    operationId: 'getDestination',
    summary: 'One destination with all details',
    parameters: [
      {
        ...{ name: 'name', in: 'path', required: true, schema: text() },
        description: 'Name of the destination; slashes need not be escaped.',
      },
    ],
    responses: {
      200: json('The destination.', ref('DestinationDetails')),
      404: json('No such destination.', ref('Error')),
    },
  }),
  '/api/v1/status': get({
    operationId: 'getStatus',
    summary: 'The exporter itself, and how many destinations are in which state',
    responses: { 200: json('The status.', ref('Status')) },
  }),
  '/api/v1/history': get({
    operationId: 'getHistory',
    summary: 'The last hour of up to 100 destinations',
    parameters: [query('destination', 'A name; repeatable.', listOf(text()))],
    responses: {
      200: json(
        'The existing destinations, by name.',
        closedObject({ histories: { type: 'object', additionalProperties: ref('History') } }),
      ),
      400: json('No destination, or more than 100.', ref('Error')),
    },
  }),
  '/api/v1/incidents': get(INCIDENTS_OPERATION),
  '/api/v1/probes': get({
    operationId: 'listProbes',
    summary: 'The last 100 probes, and the last 100 that failed',
    responses: {
      200: json('The newest first.', closedObject({ probes: listOf(ref('Probe')) })),
    },
  }),
  '/api/v1/events': get({
    operationId: 'streamEvents',
    summary: 'Changes of state as server-sent events; the data of each is a Change',
    parameters: [
      {
        ...{ name: 'Last-Event-ID', in: 'header', schema: text() },
        description: 'ID of the last received event; later events are sent again.',
      },
      query('last_event_id', 'The same, for clients that cannot set headers.'),
    ],
    responses: {
      200: {
        description: 'An endless stream.',
        content: { 'text/event-stream': { schema: text() } },
      },
      503: plain('Too many clients.'),
    },
  }),
  '/api/v1/openapi.json': get({
    operationId: 'getOpenApi',
    summary: 'This document',
    responses: { 200: json('An OpenAPI 3.1 document.', { type: 'object' }) },
  }),
};

export const PATHS: Readonly<Record<string, object>> = {
  ...API,
  '/alive': get(ALIVE),
  '/probe': get(PROBE),
  '/rpc': post(RPC),
  '/logs': get({
    operationId: 'getProbeLog',
    summary: 'The log of a probe',
    parameters: [
      { ...query('id', 'The id in /api/v1/probes.', { type: 'integer' }), required: true },
    ],
    responses: {
      200: plain('A line for each step.'),
      403: FORBIDDEN,
      400: plain('The id is missing or malformed.'),
      404: plain('No such probe.'),
    },
  }),
  '/config': get({
    operationId: 'getConfig',
    summary: 'The current configuration',
    responses: {
      200: json('The configuration; secrets are masked.', { type: 'object' }),
      403: FORBIDDEN,
    },
  }),
  '/metrics': get({
    operationId: 'getMetrics',
    summary: 'Metrics, as Prometheus text or OpenMetrics',
    parameters: [
      query('collect[]', 'A group of metrics; repeatable.', listOf(oneOf(FAMILY_GROUPS))),
    ],
    responses: {
      200: plain('Metrics, as Prometheus text or OpenMetrics'),
      400: plain('There is no such group.'),
      503: BUSY,
    },
  }),
  '/-/healthy': textRoute('isHealthy', 'The process is running'),
  '/-/ready': textRoute('isReady', 'The exporter can ping', {
    503: plain('The reason why it cannot.'),
  }),
  '/-/reload': post({
    operationId: 'reload',
    summary: 'Reload the configuration',
    responses: {
      200: plain('The new configuration is applied.'),
      403: FORBIDDEN,
      500: plain('The errors of the configuration; the current one is kept.'),
    },
  }),
};
