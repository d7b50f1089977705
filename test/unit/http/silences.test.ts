import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { AppOptions } from '../../../src/http/app.js';
import type { SilenceView } from '../../../src/status/page-views.js';
import type { NewSilence } from '../../../src/upstream/silences.js';
import { UpstreamError } from '../../../src/upstream/upstream-error.js';
import { appRig } from '../../support/app-rig.js';
import { IDLE_SETTINGS, idleApp } from '../../support/idle-app.js';
import { isDescribed } from '../../support/openapi.js';

const VIEW: SilenceView = {
  ...{ id: 'a1', state: 'active', created_by: 'alice', comment: 'c' },
  matchers: [{ name: 'destination', value: 'gw', is_regex: false, is_equal: true }],
  ...{ starts_at: '2026-01-01T00:00:00.000Z', ends_at: '2026-01-01T02:00:00.000Z' },
};

async function silencesRig(
  t: TestContext,
  change: Partial<ReturnType<AppOptions['settings']>> = {},
  more: Partial<AppOptions> = {},
) {
  const made: NewSilence[] = [];
  const ended: string[] = [];
  const rig = await appRig(t, {
    settings: () => ({ ...IDLE_SETTINGS, isAdminEnabled: true, ...change }),
    upstream: {
      ...idleApp().upstream,
      silences: {
        list: async () => [VIEW],
        create: async (silence) => {
          made.push(silence);
          return 'b2';
        },
        end: async (id) => {
          ended.push(id);
          return id === 'a1';
        },
      },
    },
    ...more,
  });
  rig.add('gw', { labels: { carrier: 'acme', 'service.name': 'x' } });
  rig.add('gw2', { labels: { carrier: 'zeta' } });
  const silence = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${rig.url}/api/v1/silences`, {
      ...{ method: 'POST', headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const end = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${rig.url}/api/v1/silences/${id}`, { method: 'DELETE', headers });
  return { ...rig, made, ended, silence, end };
}

const GOOD = { destination: 'gw', duration: 3_600, comment: 'maintenance' };
const POST = ['post', '/api/v1/silences'] as const;

test('the silences are listed as the document says, also without the admin flag', async (t) => {
  const { get } = await silencesRig(t, { isAdminEnabled: false });
  const answer = await get('/api/v1/silences');
  assert.deepEqual(await isDescribed('get', '/api/v1/silences', answer), { silences: [VIEW] });
});

describe('a silence is made', () => {
  for (const [what, target, matchers] of [
    ['of a destination', { destination: 'gw' }, [['destination', 'gw', false]]],
    ['of several', { destinations: ['gw2', 'gw', 'gw'] }, [['destination', 'gw2|gw', true]]],
    ['of a list of one', { destinations: ['gw'] }, [['destination', 'gw', false]]],
    [
      'of a label',
      { label: { name: 'carrier', value: 'acme' } },
      [
        ['carrier', 'acme', false],
        ['destination', '.+', true],
      ],
    ],
  ] as const) {
    test(what, async (t) => {
      const { made, silence } = await silencesRig(t);
      const { destination: _, ...rest } = GOOD;
      const answer = await silence({ ...rest, ...target });
      assert.equal(answer.status, 201);
      assert.deepEqual(await isDescribed(...POST, answer), { id: 'b2' });
      assert.deepEqual(made, [
        {
          matchers: matchers.map(([name, value, is_regex]) => ({
            ...{ name, value, is_regex, is_equal: true },
          })),
          ...{ durationMs: 3_600_000, comment: 'maintenance', createdBy: 'status page' },
        },
      ]);
    });
  }

  test('by the user of basic authentication, else by the one that the request names', async (t) => {
    const login: AppOptions['guards'] = [
      (request, response, next) => {
        if (request.headers['x-user'] !== undefined) {
          response.locals['user'] = request.headers['x-user'];
        }
        next();
      },
    ];
    const { made, silence } = await silencesRig(t, {}, { guards: login });
    await silence({ ...GOOD, created_by: 'bob' });
    await silence({ ...GOOD, created_by: 'bob' }, { 'x-user': 'alice' });
    await silence({ ...GOOD, created_by: '' });
    assert.deepEqual(
      made.map(({ createdBy }) => createdBy),
      ['bob', 'alice', 'status page'],
    );
  });
});

