import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IncidentQuery } from '../../../src/incidents/incident-query.js';
import { appRig } from '../../support/app-rig.js';
import { ALL, incidentsRig } from '../../support/incidents-rig.js';
import { isComponent } from '../../support/openapi.js';
import { change } from '../../support/state-changes.js';

const PATH = '/api/v1/incidents';
const EMPTY = { incidents: [], total: 0, dropped: 0, oldest: null, next: null };

test('the parameters become a query', async (t) => {
  const queries: IncidentQuery[] = [];
  const list = (query: IncidentQuery) => {
    queries.push(query);
    return EMPTY;
  };
  const { json } = await appRig(t, { incidents: { list } });
  const none = { destination: undefined, owner: undefined, state: undefined };
  const absent = { ...none, isOpen: undefined, before: undefined };
  for (const [query, wanted] of [
    ['', {}],
    ['?destination=sip:%2B1@a&owner=o', { destination: 'sip:+1@a', owner: 'o' }],
    ['?destination=&limit=&before=', {}],
    [
      '?label=a=b&label=c==d=&label=e=',
      {
        labels: [
          ['a', 'b'],
          ['c', '=d='],
          ['e', ''],
        ],
      },
    ],
    ['?q=Gate  503%20', { words: ['gate', '503'] }],
    ['?state=down&open=1', { state: 'down', isOpen: true }],
    ['?state=unknown&open=false', { state: 'unknown', isOpen: false }],
    ['?before=1769860800000&limit=1000', { before: 1_769_860_800_000, limit: 1_000 }],
  ] as const) {
    assert.deepEqual(await json(`${PATH}${query}`), { status: 200, body: EMPTY });
    assert.deepEqual(
      queries.pop(),
      { ...absent, labels: [], words: [], limit: 100, ...wanted },
      query,
    );
  }
});

test('a wrong parameter is answered with 400 and what is expected', async (t) => {
  const { json, errors } = await appRig(t);
  const long = 'x'.repeat(10_000);
  for (const [query, error] of [
    ['state=up', 'state: expected down or unknown, got "up"'],
    ['open=perhaps', 'open: expected true or false, got "perhaps"'],
    ['label=carrier', 'label: expected NAME=VALUE, got "carrier"'],
    ['label==acme', 'label: expected NAME=VALUE, got "=acme"'],
    ['limit=0', 'limit: expected an integer from 1 to 1000, got "0"'],
    ['limit=1001', 'limit: expected an integer from 1 to 1000, got "1001"'],
    ['limit=1e2', 'limit: expected an integer from 1 to 1000, got "1e2"'],
    ['before=-1', 'before: expected an integer from 1 to 9007199254740991, got "-1"'],
    ['before=99999999999999999', /before: expected an integer from 1 to/],
    [`q=${'x'.repeat(201)}`, 'q: expected at most 200 characters, got 201'],
    ['owner=a&owner=b', 'owner: expected one value, got several'],
    [`state=${long}`, /^state: expected down or unknown, got "x{100,120}\.\.\.$/],
    [`label=${long}`, /^label: expected NAME=VALUE, got "x{100,120}\.\.\.$/],
  ] as const) {
    const { status, body } = await json(`${PATH}?${query}`);
    assert.equal(status, 400, query.slice(0, 50));
    const { error: given } = body as { error: string };
    if (typeof error === 'string') assert.equal(given, error);
    else assert.match(given, error);
  }
  assert.deepEqual(errors, []);
});

test('parameters of 100 KB are refused, and the server goes on', async (t) => {
  const { get, json, errors } = await appRig(t);
  const answer = await get(`${PATH}?destination=${'x'.repeat(100_000)}`);
  assert.equal(answer.status, 431);
  assert.equal(
    await answer.text(),
    'expected a URL and headers of at most 16384 bytes together, got more\n',
  );
  assert.deepEqual(await json(PATH), { status: 200, body: EMPTY });
  assert.deepEqual(errors, []);
});

test('hostile names, labels and reasons come back as they are, as the document describes them', async (t) => {
  const rig = incidentsRig();
  const name = '"><script>alert(1)</script>\u2028';
  const { destination } = change(name, { __proto__: '</script>', label: '\ud800\0' });
  rig.become(name, 'down', { destination, reason: 'code', detail: '<b>', sipCode: 503 });
  rig.become('b', 'unknown');
  rig.become('b', 'up');
  const { get } = await appRig(t, { incidents: rig.incidents });
  const answer = await get(`${PATH}?destination=${encodeURIComponent(name)}`);
  assert.match(answer.headers.get('content-type') ?? '', /^application\/json/);
  const body: unknown = await answer.json();
  isComponent('Incidents', body);
  assert.deepEqual(
    body,
    JSON.parse(
      JSON.stringify({
        ...rig.incidents.list({ ...ALL, destination: name, limit: 1 }),
        next: null,
      }),
    ),
  );
  isComponent('Incidents', await (await get(PATH)).json());
});
