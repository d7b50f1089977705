/** The text formats of /metrics, read by the parsers of others. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, runToEnd } from '../support/process.js';
import { installParser } from '../support/prometheus-client.js';
import { needs } from '../support/tools.js';

const OPENMETRICS = 'application/openmetrics-text;version=1.0.0';
const TEXT = 'text/plain;version=1.0.0';
const RTT = 'sip_keepalive_rtt_seconds';

const SETTINGS = [
  { histograms: 'both', created: true },
  { histograms: 'native', created: true },
  { histograms: 'native', created: false },
  { histograms: 'classic', created: false },
] as const;

/** The label `service.name`, as each escaping writes it. */
const NAMES = {
  'allow-utf-8': 'service.name',
  underscores: 'service_name',
  dots: 'service_dot_name',
  values: 'U__service_2e_name',
};
const VALUE = 'a "b" \\ \u00fc\n';

for (const { histograms, created } of SETTINGS) {
  const settings = `${histograms} histograms and ${created ? 'created times' : 'no created times'}`;
  test(
    `prometheus_client of PyPI and promtool read every line with ${settings}`,
    needs('python3', 'pip3', 'promtool'),
    async (t) => {
      const parse = installParser(t);
      if (typeof parse === 'string') return t.skip(parse);
      const farEnd = await startFarEnd(t, 'udp', (request, good) => [
        request.startsWith('OPTIONS sip:bad@') ? good.replace('200 OK', '503 Busy') : good,
      ]);
      const exporter = await startExporter(t, {
        ping_interval: 1,
        metrics: { histograms, created },
        destinations: [
          ...['good', 'bad'].map((user) => ({
            name: user,
            uri: `sip:${user}@127.0.0.1:${farEnd.port}`,
            labels: { 'service.name': VALUE },
          })),
          { name: 'tcp', uri: 'sip:127.0.0.1:9;transport=tcp' },
          { name: 'named', uri: 'sip:nowhere.invalid' },
        ],
      });
      const get = async (type: string, escaping: string) =>
        exporter.get('/metrics', { accept: `${type};escaping=${escaping}` });
      await eventually('exemplars of a failure and of a round trip', async () => {
        const text = await get(OPENMETRICS, 'underscores');
        const hasRtt = histograms === 'native' || /_bucket\{destination="good".* # \{/.test(text);
        return hasRtt && /destination="bad".* # \{.*sip_code="503"/.test(text);
      });

      for (const [escaping, label] of Object.entries(NAMES)) {
        for (const [format, type] of [
          ['openmetrics', OPENMETRICS],
          ['text', TEXT],
        ] as const) {
          const families = parse(format, await get(type, escaping));
          const isOpen = format === 'openmetrics';
          const rtt = families.find(({ name }) => name === RTT);
          assert.equal(rtt?.type, 'histogram');
          if (isOpen) assert.equal(rtt.unit, 'seconds');
          const good = rtt.samples.filter(({ labels }) => labels['destination'] === 'good');
          assert.ok(good.length > 0 && good.every(({ labels }) => labels[label] === VALUE));
          const buckets = good.filter(({ name }) => name === `${RTT}_bucket`);
          const inf = isOpen ? 1 : 0;
          assert.equal(buckets.length, histograms === 'native' ? inf : 14);
          const count = good.find(({ name }) => name === `${RTT}_count`)?.value ?? 0;
          assert.ok(count > 0);

          const samples = families.flatMap((family) => family.samples);
          const times = samples.filter(({ name }) => name.endsWith('_created'));
          assert.equal(times.length > 20, isOpen && created);
          const failures = families.find(({ name }) => /^sip_keepalive_ping_failures/.test(name));
          assert.equal(failures?.type, 'counter');
          const codes = failures.samples.flatMap(({ exemplar }) => exemplar?.['sip_code'] ?? []);
          assert.deepEqual(codes, isOpen ? ['503'] : []);
          const hasCallId = buckets.some(({ exemplar }) => exemplar?.['call_id'] !== undefined);
          assert.equal(hasCallId, isOpen && histograms !== 'native');
        }
      }
      const input = await exporter.get('/metrics');
      const { status, output } = runToEnd('promtool', ['check', 'metrics'], { input });
      assert.deepEqual([status, output], [0, '']);
    },
  );
}
