import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFleet } from '../../demo/fleet.js';
import { DEFAULT_LINKS } from '../../deploy/rules/links.js';
import {
  type Alert,
  alertsOf,
  startAlertmanager,
  startHttpSink,
  startScraping,
  toWebhooks,
} from '../support/alerting.js';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, folder } from '../support/process.js';
import { needs } from '../support/tools.js';

/** Recording rules without a value in this test, and why. */
const WITHOUT_VALUE: Readonly<Record<string, string>> = {
  'destination_site:sip_keepalive_up:last15m': 'needs exporters with the label site',
};

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
    const { url, requests } = await startHttpSink(t);
    const alertmanager = await startAlertmanager(t, toWebhooks(url));
    const prometheus = await startScraping(t, [exporter], { alertmanager });
    const scraped = async () =>
      (await prometheus.query('sip_keepalive_up == 1', 'destination')).size === 1;
    await eventually('the destination is scraped and up', scraped);
    const alertWith = (status: Alert['status']) =>
      alertsOf(requests, 'pager')
        .flat()
        .find(
          (alert) =>
            alert.labels['alertname'] === 'SipKeepaliveDestinationDown' && alert.status === status,
        );
    assert.deepEqual([alertWith('firing'), alertWith('resolved')], [undefined, undefined]);
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
    const { url, requests } = await startHttpSink(t);
    const alertmanager = await startAlertmanager(t, toWebhooks(url));
    const prometheus = await startScraping(t, [exporter], { alertmanager });
    const messages = () => alertsOf(requests, 'mail');
    const of = (name: string, all = messages()) =>
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
      messages().length < destinations.length,
      `${messages().length} messages for thirty destinations`,
    );
    await exporter.stop('SIGKILL');
    await eventually(
      'the alert of the exporter is sent',
      () => of('SipKeepaliveExporterDown').length > 0,
    );
    const before = messages().length;
    await sleep(5_000);
    assert.deepEqual(of('SipKeepaliveDestinationDown', messages().slice(before)), []);
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
    const prometheus = await startScraping(t, [exporter]);
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
