import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hashSync } from 'bcryptjs';
import type { AvailabilityView, RangeView, StatusView } from '../../src/status/page-views.js';
import { Authority } from '../support/certificates.js';
import { startExporter } from '../support/exporter.js';
import { eventually, folder } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { prometheusWith, recorded } from '../support/recorded.js';
import { needs } from '../support/tools.js';

/** Names that would be a pattern, the end of a string, another metric or a new line of a query. */
const HOSTILE = [
  'a.b',
  'axb',
  'a|b',
  '.*',
  '"} or vector(9) or x{y="',
  '\\',
  '\\"',
  "it's `code` {{ $x }}",
  'sip:ü@[2001:db8::1]:5060;x=(y)?*+^$#',
];

const share = (index: number) => (index + 1) / 16;

test(
  'days, weeks and months come from Prometheus, of every name as it is, over all exporters',
  needs('prometheus', 'promtool'),
  async (t) => {
    const prometheus = await prometheusWith(
      t,
      recorded([
        ...HOSTILE.map((name, i) => [name, 'a', share(i)] as const),
        ...([
          ['twice', 'a', 0.5],
          ['twice', 'b', 1],
        ] as const),
        ['not ours', 'a', 0.1],
      ]),
    );
    const names = [...HOSTILE, 'twice', 'new'];
    const exporter = await startExporter(t, {
      web: { prometheus_url: prometheus.url },
      destinations: names.map((name) => ({ uri: 'sip:192.0.2.1', name })),
    });
    await eventually(
      'Prometheus is ready',
      async () => (await fetch(`${prometheus.url}/-/ready`)).ok,
    );
    const query = [...names, 'not ours'].map((name) => `destination=${encodeURIComponent(name)}`);
    const text = await exporter.get(`/api/v1/availability?${query.join('&')}`);
    const { spans } = JSON.parse(text) as AvailabilityView;
    for (const span of ['day', 'week', 'month'] as const) {
      const values = Object.entries(spans[span]).map(([name, value]) => [name, value?.toFixed(6)]);
      const expected = HOSTILE.map((name, i) => [name, share(i).toFixed(6)]);
      assert.deepEqual(values, [...expected, ['twice', '0.750000'], ['new', undefined]], span);
    }
    for (const [i, name] of HOSTILE.entries()) {
      const own = await exporter.get(`/api/v1/availability?${query[i]}`);
      const { day } = (JSON.parse(own) as AvailabilityView).spans;
      assert.equal(day[name]?.toFixed(6), share(i).toFixed(6), name);
    }
    const known = { day: 289, week: 49, quarter: 8 };
    for (const [span, least] of Object.entries(known)) {
      const range = await exporter.get(`/api/v1/range?span=${span}&${query[4]}`);
      const { at, rtt, availability } = JSON.parse(range) as RangeView;
      assert.deepEqual([rtt.length, availability.length], [at.length, at.length]);
      const shares = availability.filter((value) => value !== null);
      // The data of the day ends at most five minutes ago.
      assert.ok(shares.length >= least - 1, `${span}: ${shares.length}`);
      assert.deepEqual(
        [...new Set(shares.map((value) => value.toFixed(6)))],
        [share(4).toFixed(6)],
      );
      const times = rtt.filter((value) => value !== null).map((value) => value.toFixed(6));
      assert.deepEqual([...new Set(times)], [(share(4) / 10).toFixed(6)]);
      assert.equal(
        availability[0] === null,
        span !== 'day',
        'before the first value there is none',
      );
    }
    await prometheus.stop();
    const other = await fetch(`${exporter.url}/api/v1/range?span=week&${query[0]}`);
    assert.equal(other.status, 502);
    const { error } = (await other.json()) as { error: string };
    const at = prometheus.url.slice('http://'.length);
    assert.equal(
      error,
      `Prometheus at ${prometheus.url}: expected a response, got connect ECONNREFUSED ${at}`,
    );
  },
);