describe('a silence is refused with a sentence:', () => {
  const DURATION = 'duration: expected seconds from 60 (a minute) to 7776000 (90 days), got';
  const TARGETS = 'expected one of destination, destinations, label, got';
  const { destination: _, ...NOBODY } = GOOD;
  for (const [what, body, status, error] of [
    ['no JSON', '{', 400, 'expected a JSON object, got a text that is not JSON'],
    ['a list', [], 400, 'expected a JSON object, got a list'],
    ['no duration', { ...GOOD, duration: undefined }, 400, `${DURATION} none`],
    ['no time', { ...GOOD, duration: 0 }, 400, `${DURATION} 0`],
    ['less than no time', { ...GOOD, duration: -60 }, 400, `${DURATION} -60`],
    ['ten years', { ...GOOD, duration: 315_360_000 }, 400, `${DURATION} 315360000`],
    ['a duration as a text', { ...GOOD, duration: '1h' }, 400, `${DURATION} "1h"`],
    [
      'a duration without an end',
      '{"destination":"gw","comment":"x","duration":1e999}',
      ...([400, `${DURATION} Infinity`] as const),
    ],
    [
      'no comment',
      { ...GOOD, comment: undefined },
      400,
      'comment: expected 1 to 1000 characters, got nothing',
    ],
    [
      'an empty comment',
      { ...GOOD, comment: ' \n' },
      400,
      'comment: expected 1 to 1000 characters, got 0',
    ],
    [
      'a long comment',
      { ...GOOD, comment: 'x'.repeat(1_001) },
      400,
      'comment: expected 1 to 1000 characters, got 1001',
    ],
    ['nobody', NOBODY, 400, `${TARGETS} none`],
    [
      'two targets',
      { ...GOOD, destinations: ['gw'] },
      400,
      `${TARGETS} destination and destinations`,
    ],
    [
      'an empty list',
      { ...NOBODY, destinations: [] },
      400,
      'destinations: expected 1 to 1000 names, got 0',
    ],
    [
      'a name as a list',
      { ...NOBODY, destinations: 'gw' },
      400,
      'destinations: expected 1 to 1000 names, got a text',
    ],
    ['a number', { ...NOBODY, destination: 7 }, 400, 'destination: expected names, got a number'],
    [
      'too many',
      { ...NOBODY, destinations: Array.from({ length: 1_001 }, () => 'gw') },
      ...([400, 'destinations: expected 1 to 1000 names, got 1001'] as const),
    ],
    ['an unknown destination', { ...GOOD, destination: 'gx' }, 404, 'no such destination: gx'],
    [
      'one unknown destination of two',
      { ...NOBODY, destinations: ['gw', 'gx'] },
      404,
      'no such destination: gx',
    ],
    [
      'a label without a value',
      { ...NOBODY, label: { name: 'carrier' } },
      400,
      'label: expected name and value, got a mapping',
    ],
    [
      'a label that no destination has',
      { ...NOBODY, label: { name: 'carrier', value: 'other' } },
      ...([404, 'no destination has carrier=other'] as const),
    ],
    [
      'a label of Prometheus, whether a destination has it or not',
      { ...NOBODY, label: { name: 'job', value: 'b' } },
      400,
      'label: the alerts have another label job, of Prometheus or of the rules; silence destinations instead',
    ],
    [
      'a label of all objects',
      { ...NOBODY, label: { name: '__proto__', value: 'x' } },
      ...([404, 'no destination has __proto__=x'] as const),
    ],
    [
      'a label that alerts may have under another name',
      { ...NOBODY, label: { name: 'service.name', value: 'x' } },
      400,
      'label: the alerts may have another name for the label service.name, which only newer versions of Prometheus and Alertmanager allow; silence destinations instead',
    ],
    [
      'another member',
      { ...GOOD, commment: 'x' },
      400,
      'expected destination, destinations, label, duration, comment, created_by, got "commment" (nearest: "comment")',
    ],
    [
      'a creator with control characters',
      { ...GOOD, created_by: 'a\n' },
      400,
      'created_by: expected 1 to 128 printable characters, got "a\\n"',
    ],
  ] as const) {
    test(what, async (t) => {
      const { silence, made } = await silencesRig(t);
      const answer = await silence(body);
      assert.equal(answer.status, status);
      assert.deepEqual(await isDescribed(...POST, answer), { error });
      assert.deepEqual(made, []);
    });
  }

  test('names that are too long together', async (t) => {
    const { silence, add, made } = await silencesRig(t);
    const destinations = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(256, 'x'));
    for (const name of destinations) add(name);
    const answer = await silence({ ...NOBODY, destinations });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /at most 65536 characters in total, got 77099; a label may/);
    assert.equal(
      (await silence({ ...NOBODY, destinations: destinations.slice(0, 200) })).status,
      201,
    );
    assert.equal(made.length, 1);
  });

  test('a request of megabytes', async (t) => {
    const { silence } = await silencesRig(t);
    const answer = await silence({ ...GOOD, comment: 'x'.repeat(2 << 20) });
    assert.equal(answer.status, 413);
    await isDescribed(...POST, answer);
  });

  test('a label that metrics.labels leaves out', async (t) => {
    const label = { name: 'carrier', value: 'acme' };
    for (const [filter, why] of [
      [{ keptLabels: ['site'] }, 'it is not in metrics.labels.keep'],
      [{ droppedLabels: ['carrier'] }, 'it is in metrics.labels.drop'],
    ] as const) {
      const metrics = { ...IDLE_SETTINGS.metrics, ...filter };
      const { silence, made } = await silencesRig(t, { metrics });
      const answer = await silence({ ...NOBODY, label });
      assert.equal(answer.status, 400);
      assert.deepEqual(await answer.json(), {
        error: `label: the alerts do not have the label carrier, because ${why}; silence destinations instead`,
      });
      assert.deepEqual(made, []);
    }
  });
});

