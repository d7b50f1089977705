import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { isMapping } from '../../../src/platform/values.js';
import { parseYaml } from '../../../src/platform/yaml.js';
import {
  alertLabels,
  labelProblem,
  type Matcher,
  matchersFor,
  mayFit,
} from '../../../src/upstream/silence-matchers.js';
import { Silences } from '../../../src/upstream/silences.js';
import { statusRig } from '../../support/status-rig.js';
import { type Asked, httpSettings, upstreamRig } from '../../support/upstream-rig.js';

/** `name=value`, `!=`, `=~` or `!~`, as Alertmanager writes matchers. */
function matcher(text: string): Matcher {
  const [, name = '', operator, value = ''] = /^(\w+)(!=|=~|!~|=)(.*)$/s.exec(text) ?? [];
  return {
    ...{ name, value, is_regex: operator === '=~' || operator === '!~' },
    is_equal: operator === '=' || operator === '=~',
  };
}

const text = ({ name, value, is_regex, is_equal }: Matcher) =>
  `${name}${is_equal ? (is_regex ? '=~' : '=') : is_regex ? '!~' : '!='}${value}`;

describe('the matchers of a silence', () => {
  test('are the name of a destination, or a list of names as an exact pattern', () => {
    const of = (...destinations: string[]) => matchersFor({ destinations }).map(text);
    assert.deepEqual(of('a.b'), ['destination=a.b']);
    assert.deepEqual(of('a.b', 'c|d', 'sip:[::1]'), [
      String.raw`destination=~a\.b|c\|d|sip:\[::1\]`,
    ]);
  });

  test('of a label never fit an alert on an exporter', () => {
    const matchers = matchersFor({ label: { name: 'carrier', value: 'acme' } });
    assert.deepEqual(matchers.map(text), ['carrier=acme', 'destination=~.+']);
  });
});

test('every alert of the rules has the prefix by which silences are recognized', () => {
  const rules = parseYaml(readFileSync('rules/sip-keepalive-alerts.yml', 'utf8'));
  const groups = isMapping(rules) && Array.isArray(rules['groups']) ? rules['groups'] : [];
  const alerts = groups.flatMap((group: { rules: { alert?: string }[] }) =>
    group.rules.flatMap(({ alert }) => (alert === undefined ? [] : [alert])),
  );
  assert.ok(alerts.length > 20);
  for (const alert of alerts) assert.match(String(alert), /^SipKeepalive/);
});

describe('a label', () => {
  test('is refused if alerts do not have it as it is', () => {
    const all = { keptLabels: undefined, droppedLabels: undefined };
    assert.equal(labelProblem('carrier', all), undefined);
    for (const [name, filter, why] of [
      ['carrier', { ...all, keptLabels: ['site'] }, 'because it is not in metrics.labels.keep'],
      ['carrier', { ...all, droppedLabels: ['carrier'] }, 'because it is in metrics.labels.drop'],
      ['job', all, 'another label job, of Prometheus or of the rules'],
      ['severity', all, 'another label severity, of Prometheus or of the rules'],
      ['service.name', all, 'another name for the label service.name'],
    ] as const) {
      assert.ok(labelProblem(name, filter)?.includes(why), labelProblem(name, filter));
    }
    assert.equal(labelProblem('carrier', { ...all, keptLabels: ['carrier'] }), undefined);
  });
});

describe('silences of others', () => {
  const rig = statusRig();
  rig.add('gw-a', { labels: { carrier: 'acme' } });
  rig.add('gw-b', { labels: { carrier: 'zeta', site: 'fra' } });
  const labels = alertLabels(rig.status.registry.all().map(({ destination }) => destination));

  for (const [matchers, fits] of [
    [['destination=gw-a'], true],
    [['destination=gw-x'], false],
    [['destination=~gw-x|gw-b'], true],
    [['destination=~gw-x|gw-y'], false],
    [['destination=~gw-[xy]'], true],
    [['destination!=gw-a'], true],
    [[String.raw`destination=~gw\-a`], true],
    [['carrier=acme'], true],
    [['carrier=other'], false],
    [['carrier='], true],
    [['carrier!~acme|zeta'], true],
    [['site=fra', 'alertname=SipKeepaliveLoss'], true],
    [['alertname=SipKeepaliveExporterDown'], true],
    [['alertname=HostDown'], false],
    [['alertname=~HostDown|DiskFull'], false],
    [['alertname=~Sip.*'], true],
    [['alertname!=HostDown'], true],
    [['severity=warning'], true],
    [['severity=info'], false],
    [['cluster=fra'], true],
    [['cluster=fra', 'alertname=HostDown'], false],
    [['destination=~(a+)+$'], true],
  ] as const) {
    test(`with ${matchers.join(' and ')} ${fits ? 'may fit' : 'are left out'}`, () => {
      assert.equal(mayFit(matchers.map(matcher), labels), fits);
    });
  }
});

const SILENCE = {
  id: 'a1',
  status: { state: 'active' },
  matchers: [{ name: 'destination', value: 'gw', isRegex: false, isEqual: true }],
  startsAt: '2026-01-01T00:00:00.5Z',
  endsAt: '2026-01-01T02:00:00+00:00',
  ...{ createdBy: 'alice', comment: 'maintenance', updatedAt: '2026-01-01T00:00:00Z' },
};

