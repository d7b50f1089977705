/** The schemas of status/views.ts and of the responses that contain them. */

import { FAILURE_REASONS, TRANSPORTS } from '../../shared/outcome.js';
import { STATES } from '../../shared/state.js';
import { EXCHANGE } from './exchange-schema.js';
import { KAMAILIO } from './kamailio-schema.js';
import { RESOLUTION } from './resolution-schema.js';
import {
  closedObject,
  integer,
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
import { STATUS } from './status-schema.js';
import { TLS } from './tls-schema.js';

const CODE = oneOf([1, 2, -1], 'The result of is_alive: 1 up, 2 down, -1 unknown.');
const STATE = oneOf(STATES);
const REASON = nullable(oneOf([...FAILURE_REASONS, 'resolution'], 'Null without a failure.'));
const REASON_TEXT = nullable(text('The reason as a text.'));
const DETAIL = nullable(text('The exact error as a text; null when only the reason is known.'));
const SIP_CODE: Schema = {
  ...{ type: ['integer', 'null'], minimum: 100, maximum: 699 },
  description: 'SIP status code of the last response; null without one.',
};
const OWNERS = listOf(text(), 'The owners that registered the destination.');
const LABELS: Schema = { type: 'object', additionalProperties: text() };
const TRANSPORT = oneOf(TRANSPORTS);
const ADDRESS = text('IP address and port: 192.0.2.1:5060, [2001:db8::1]:5060.');
const RTT = nullable(seconds('Round-trip time, seconds; null without a response.'));
const DEGRADED = nullable(text('Why it needs attention although it is up; null unless it is up.'));
const CERTIFICATE_TIME = (what: string) => nullable(time(what));

const BRIEF: Properties = {
  destination: text('The name of the destination.'),
  uri: text('Canonical SIP URI.'),
  module: text(),
  owners: OWNERS,
  labels: LABELS,
  code: CODE,
  state: STATE,
  degraded: DEGRADED,
  since: nullable(time('When the state was reached.')),
  reason: REASON,
  reason_text: REASON_TEXT,
  detail: DETAIL,
  sip_code: SIP_CODE,
  rtt: RTT,
  targets_total: integer('Addresses that the destination resolves to.'),
  targets_up: integer('Addresses that are up.'),
  certificate_not_after: CERTIFICATE_TIME(
    'The earliest expiry of the certificates of all targets.',
  ),
};

/** All but the targets. */
const FULL: Properties = {
  ...BRIEF,
  server: nullable(text('The Server header of the peer, or User-Agent without it.')),
  ping_interval: seconds('Seconds.'),
  retry_interval: seconds('While a failure or a recovery is not confirmed, seconds.'),
  down_interval: seconds('While a target is down, seconds.'),
  ping_timeout: seconds('Seconds.'),
};

const TARGET: Properties = {
  transport: TRANSPORT,
  address: ADDRESS,
  priority: nullable(integer('From the SRV record.')),
  weight: nullable(integer('From the SRV record.')),
  code: CODE,
  state: STATE,
  degraded: DEGRADED,
  since: nullable(time('When the state was reached.')),
  reason: REASON,
  reason_text: REASON_TEXT,
  detail: DETAIL,
  sip_code: SIP_CODE,
  rtt: RTT,
  pings: integer('Pings that have ended.'),
  last_ping: nullable(time('When the last ping ended.')),
  last_up: nullable(time('When the last alive ping ended.')),
  last_down: nullable(time('When the last failed ping ended.')),
  tls: nullable(ref('Tls')),
};

const PING: Properties = {
  at: nullable(time('When it ended.')),
  reason: REASON,
  reason_text: REASON_TEXT,
  sip_code: SIP_CODE,
  rtt: RTT,
  retransmissions: { type: 'boolean', description: 'Whether the request was sent more than once.' },
};

const SHARE: Schema = { type: ['number', 'null'], minimum: 0, maximum: 1 };

const HISTORY = closedObject(
  {
    rtt: listOf(RTT, 'Mean round-trip time of each step.'),
    failed: listOf(SHARE, 'Share of failed pings of each step.'),
    step: seconds('Seconds between two points.'),
    pings: listOf(ref('TargetPing'), 'The last 40 pings of all targets, the oldest first.'),
  },
  'The last hour, the oldest point first, with null for an unknown point; and the last pings.',
);

const CHANGE = closedObject(
  {
    id: text('Unique.'),
    event: oneOf(['dst-up', 'dst-down', 'dst-unknown']),
    destination: text('The name of the destination.'),
    uri: text('Canonical SIP URI.'),
    from: STATE,
    code: CODE,
    state: STATE,
    reason: REASON,
    reason_text: REASON_TEXT,
    detail: DETAIL,
    at: time('When the state was reached.'),
    module: text(),
    owners: OWNERS,
    labels: LABELS,
  },
  'A change of state: the data of an event, and the body of a webhook.',
);

const PROBE: Properties = {
  id: integer('The parameter of /logs.'),
  at: time('When it ended.'),
  target: text('As in the request.'),
  module: text(),
  code: CODE,
  state: STATE,
  reason: REASON,
  reason_text: REASON_TEXT,
  detail: DETAIL,
  sip_code: SIP_CODE,
  rtt: RTT,
};

const PROBE_STEP = closedObject({
  at: time('When it happened.'),
  text: text('What happened.'),
  message: nullable(text('The SIP message, with secrets masked; null for other steps.')),
});

const { state: _, ...FULL_WITHOUT_STATE } = FULL;
const RPC_ITEM = closedObject(
  {
    ...{ uri: text(), owner: text() },
    'last checked': nullable(time('The latest of all targets.')),
    'last up': nullable(time('The latest of all targets.')),
    'last down': nullable(time('The latest of all targets.')),
    ...FULL_WITHOUT_STATE,
    state: oneOf([0, 1, 2], "Kamailio's number: 0 unknown, 1 up, 2 down."),
    state_text: STATE,
    targets: listOf(ref('Target')),
  },
  'A destination of one owner: the fields of Kamailio and those of the API.',
);

const RPC_ID: Schema = { type: ['string', 'number', 'null'] };
const JSONRPC: Schema = { const: '2.0' };

export const SCHEMAS: Readonly<Record<string, Schema>> = {
  DestinationBrief: closedObject(BRIEF),
  Destination: closedObject({ ...FULL, targets: listOf(ref('Target')) }),
  DestinationDetails: closedObject({
    ...FULL,
    targets: listOf(ref('TargetDetails')),
    resolution: nullable(ref('Resolution')),
    kamailios: listOf(ref('Kamailio'), 'What running Kamailios believe about the destination.'),
    history: ref('History'),
  }),
  Target: closedObject(TARGET),
  TargetDetails: closedObject({
    ...TARGET,
    recent: listOf(ref('Ping'), 'The last 40 pings, the newest first.'),
    exchange: nullable(ref('Exchange')),
    last_sent: nullable(text('The last request, with secrets masked.')),
    last_received: nullable(text('The last message received, with secrets masked.')),
  }),
  Tls: TLS,
  Ping: closedObject(PING),
  TargetPing: closedObject({
    ...PING,
    target: nullable(text('udp 192.0.2.1:5060; null where there is only one target.')),
  }),
  Exchange: EXCHANGE,
  Resolution: RESOLUTION,
  Kamailio: KAMAILIO,
  History: HISTORY,
  Change: CHANGE,
  Status: STATUS,
  Probe: closedObject(PROBE),
  ProbeDetails: closedObject({ ...PROBE, steps: listOf(PROBE_STEP) }),
  Error: closedObject({ error: text() }),
  AliveError: closedObject({ code: { const: -1 }, error: text() }),
  RpcItem: RPC_ITEM,
  RpcRequest: {
    type: 'object',
    properties: {
      jsonrpc: JSONRPC,
      id: RPC_ID,
      method: oneOf(
        ['list', 'get', 'is_alive', 'add', 'del', 'flush'].map((name) => `keepalive.${name}`),
      ),
      params: { anyOf: [listOf({}), { type: 'object' }] },
    },
    required: ['jsonrpc', 'method'],
  },
  RpcResult: closedObject({
    jsonrpc: JSONRPC,
    id: RPC_ID,
    result: {
      anyOf: [{ type: 'integer' }, ref('RpcItem'), listOf(ref('RpcItem'))],
    },
  }),
  RpcError: closedObject({
    jsonrpc: JSONRPC,
    id: RPC_ID,
    error: closedObject({
      code: { type: 'integer', description: '-1, as in Kamailio, or a code of JSON-RPC 2.0.' },
      message: text(),
    }),
  }),
};
