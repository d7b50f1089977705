import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../../demo/fleet.js';
import { DEFAULT_LINKS } from '../../deploy/rules/links.js';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { needs } from '../support/tools.js';

/** Recording rules without a value in this test, and why. */
const WITHOUT_VALUE: Readonly<Record<string, string>> = {
  'destination:sip_keepalive_up:avg30d': 'starts at the first full hour',
  'destination:sip_keepalive_draining:avg30d': 'starts at the first full hour',
  'destination:sip_keepalive_ping_loss:ratio_rate30d': 'starts at the first full hour',
  'destination:sip_keepalive_ping_failures:ratio_rate30d': 'starts at the first full hour',
  'destination:sip_keepalive_rtt_seconds:rate5m': 'needs native histograms',
  'destination:sip_keepalive_rtt_seconds:rate1h': 'needs native histograms',
};

interface Alert {
  readonly status: 'firing' | 'resolved';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The rules with `for: 0s` and an evaluation interval of 1 s. */
function fastRules(path: string): string[] {
  return readdirSync('rules')
    .filter((name) => name.endsWith('.yml'))
    .map((name) => {
      const text = readFileSync(join('rules', name), 'utf8')
        .replace(/^( *for:) .*$/gm, '$1 0s')
        .replace(/^( *interval:) .*$/gm, '$1 1s');
      writeFileSync(join(path, name), text);
      return join(path, name);
    });
}

/** Alertmanager with the configuration of deploy/, short waits, and this test as the receiver. */
async function startAlertmanager(t: TestContext) {
  const messages: (readonly Alert[])[] = [];
  const receiver = http.createServer((request, response) => {
    let body = '';
    request.on('data', (data) => {
      body += data;
    });
    request.on('end', () => {
      messages.push((JSON.parse(body) as { alerts: Alert[] }).alerts);
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    receiver.close();
    receiver.closeAllConnections();
  });
  const path = folder(t);
  const config = join(path, 'alertmanager.yml');
  const { port: receiverPort } = receiver.address() as AddressInfo;
  const text = readFileSync('deploy/alertmanager.yml', 'utf8')
    .replace(/^( *group_(?:wait|interval):) .*$/gm, '$1 1s')
    .replace(/http:\/\/localhost:\d+\/PLACEHOLDER/, `http://127.0.0.1:${receiverPort}/`);
  writeFileSync(config, text);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const alertmanager = run(t, 'prometheus-alertmanager', [
    `--config.file=${config}`,
    `--storage.path=${join(path, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  await eventually(
    'Alertmanager is ready',
    async () => (await fetch(`http://${address}/-/ready`)).ok,
  ).catch((error: unknown) => assert.fail(`${error}\n${alertmanager.output()}`));
  return { messages, address };
}

async function startScraping(t: TestContext, exporterUrl: string, alertmanager?: string) {
  const more = {
    rule_files: fastRules(folder(t)),
    ...(alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanager] }] }] } }),
  };
  const job = {
    job_name: 'sip-keepalive',
    static_configs: [{ targets: [new URL(exporterUrl).host] }],
  };
  return startPrometheus(t, [job], more);
}

test(
  'an alert arrives when a destination goes down, and resolves when it is up again',
  needs('prometheus', 'prometheus-alertmanager', 'chromium'),
  async (t) => {
    // Its characters have meanings in URLs.
    const name = 'gate way/ä+1%?#&';
    let isUp = true;
    const peer = await startFarEnd(t, 'udp', (_request, good) => (isUp ? [good] : []));
    const exporter = await startExporter(t, {
      ...{ ping_interval: 1, ping_timeout: 0.5 },
      destinations: [{ uri: `127.0.0.1:${peer.port}`, name }],
    });
    const { messages, address } = await startAlertmanager(t);
    const prometheus = await startScraping(t, exporter.url, address);
    const scraped = async () =>
      (await prometheus.query('sip_keepalive_up == 1', 'destination')).size === 1;
    await eventually('the destination is scraped and up', scraped);
    assert.equal(messages.length, 0);
    const alertWith = (status: Alert['status']) =>
      messages
        .flat()
        .find(
          (alert) =>
            alert.labels['alertname'] === 'SipKeepaliveDestinationDown' && alert.status === status,
        );
    isUp = false;
    const firing = await eventually('the alert fires', () => alertWith('firing'));
    const { severity, destination } = firing.labels;
    assert.deepEqual([severity, destination], ['critical', name]);
    const { summary = '', runbook_url = '', dashboard_url = '' } = firing.annotations;
    assert.ok(summary.startsWith(`${name}: no answer for `), summary);
    assert.equal(runbook_url, `${DEFAULT_LINKS.runbookBase}#sipkeepalivedestinationdown`);
    const { page } = await openPage(t, dashboard_url);
    for (const heading of [name, 'Targets'])
      await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    isUp = true;
    await eventually('the alert resolves', () => alertWith('resolved'));
  },
);