function silencesThat(answer: (asked: Asked) => unknown) {
  const rig = upstreamRig('Alertmanager', answer);
  const { status, add } = statusRig();
  add('gw');
  const { server, clock } = rig;
  const silences = new Silences({ server, clock, registry: status.registry });
  return { ...rig, silences };
}

describe('the list of silences', () => {
  test('has the active and pending ones that may fit, the first to end first', async () => {
    const { silences, asked } = silencesThat(() => [
      { ...SILENCE, id: 'later', status: { state: 'pending' }, endsAt: '2027-01-01T00:00:00Z' },
      { ...SILENCE, id: 'ended', status: { state: 'expired' } },
      { ...SILENCE, id: 'other', matchers: [{ name: 'alertname', value: 'x', isRegex: false }] },
      SILENCE,
    ]);
    const all = await silences.list();
    assert.deepEqual(
      all.map(({ id }) => id),
      ['a1', 'later'],
    );
    assert.deepEqual(all[0], {
      ...{ id: 'a1', state: 'active', created_by: 'alice', comment: 'maintenance' },
      matchers: [{ name: 'destination', value: 'gw', is_regex: false, is_equal: true }],
      starts_at: '2026-01-01T00:00:00.500Z',
      ends_at: '2026-01-01T02:00:00.000Z',
    });
    assert.deepEqual(
      asked.map(({ method, url }) => [method, url]),
      [['GET', 'http://upstream.example:9090/prefix/api/v2/silences']],
    );
  });

  test('is kept for 15 s and shared, and forgotten after a change and a reload', async () => {
    const { silences, asked, clock, use } = silencesThat(({ method }) =>
      method === 'GET' ? [SILENCE] : method === 'POST' ? { silenceID: 'b2' } : undefined,
    );
    const lists = () => asked.filter(({ method }) => method === 'GET').length;
    await Promise.all([silences.list(), silences.list()]);
    clock.advance(14_999);
    await silences.list();
    assert.equal(lists(), 1);
    clock.advance(1);
    await silences.list();
    assert.equal(lists(), 2);
    const made = { matchers: [], durationMs: 60_000, comment: 'x', createdBy: 'y' };
    await silences.create(made);
    await silences.list();
    assert.equal(lists(), 3);
    use(httpSettings('http://upstream.example'));
    await silences.list();
    assert.equal(lists(), 4);
  });

  for (const [what, json, got] of [
    ['no list', { status: 'success', data: [] }, 'a list of silences, got a mapping'],
    ['nothing', undefined, 'a list of silences, got nothing'],
    ['texts', ['x'], 'silences as mappings, got a text'],
    ['no status', [{ ...SILENCE, status: undefined }], 'silences as mappings, got nothing'],
    [
      'another state',
      [{ ...SILENCE, status: { state: 'x' } }],
      'silences with id, status and matchers, got others',
    ],
    [
      'no matchers',
      [{ ...SILENCE, matchers: {} }],
      'silences with id, status and matchers, got others',
    ],
    ['no times', [{ ...SILENCE, endsAt: 'soon' }], 'times of silences, got a text'],
  ] as const) {
    test(`with ${what} is an error that says what was expected`, async () => {
      await assert.rejects(silencesThat(() => json).silences.list(), {
        message: `Alertmanager at http://upstream.example:9090/prefix/: expected ${got}`,
      });
    });
  }
});

describe('a silence', () => {
  test('starts at once, also if the clock of Alertmanager is behind, and has its matchers', async () => {
    const { silences, asked, clock } = silencesThat(() => ({ silenceID: 'b2' }));
    const id = await silences.create({
      ...{ durationMs: 7_200_000, comment: 'c', createdBy: 'bob' },
      matchers: [matcher('destination=~a|b')],
    });
    assert.equal(id, 'b2');
    assert.deepEqual(JSON.parse(asked[0]?.body ?? ''), {
      matchers: [{ name: 'destination', value: 'a|b', isRegex: true, isEqual: true }],
      startsAt: new Date(clock.epoch() - 3_600_000).toISOString(),
      endsAt: new Date(clock.epoch() + 7_200_000).toISOString(),
      ...{ createdBy: 'bob', comment: 'c' },
    });
  });

  test('without an ID in the answer is an error', async () => {
    const { silences } = silencesThat(() => []);
    const made = { matchers: [], durationMs: 60_000, comment: 'x', createdBy: 'y' };
    await assert.rejects(silences.create(made), /expected silenceID in its answer, got a list$/);
  });

  test('ends only if it is one that the list has', async () => {
    const { silences, asked } = silencesThat(({ method }) =>
      method === 'GET'
        ? [SILENCE, { ...SILENCE, id: 'old', status: { state: 'expired' } }]
        : undefined,
    );
    assert.equal(await silences.end('old'), false);
    assert.equal(await silences.end('none'), false);
    assert.equal(await silences.end('a1'), true);
    const ended = asked.filter(({ method }) => method === 'DELETE').map(({ url }) => url);
    assert.deepEqual(ended, ['http://upstream.example:9090/prefix/api/v2/silence/a1']);
  });
});
