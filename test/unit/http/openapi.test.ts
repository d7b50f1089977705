import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { createApp } from '../../../src/http/app.js';
import { OPENAPI_DOCUMENT } from '../../../src/http/openapi/document.js';
import type { Explanation, Ladder } from '../../../src/shared/resolution.js';
import { changeJson } from '../../../src/status/describe-change.js';
import type { SourceView } from '../../../src/status/page-views.js';
import { StateChangeLog } from '../../../src/status/state-change-log.js';
import { appRig } from '../../support/app-rig.js';
import { IDLE_SETTINGS, IDLE_STATUS, idleApp } from '../../support/idle-app.js';
import { isComponent, isDescribed } from '../../support/openapi.js';
import { probeReport } from '../../support/probe-report.js';
import { routesOf } from '../../support/routes.js';
import { settings } from '../../support/settings.js';
import { change } from '../../support/state-changes.js';
import { TLS_PEER } from '../../support/status-rig.js';

const LADDER: Ladder = {
  startedAtMs: 1_600_000_000_000,
  steps: [
    { offsetMs: 0, direction: 'sent', summary: 'OPTIONS', message: 'OPTIONS sip:a SIP/2.0' },
    { offsetMs: 1.5, direction: 'received', summary: '200 OK', message: '' },
  ],
};

const EXPLANATION: Explanation = {
  resolution: {
    ageMs: 2_500,
    errors: ['AAAA of a.example: timeout'],
    targets: [
      {
        ...{ transport: 'tls', address: '192.0.2.1:5061' },
        steps: [
          {
            ...{ type: 'NAPTR', name: 'a.example', value: '_sips._tcp.a.example' },
            ...{ order: 1, preference: 2, leftMs: 1_000 },
          },
          { type: 'hosts', name: 'b', value: '192.0.2.1', leftMs: Number.POSITIVE_INFINITY },
        ],
      },
    ],
  },
  exchanges: new Map([[0, { sent: 'OPTIONS', received: '', ladder: LADDER }]]),
};

const SOURCE: SourceView = {
  ...{ name: 'a', kind: 'file_sd', ok: false, destinations: null },
  ...{ last_success: null, error: 'a.yml: ENOENT' },
};

/** An app with a destination for each form of a response. */
async function filledApp(t: Parameters<typeof appRig>[0]) {
  const rig = await appRig(t, {
    pinger: {
      isReady: true,
      probe: async ({ uri }) =>
        uri.includes('192.0.2.9')
          ? probeReport({ isAlive: false, reason: 'local', detail: 'EPERM', code: undefined })
          : probeReport(),
      explanation: async () => EXPLANATION,
    },
    histories: { of: () => ({ rtt: [null, 0.0015], failed: [null, 0.5], step: 60 }) },
    settings: () => ({
      ...IDLE_SETTINGS,
      isAdminEnabled: true,
      probe: { isEnabled: true, allow: [], modules: { default: settings() } },
    }),
    runtimeDestinations: { add: async () => 1, remove: async () => 1, flush: async () => 2 },
    configText: () => '{}',
    exporterStatus: () => ({ ...IDLE_STATUS, sources: [SOURCE] }),
  });
  const up = rig.add('up', {
    ...{ labels: { carrier: 'acme' }, owners: ['config', 'rpc'], server: 'kamailio' },
    targets: [
      { transport: 'tls', address: '192.0.2.1:5061', priority: 10, weight: 20 },
      { address: '[2001:db8::1]:5060' },
    ],
  });
  up.ping();
  up.become('up');
  up.peer('', TLS_PEER);
  const down = rig.add('down');
  down.ping({ reason: 'code', code: 503, rttMicros: 900 });
  down.become('down', 'code');
  down.peer('answered with 503', {
    ...TLS_PEER,
    ...{ version: '', cipher: '', notBeforeMs: Number.NaN },
  });
  rig.add('a/b', { targets: [] }).become('down', 'resolution');
  rig.add('unknown');
  return rig;
}

test('the document is OpenAPI 3.1', async () => {
  const result = await new Validator().validate(structuredClone(OPENAPI_DOCUMENT));
  assert.deepEqual(result.errors ?? [], []);
  assert.ok(result.valid);
});

test('the document has every route, and no other', () => {
  const routes = routesOf(createApp(idleApp()));
  // The status page is not part of the interface for programs.
  const described = routes
    .filter((path) => path !== '/' && !path.startsWith('/page/'))
    .map((path) => path.replace(/[*:](\w+)/, '{$1}'));
  assert.deepEqual(Object.keys(OPENAPI_DOCUMENT.paths).sort(), described.sort());
});

test('a member that the document does not have, or that is missing, is detected', () => {
  isComponent('Error', { error: 'x' });
  assert.throws(() => isComponent('Error', { error: 'x', more: 1 }));
  assert.throws(() => isComponent('AliveError', { error: 'x' }));
});

