import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { eventually, folder } from '../support/process.js';
import { startSwitch, waitUntilLive } from '../support/status-page.js';
import { needs } from '../support/tools.js';

test(
  'incidents have begin, end, duration, reason and SIP code, and survive kill -9',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    const gateway = (name: string, carrier: string) => ({
      ...{ name, uri: `sip:${name}@${peer.address}`, labels: { carrier } },
    });
    const config = {
      ...{ ping_interval: 0.5, state_dir: join(folder(t), 'state') },
      destinations: [gateway('gw-a', 'acme'), gateway('gw-b', 'blue')],
    };
    const first = await startExporter(t, config);
    const all = async (exporter: typeof first, code: number) =>
      (await exporter.isAlive('gw-a')) === code && (await exporter.isAlive('gw-b')) === code;
    await eventually('both are up', () => all(first, 1));
    peer.isUp = false;
    await eventually('both are down', () => all(first, 2));
    const { page } = await openPage(t, `${first.url}/#/incidents`);
    const rows = page.getByRole('region', { name: 'Incidents' }).locator('tbody tr');
    const row = (name: string) => rows.filter({ has: page.getByRole('link', { name }) });
    await row('gw-a').getByText('not yet').waitFor();
    assert.match((await row('gw-a').textContent()) ?? '', /answered with 503.*503.*carrier=acme/);
    peer.isUp = true;
    await eventually('both are up again', () => all(first, 1));
    await row('gw-b').getByText('not yet').waitFor({ state: 'detached' });
    assert.match((await row('gw-b').textContent()) ?? '', /\d+ s/);
    peer.isUp = false;
    await eventually('both are down again', () => all(first, 2));
    await eventually('each has two', async () => (await rows.count()) === 4);
    await page.getByLabel('Label').fill('carrier=acme');
    await page.getByLabel('Label').press('Enter');
    await eventually('only those of acme', async () => (await rows.count()) === 2);
    assert.match(page.url(), /#\/incidents\?label=carrier%3Dacme$/);
    await page.getByLabel('not over yet').check();
    await eventually('only the one that lasts', async () => (await rows.count()) === 1);
    // The file is written about once a second.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await first.stop('SIGKILL');
    const second = await startExporter(t, config);
    await eventually('both are still down', () => all(second, 2));
    await page.goto(`${second.url}/#/incidents`);
    await waitUntilLive(page);
    await eventually('the same four', async () => (await rows.count()) === 4);
    peer.isUp = true;
    await eventually('both recover', () => all(second, 1));
    await eventually('all are over', async () => (await page.getByText('not yet').count()) === 0);
    await page.getByRole('link', { name: 'gw-a' }).first().click();
    await page.getByRole('heading', { name: 'Incidents' }).waitFor();
    await page.getByRole('link', { name: 'All its incidents' }).click();
    await eventually('its two', async () => (await rows.count()) === 2);
  },
);