test(
  'when the exporter dies with thirty destinations down, one alert is sent instead of thirty',
  needs('prometheus', 'prometheus-alertmanager'),
  async (t) => {
    const destinations = Array.from({ length: 30 }, (_, i) => ({
      uri: `127.0.0.1:${i + 1}`,
      name: `gw${i}`,
    }));
    const exporter = await startExporter(t, { ping_interval: 1, destinations });
    const { messages, address } = await startAlertmanager(t);
    const prometheus = await startScraping(t, exporter.url, address);
    const of = (name: string, all = messages) =>
      all
        .flat()
        .filter(({ labels, status }) => labels['alertname'] === name && status === 'firing');
    await eventually('all alerts are sent', () => {
      const named = new Set(
        of('SipKeepaliveDestinationDown').map(({ labels }) => labels['destination']),
      );
      return named.size === destinations.length;
    });
    assert.ok(
      messages.length < destinations.length,
      `${messages.length} messages for thirty destinations`,
    );
    await exporter.stop('SIGKILL');
    await eventually(
      'the alert of the exporter is sent',
      () => of('SipKeepaliveExporterDown').length > 0,
    );
    const before = messages.length;
    await sleep(5_000);
    assert.deepEqual(of('SipKeepaliveDestinationDown', messages.slice(before)), []);
    assert.equal(of('SipKeepaliveExporterDown').length, 1);
    const pending = await prometheus.query(
      'ALERTS{alertname="SipKeepaliveDestinationDown"}',
      'destination',
    );
    assert.equal(
      pending.size,
      destinations.length,
      'they keep firing in Prometheus, and are inhibited',
    );
  },
);

test(
  'every rule runs without an error on the fleet, and every recording rule has a value',
  needs('prometheus'),
  async (t) => {
    const fleet = await startFleet(folder(t));
    t.after(() => fleet.close());
    const destinations = fleet.members.map(({ name, uri, settings }) => ({
      name,
      uri,
      ...settings,
    }));
    const exporter = await startExporter(t, { ping_interval: 1, ping_timeout: 0.8, destinations });
    const prometheus = await startScraping(t, exporter.url);
    interface Rules {
      readonly data: {
        readonly groups: readonly {
          readonly rules: readonly {
            readonly name: string;
            readonly type: string;
            readonly health: string;
            readonly lastError?: string;
          }[];
        }[];
      };
    }
    const rules = async () => {
      const { data } = (await (await fetch(`${prometheus.url}/api/v1/rules`)).json()) as Rules;
      return data.groups.flatMap((group) => group.rules);
    };
    await eventually('every rule has been evaluated', async () => {
      const all = await rules();
      return all.length > 30 && all.every(({ health }) => health !== 'unknown');
    });
    await eventually(
      'there are enough scrapes for a rate',
      async () => (await prometheus.query('count_over_time(up[5m]) > 8', 'job')).size === 1,
    );
    const all = await rules();
    const failing = all.filter(({ health }) => health !== 'ok');
    assert.deepEqual(
      failing.map(({ name, lastError }) => `${name}: ${lastError}`),
      [],
    );
    const recorded = new Set(
      all.filter(({ type }) => type === 'recording').map(({ name }) => name),
    );
    let empty: string[] = [];
    await eventually('every other rule has a value', async () => {
      empty = [];
      for (const name of recorded) {
        if ((await prometheus.query(name, 'destination')).size === 0) empty.push(name);
      }
      return empty.length <= Object.keys(WITHOUT_VALUE).length;
    }).catch((error: unknown) => assert.fail(`${error}: ${empty.join(', ')}`));
    assert.deepEqual(empty.sort(), Object.keys(WITHOUT_VALUE).sort());
    const raised = (name: string) =>
      prometheus.query(`ALERTS{alertname="SipKeepaliveDestination${name}"}`, 'destination');
    await eventually('the silent member raises its alert', async () =>
      (await raised('Down')).has('silent'),
    );
    await eventually('the draining member raises its alert', async () =>
      (await raised('Draining')).has('draining'),
    );
    assert.ok(!(await raised('Down')).has('draining'), 'it is not critical');
  },
);