test('every operation has its own id', () => {
  const ids = [...JSON.stringify(OPENAPI_DOCUMENT).matchAll(/"operationId":"(\w+)"/g)].map(
    ([, id]) => id,
  );
  assert.ok(ids.length > 10);
  assert.equal(new Set(ids).size, ids.length);
});

test('answers to GET are as the document describes them', async (t) => {
  const { get } = await filledApp(t);
  const probed = { target: 'sip:192.0.2.1' };
  await get(`/probe?${new URLSearchParams(probed)}`);
  await get(`/probe?${new URLSearchParams({ target: 'sip:192.0.2.9', debug: 'true' })}`);
  const json = { accept: 'application/json' };
  for (const [path, request, status, headers] of [
    ['/api/v1/destinations', '', 200],
    ['/api/v1/destinations', '?view=brief', 200],
    ['/api/v1/destinations', '?view=long', 400],
    ['/api/v1/destinations/{name}', 'up', 200],
    ['/api/v1/destinations/{name}', 'down', 200],
    ['/api/v1/destinations/{name}', 'a/b', 200],
    ['/api/v1/destinations/{name}', 'unknown', 200],
    ['/api/v1/destinations/{name}', 'nobody', 404],
    ['/api/v1/history', '?destination=up&destination=nobody', 200],
    ['/api/v1/history', `?${'destination=a&'.repeat(101)}`, 400],
    ['/api/v1/status', '', 200],
    ['/api/v1/incidents', '', 200],
    ['/api/v1/incidents', '?state=up', 400],
    ['/api/v1/probes', '', 200],
    ['/api/v1/openapi.json', '', 200],
    ['/config', '', 200],
    ['/alive', '?destination=up', 200, json],
    ['/alive', '?destination=down&fail_on_down=1', 503, json],
    ['/alive', '?destination=unknown', 503, json],
    ['/alive', '?destination=nobody', 404, json],
    ['/alive', '', 400, json],
    ['/alive', '?destination=up', 200],
    ['/metrics', '', 200],
    ['/logs', '?id=1', 200],
    ['/logs', '?id=99', 404],
    ['/probe', '?target=sip:192.0.2.1', 200],
    ['/probe', '?target=sip:192.0.2.9', 503],
    ['/probe', '', 400],
    ['/probe', '?target=sip:192.0.2.1&debug=true', 200, json],
    ['/probe', '?target=sip:192.0.2.9&debug=1', 503, json],
    ['/probe', '?destination=nobody&debug=true', 404, json],
    ['/-/ready', '', 200],
    ['/-/healthy', '', 200],
  ] as const) {
    const url = path.includes('{name}') ? path.replace('{name}', request) : `${path}${request}`;
    const answer = await get(url, headers);
    assert.equal(answer.status, status, url);
    await isDescribed('get', path, answer);
  }
});

test('each view of a destination has the schema of its own', async (t) => {
  const { get } = await filledApp(t);
  for (const [query, component] of [
    ['', 'Destination'],
    ['?view=brief', 'DestinationBrief'],
  ] as const) {
    const { destinations } = (await (await get(`/api/v1/destinations${query}`)).json()) as {
      destinations: unknown[];
    };
    assert.equal(destinations.length, 4);
    for (const destination of destinations) isComponent(component, destination);
  }
});

test('the answers of RPC are as the document describes them', async (t) => {
  const { post } = await filledApp(t);
  const calls = [
    ['list', []],
    ['get', ['up']],
    ['get', ['up', 'rpc']],
    ['is_alive', ['up']],
    ['is_alive', ['unknown']],
    ['add', ['sip:192.0.2.7', 'billing']],
    ['del', ['sip:192.0.2.7', 'billing']],
    ['flush', []],
    ['nothing', []],
  ].map(([method, params], id) => ({ jsonrpc: '2.0', id, method: `keepalive.${method}`, params }));
  for (const call of calls) {
    const answer = await post('/rpc', JSON.stringify(call));
    assert.equal(answer.status, 200);
    await isDescribed('post', '/rpc', answer);
  }
  await isDescribed('post', '/rpc', await post('/rpc', JSON.stringify(calls)));
  await isDescribed('post', '/rpc', await post('/rpc', '{'));
  const notification = { jsonrpc: '2.0', method: 'keepalive.list' };
  const nothing = await post('/rpc', JSON.stringify(notification));
  assert.equal(nothing.status, 204);
  await isDescribed('post', '/rpc', nothing);
  const long = await post('/rpc', ' '.repeat((1 << 20) + 1));
  assert.equal(long.status, 413);
  await isDescribed('post', '/rpc', long);
  await isDescribed('post', '/-/reload', await post('/-/reload'));
});

test('a change of state is a Change, whatever its state', () => {
  const log = new StateChangeLog(1_000);
  log.add([
    change('a', { carrier: 'acme' }),
    { ...change('b'), to: 'unknown', reason: undefined },
    { ...change('c'), from: 'unknown', to: 'up', reason: undefined, detail: '' },
    { ...change('d'), detail: 'exactly this' },
  ]);
  for (const made of log.after(0, 9)) isComponent('Change', JSON.parse(changeJson(made)));
});