describe('a silence ends', () => {
  const DELETE = ['delete', '/api/v1/silences/{id}'] as const;

  test('by its ID; another ID is 404', async (t) => {
    const { end, ended } = await silencesRig(t);
    const answer = await end('a1');
    assert.equal(answer.status, 204);
    await isDescribed(...DELETE, answer);
    const other = await end('b9');
    assert.equal(other.status, 404);
    assert.deepEqual(await isDescribed(...DELETE, other), { error: 'no such silence: b9' });
    assert.equal((await end('..%2Fx')).status, 404);
    assert.equal((await end('x'.repeat(10_000))).status, 404);
    assert.deepEqual(ended, ['a1', 'b9']);
  });
});

test('without the admin flag no silence is made or ended', async (t) => {
  const { silence, end, made, ended } = await silencesRig(t, { isAdminEnabled: false });
  const error = 'not allowed; start the exporter with --web.enable-admin-api';
  const refused = await silence(GOOD);
  assert.equal(refused.status, 403);
  assert.deepEqual(await isDescribed(...POST, refused), { error });
  assert.equal((await end('a1')).status, 403);
  assert.deepEqual([made, ended], [[], []]);
});

test('a page of another site cannot make or end a silence', async (t) => {
  const { silence, end, made, ended } = await silencesRig(t);
  for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
    assert.equal((await silence(GOOD, headers)).status, 403);
    assert.equal((await end('a1', headers)).status, 403);
  }
  assert.deepEqual([made, ended], [[], []]);
  assert.equal((await silence(GOOD, { 'sec-fetch-site': 'same-origin' })).status, 201);
});

test('an Alertmanager that fails is 502 with the reason, and one that is not set 501', async (t) => {
  for (const status of [501, 502] as const) {
    const fail = () => Promise.reject(new UpstreamError(status, 'why'));
    const silences = { list: fail, create: fail, end: fail };
    const rig = await silencesRig(t, {}, { upstream: { ...idleApp().upstream, silences } });
    for (const answer of [
      await rig.get('/api/v1/silences'),
      await rig.silence(GOOD),
      await rig.end('a1'),
    ]) {
      assert.equal(answer.status, status);
      assert.deepEqual(await answer.json(), { error: 'why' });
    }
    assert.deepEqual(rig.errors, []);
  }
});

test('other methods get 405 with the allowed ones', async (t) => {
  const { url } = await silencesRig(t);
  for (const [path, allowed] of [
    ['silences', 'GET, HEAD, POST'],
    ['silences/a1', 'DELETE'],
  ] as const) {
    const answer = await fetch(`${url}/api/v1/${path}`, { method: 'PUT' });
    assert.deepEqual([answer.status, answer.headers.get('allow')], [405, allowed]);
  }
});
