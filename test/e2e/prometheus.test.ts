import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { fakeDns, nxdomain } from '../support/dns-server.js';
import { startExporter } from '../support/exporter.js';
import { eventually, folder, runToEnd } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { needs } from '../support/tools.js';

test(
  'a real Prometheus scrapes the fleet, and queries have the expected results',
  needs('prometheus', 'promtool'),
  async (t) => {
    const fleet = await startFleet(folder(t));
    t.after(() => fleet.close());
    const exporter = await startExporter(t, {
      ping_interval: 2,
      ping_timeout: 1,
      destinations: fleet.members.map(({ name, uri, settings }) => ({
        name,
        uri,
        labels: { site: 'a "quoted" \\ place' },
        ...settings,
      })),
    });
    const prometheus = await startPrometheus(t, [
      {
        job_name: 'sip-keepalive',
        static_configs: [{ targets: [new URL(exporter.url).host] }],
      },
    ]);
    const query = (text: string) => prometheus.query(text, 'destination');
    await eventually('it has scraped', async () => (await query('up')).get('') === 1).catch(
      (error: unknown) => assert.fail(`${error}\n${prometheus.output()}`),
    );
    const known = fleet.members.length;
    const up = await eventually('all states', async () => {
      const values = await query('sip_keepalive_up{site="a \\"quoted\\" \\\\ place"}');
      return values.size === known && values;
    });
    for (const { name, verdict } of fleet.members) {
      assert.equal(up.get(name), verdict === 'down' ? 0 : 1, name);
    }
    assert.equal((await query('sip_keepalive_is_alive')).get('silent'), 2);

    const slow = 'histogram_quantile(0.5, sip_keepalive_rtt_seconds_bucket{destination="slow"})';
    const median = await eventually('a median', async () => (await query(slow)).get('slow'));
    assert.ok(median > 0.25, `the slow one answers after 0.3 s, got ${median}`);
    const rate = 'rate(sip_keepalive_pings_total[5s])';
    await eventually('a rate', async () => ((await query(rate)).get('fast') ?? 0) > 0);
  },
);

test('promtool finds no problem in the metrics', needs('promtool'), async (t) => {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const exporter = await startExporter(t, { destinations: fleet.members.map(({ uri }) => uri) });
  await eventually(
    'a verdict',
    async () => (await exporter.metric('sip_keepalive_up')) !== undefined,
  );
  const input = await exporter.get('/metrics');
  const check = runToEnd('promtool', ['check', 'metrics'], { input });
  assert.equal(check.output, '');
  assert.equal(check.status, 0);
});

/** As in the documentation of blackbox_exporter: the target is a parameter and the instance. */
const relabelled = (exporter: string, module: string, targets: readonly string[]) => ({
  job_name: `sip-probe-${module}`,
  metrics_path: '/probe',
  params: { module: [module] },
  static_configs: [{ targets }],
  relabel_configs: [
    { source_labels: ['__address__'], target_label: '__param_target' },
    { source_labels: ['__param_target'], target_label: 'instance' },
    { target_label: '__address__', replacement: exporter },
  ],
});

test(
  'a real Prometheus probes the fleet through /probe, as it does through blackbox_exporter',
  needs('prometheus'),
  async (t) => {
    const fleet = await startFleet(folder(t));
    t.after(() => fleet.close());
    const plain = fleet.members.filter((m) => Object.keys(m.settings ?? {}).length === 0);
    const [tls] = fleet.members.filter(({ name }) => name === 'tls');
    const dns = await fakeDns(t, nxdomain);
    const exporter = await startExporter(t, {
      dns: { servers: [dns.label] },
      modules: { secure: { tls_config: tls?.settings?.['tls_config'] ?? {} } },
    });
    const { host } = new URL(exporter.url);
    const prometheus = await startPrometheus(t, [
      relabelled(host, 'default', [...plain.map(({ uri }) => uri), 'sip:nowhere.invalid']),
      relabelled(host, 'secure', tls === undefined ? [] : [tls.uri]),
    ]);
    // Prometheus leaves half a second here, which is less than the first retransmission takes.
    const isSlow = (uri: string) => plain.some((m) => m.uri === uri && m.name === 'lossy');
    const known = plain.length + 1 + (tls === undefined ? 0 : 1);
    const success = await eventually('every one is probed', async () => {
      const values = await prometheus.query('probe_success', 'instance');
      const isRight = plain.every(({ uri, verdict }) => {
        return verdict !== 'up' || isSlow(uri) || values.get(uri) === 1;
      });
      return values.size === known && isRight && values;
    }).catch((error: unknown) => assert.fail(`${error}\n${prometheus.output()}`));
    for (const { name, uri, verdict } of plain) {
      // The flapping member may be up or down at the time of its probe.
      if (verdict !== 'flapping' && !isSlow(uri))
        assert.equal(success.get(uri), verdict === 'down' ? 0 : 1, name);
    }
    assert.equal(success.get('sip:nowhere.invalid'), 0);
    if (tls === undefined) return;
    assert.equal(success.get(tls.uri), 1);
    const days = await prometheus.query(
      '(probe_ssl_earliest_cert_expiry - time()) / 86400',
      'instance',
    );
    const left = days.get(tls.uri) ?? 0;
    assert.ok(left > 20 && left <= 21, `the certificate expires in ${left} days`);
    const reasons = await prometheus.query('probe_failure_info', 'reason');
    assert.ok(reasons.has('resolution') && reasons.has('refused') && reasons.has('timeout'));
  },
);

test('prometheus.yml and the example for probes are valid', needs('promtool'), (t) => {
  const [, example = ''] =
    /```yaml\n(scrape_configs:.*?)```/s.exec(readFileSync('docs/probe.md', 'utf8')) ?? [];
  const file = join(folder(t), 'example.yml');
  writeFileSync(file, example);
  for (const config of ['prometheus.yml', file]) {
    const check = runToEnd('promtool', ['check', 'config', config]);
    assert.equal(check.status, 0, check.output);
  }
});
