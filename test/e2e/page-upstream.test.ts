import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAlertmanager } from '../support/alerting.js';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';
import { prometheusWith, recorded } from '../support/recorded.js';
import { startSwitch } from '../support/status-page.js';
import { needs } from '../support/tools.js';

interface AlertJson {
  readonly status: { readonly state: string };
}

test(
  'a silence is made on the page, seen by Alertmanager, shown, and ended on the page',
  needs('chromium', 'prometheus-alertmanager'),
  async (t) => {
    const peer = await startSwitch(t);
    peer.isUp = false;
    const config = { global: {}, route: { receiver: 'x' }, receivers: [{ name: 'x' }] };
    const alertmanager = `http://${await startAlertmanager(t, () => config)}`;
    const gateway = (name: string, carrier: string) => ({
      ...{ name, uri: `sip:${name}@${peer.address}`, labels: { carrier } },
    });
    const exporter = await startExporter(
      t,
      {
        ...{ ping_interval: 1, web: { alertmanager_url: alertmanager } },
        destinations: [gateway('gw-a', 'acme'), gateway('gw-b', 'blue')],
      },
      ['--web.enable-admin-api'],
    );
    await eventually('down', async () => (await exporter.isAlive('gw-a')) === 2);
    const labels = {
      alertname: 'SipKeepaliveDestinationDown',
      destination: 'gw-a',
      carrier: 'acme',
    };
    const alert = JSON.stringify([{ labels }]);
    const headers = { 'Content-Type': 'application/json' };
    await fetch(`${alertmanager}/api/v2/alerts`, { method: 'POST', headers, body: alert });
    const alertState = async () => {
      const alerts = await (await fetch(`${alertmanager}/api/v2/alerts`)).json();
      return (alerts as AlertJson[])[0]?.status.state;
    };
    await eventually('the alert is active', async () => (await alertState()) === 'active');

    const { page, complaints } = await openPage(t, `${exporter.url}/#/?group=label.carrier`);
    await page.getByRole('button', { name: 'Silence carrier: acme…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Silence carrier: acme' });
    await dialog.getByLabel('For').selectOption('1 hour');
    await dialog.getByLabel('Note').fill('<b>new line</b> cards');
    await dialog.getByLabel('Your name').fill('bob');
    await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
    await dialog.waitFor({ state: 'detached' });
    const mark = page.locator('.list').getByRole('img', {
      name: /^Silenced until .* by bob: <b>new line<\/b> cards$/,
    });
    await mark.waitFor();
    assert.equal(await mark.count(), 1, 'the other carrier is not silenced');
    await eventually('the alert is suppressed', async () => (await alertState()) === 'suppressed');

    await page.getByRole('link', { name: 'gw-a' }).first().click();
    const silenced = page.getByText(/^Silenced until .* by bob/);
    await silenced.waitFor();
    await page.getByRole('button', { name: 'Silence…' }).click();
    const second = page.getByRole('dialog', { name: 'Silence gw-a' });
    await second.waitFor();
    await page.goBack();
    await second.waitFor({ state: 'detached' });
    await page.goForward();
    await silenced.waitFor();
    const failure = { status: 502, json: { error: 'Alertmanager is gone' } };
    await page.route('**/api/v1/silences', (route) => route.fulfill(failure));
    const problem = /^The silences are not known: Alertmanager is gone\. Those shown are of .*\.$/;
    await page.getByText(problem).waitFor();
    await silenced.waitFor();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('link', { name: 'Silences' }).click();
    const row = page.getByRole('region', { name: 'Silences' }).locator('tbody tr');
    await row.getByText('carrier="acme"').waitFor();
    await row.getByRole('button', { name: /^End the silence of / }).click();
    await page.getByText('Nothing is silenced.').waitFor();
    await eventually('the alert is active again', async () => (await alertState()) === 'active');
    const others = complaints.filter((text) => !text.includes('502'));
    assert.deepEqual(others, []);
  },
);

test(
  'days, weeks and months come from Prometheus, and the page goes on without it',
  needs('chromium', 'prometheus', 'promtool'),
  async (t) => {
    const prometheus = await prometheusWith(t, recorded([['gw', 'a', 0.75]]));
    const peer = await startSwitch(t);
    const exporter = await startExporter(t, {
      ...{ ping_interval: 1, web: { prometheus_url: prometheus.url } },
      destinations: ['gw', 'other'].map((name) => ({ name, uri: peer.address })),
    });
    await eventually(
      'Prometheus is ready',
      async () => (await fetch(`${prometheus.url}/-/ready`)).ok,
    );
    const { page } = await openPage(t, `${exporter.url}/#/destination/gw`);
    await page
      .getByText(/^Availability: day 75 %, week 75 %, month 75 % \(data since .*\)$/)
      .waitFor();
    await page.getByRole('button', { name: 'Last week' }).click();
    await page
      .getByRole('img', { name: /^Round-trip time in the last week: up to 75\.0 ms/ })
      .waitFor();
    assert.match(page.url(), /\?span=week$/);
    await page.reload();
    await page.getByRole('img', { name: /^Round-trip time in the last week: up to / }).waitFor();
    await page.locator('.chart', { hasText: 'Not up' }).waitFor();
    await prometheus.stop();
    // The answers for the first one are kept for a minute.
    await page.goto(`${exporter.url}/#/destination/other?span=quarter`);
    await page
      .getByText(/Prometheus at http:.*expected/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Last hour' }).click();
    await page.locator('[data-part="state"] .badge', { hasText: 'up' }).waitFor();
  },
);
