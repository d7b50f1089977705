import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { SilenceView } from '../../src/status/page-views.js';
import { startAlertmanager, startScraping } from '../support/alerting.js';
import { startExporter } from '../support/exporter.js';
import { eventually, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

interface AlertJson {
  readonly labels: Readonly<Record<string, string>>;
  readonly status: { readonly silencedBy: readonly string[] };
}

/** The URL of an Alertmanager that sends nothing. */
const startQuietAlertmanager = async (t: TestContext) =>
  `http://${await startAlertmanager(t, () => ({ global: {}, route: { receiver: 'x' }, receivers: [{ name: 'x' }] }))}`;

function amtool(url: string, ...args: readonly string[]): string {
  const { status, output } = runToEnd('amtool', [`--alertmanager.url=${url}`, ...args]);
  assert.equal(status, 0, output);
  return output;
}

test(
  'a silence of a label, a list and a name silences their alerts alone, until it is ended',
  needs('prometheus', 'prometheus-alertmanager', 'amtool'),
  async (t) => {
    const alertmanager = await startQuietAlertmanager(t);
    const carrier = (name: string) => ({ labels: { carrier: name } });
    const names = ['gw.1', 'gw|2', 'gwx1', 'other'];
    const exporter = await startExporter(
      t,
      {
        ...{ ping_interval: 1, web: { alertmanager_url: alertmanager } },
        destinations: names.map((name, i) => ({
          ...{ uri: `127.0.0.1:${i + 1}`, name },
          ...carrier(name.startsWith('gw') ? 'acme' : 'zeta'),
        })),
      },
      ['--web.enable-admin-api'],
    );
    const { host } = new URL(alertmanager);
    await startScraping(t, [{ url: exporter.url }], { alertmanager: host });
    const alerts = async () =>
      (await (await fetch(`${alertmanager}/api/v2/alerts`)).json()) as readonly AlertJson[];
    const down = async () => {
      const all = await alerts();
      return all.filter(({ labels }) => labels['alertname'] === 'SipKeepaliveDestinationDown');
    };
    await eventually('an alert of each', async () => (await down()).length === names.length);
    // As of an exporter whose scrape has the same label as a destination.
    amtool(alertmanager, 'alert', 'add', 'SipKeepaliveExporterDown', 'carrier=acme', 'instance=x');

    const silenced = async () => {
      const all = (await alerts()).filter(({ status }) => status.silencedBy.length > 0);
      const labelled = all.map(({ labels }) => labels['destination'] ?? labels['alertname'] ?? '');
      return [...new Set(labelled)].sort();
    };
    const isSilenced = (expected: readonly string[]) =>
      eventually(`silenced: ${expected.join(' ')}`, async () => {
        const found = await silenced();
        return JSON.stringify(found) === JSON.stringify(expected);
      });
    const listed = async () => {
      const { silences } = JSON.parse(await exporter.get('/api/v1/silences')) as {
        silences: readonly SilenceView[];
      };
      return silences;
    };
    for (const [target, expected] of [
      [{ label: { name: 'carrier', value: 'acme' } }, ['gw.1', 'gwx1', 'gw|2']],
      [{ destinations: ['gw.1', 'gw|2'] }, ['gw.1', 'gw|2']],
      [{ destination: 'other' }, ['other']],
    ] as const) {
      const body = { ...target, duration: 3_600, comment: 'ünter "Wartung"', created_by: 'bob' };
      const made = await exporter.post('/api/v1/silences', JSON.stringify(body));
      assert.equal(made.status, 201);
      const { id } = (await made.json()) as { id: string };
      await isSilenced(expected);
      const [silence, ...others] = await listed();
      assert.deepEqual(others, []);
      assert.deepEqual(
        [silence?.id, silence?.state, silence?.created_by, silence?.comment],
        [id, 'active', 'bob', 'ünter "Wartung"'],
      );
      const hours =
        (Date.parse(silence?.ends_at ?? '') - Date.parse(silence?.starts_at ?? '')) / 3_600_000;
      assert.ok(hours > 0.9 && hours < 1.1, `${hours}`);
      const seen = amtool(alertmanager, 'silence', 'query', '--output=json', '--created-by=bob');
      const parsed = JSON.parse(seen) as readonly { readonly id: string }[];
      assert.deepEqual(
        parsed.map((one) => one.id),
        [id],
      );
      const ended = await fetch(`${exporter.url}/api/v1/silences/${id}`, { method: 'DELETE' });
      assert.equal(ended.status, 204);
      assert.deepEqual(await listed(), []);
      await isSilenced([]);
      const again = await fetch(`${exporter.url}/api/v1/silences/${id}`, { method: 'DELETE' });
      assert.equal(again.status, 404);
    }
  },
);

test(
  'silences of others are listed if they may fit, and only those can be ended',
  needs('prometheus-alertmanager', 'amtool'),
  async (t) => {
    const alertmanager = await startQuietAlertmanager(t);
    const exporter = await startExporter(t, { destinations: [{ uri: '192.0.2.1', name: 'gw' }] }, [
      '--web.enable-admin-api',
      `--web.alertmanager_url=${alertmanager}`,
    ]);
    const add = (...matchers: string[]) =>
      amtool(alertmanager, 'silence', 'add', '--comment=x', '--author=eve', ...matchers).trim();
    const foreign = add('alertname=HostDown');
    const ours = add('alertname=~SipKeepalive.*', 'destination=gw');
    const maybe = add('cluster=fra', '--duration=2h');
    const answer = await exporter.get('/api/v1/silences');
    const { silences } = JSON.parse(answer) as { silences: readonly SilenceView[] };
    assert.deepEqual(
      silences.map(({ id, created_by }) => [id, created_by]),
      [
        [ours, 'eve'],
        [maybe, 'eve'],
      ],
    );
    const end = async (id: string) =>
      (await fetch(`${exporter.url}/api/v1/silences/${id}`, { method: 'DELETE' })).status;
    assert.deepEqual([await end(foreign), await end(ours)], [404, 204]);
    const left = amtool(alertmanager, 'silence', 'query', '--quiet').trim().split('\n');
    assert.deepEqual(left.sort(), [foreign, maybe].sort());
  },
);