test('a reload sets and removes Prometheus', needs('prometheus'), async (t) => {
  const exporter = await startExporter(t, { destinations: ['192.0.2.1'] });
  const ask = async () => {
    const answer = await fetch(`${exporter.url}/api/v1/availability?destination=sip:192.0.2.1`);
    return [answer.status, (await answer.json()) as { error?: string; spans?: unknown }] as const;
  };
  const [status, { error }] = await ask();
  assert.deepEqual(
    [status, error],
    [501, 'set web.prometheus_url (--web.prometheus_url=URL) to ask Prometheus'],
  );
  const prometheus = await startPrometheus(t, []);
  await eventually(
    'Prometheus is ready',
    async () => (await fetch(`${prometheus.url}/-/ready`)).ok,
  );
  const reload = async (web: object) => {
    writeFileSync(exporter.configFile, JSON.stringify({ web, destinations: ['192.0.2.1'] }));
    assert.equal((await exporter.post('/-/reload', '')).status, 200);
  };
  const web = async () =>
    (JSON.parse(await exporter.get('/api/v1/status')) as Pick<StatusView, 'web'>).web;
  const without = { admin: false, prometheus: false, alertmanager: false, links: {} };
  assert.deepEqual(await web(), without);
  const links = { Wiki: 'https://wiki.example/{destination}' };
  await reload({ prometheus_url: prometheus.url, links });
  assert.deepEqual(await web(), { ...without, prometheus: true, links });
  const value = { 'sip:192.0.2.1': null };
  assert.deepEqual(await ask(), [200, { spans: { day: value, week: value, month: value } }]);
  await reload({});
  assert.equal((await ask())[0], 501);
});

test(
  'a Prometheus with TLS and a password is asked with both, and one that is refused says so',
  needs('prometheus', 'openssl'),
  async (t) => {
    const root = Authority.root(t);
    const { certFile, keyFile } = root.issue({ name: 'prometheus', alternative: 'IP:127.0.0.1' });
    const path = folder(t);
    const [web, password] = [join(path, 'web.json'), join(path, 'password')];
    const users = { monitor: hashSync('right', 4) };
    const server = { cert_file: certFile, key_file: keyFile };
    writeFileSync(web, JSON.stringify({ tls_server_config: server, basic_auth_users: users }));
    writeFileSync(password, 'right\n');
    const prometheus = await startPrometheus(t, [], {}, [`--web.config.file=${web}`]);
    const url = prometheus.url.replace('http:', 'https:');
    const exporter = await startExporter(t, { destinations: ['192.0.2.1'] });
    const ask = async (more: object) => {
      const config = {
        destinations: ['192.0.2.1'],
        web: { prometheus_url: { url, tls_config: { ca_file: root.caFile }, ...more } },
      };
      writeFileSync(exporter.configFile, JSON.stringify(config));
      assert.equal((await exporter.post('/-/reload', '')).status, 200);
      const answer = await fetch(`${exporter.url}/api/v1/availability?destination=sip:192.0.2.1`);
      const { error = '' } = (await answer.json()) as { error?: string };
      return `${answer.status} ${error.replace(/^.*: expected /, '')}`;
    };
    const basicAuth = { username: 'monitor', password_file: password };
    await eventually(
      'Prometheus answers',
      async () => (await ask({ basic_auth: basicAuth })) === '200 ',
    );
    const refused = '502 status 200, got 401 (see the credentials in web.prometheus_url)';
    assert.equal(await ask({}), refused);
    assert.equal(await ask({ basic_auth: { username: 'monitor', password: 'wrong' } }), refused);
    assert.equal(await ask({ authorization: { credentials: 'token' } }), refused);
    assert.match(
      await ask({ basic_auth: basicAuth, tls_config: {} }),
      /^502 a response, got unable to (verify|get)/,
    );
  },
);
