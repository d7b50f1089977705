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
    await page.getByLabel('Find').fill('ACM 503');
    await eventually('only those of acme', async () => (await rows.count()) === 2);
    assert.match(page.url(), /#\/incidents\?q=ACM\+503$/);
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

test(
  'incidents fit a screen and a phone, and say what was looked for',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    peer.isUp = false;
    const long = `flapping ${'x'.repeat(241)}`;
    const destination = { name: long, uri: `sip:${peer.address}`, labels: { carrier: 'acme' } };
    const exporter = await startExporter(t, { ping_interval: 0.5, destinations: [destination] });
    const incidents = `${exporter.url}/#/incidents`;
    await eventually('it is down', async () => (await exporter.isAlive(long)) === 2);
    const { page } = await openPage(t, incidents);
    const row = page.getByRole('region', { name: 'Incidents' }).locator('tbody tr');
    for (const [width, height] of [
      [1400, 900],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      for (const hash of ['/#/incidents', `/#/destination/${encodeURIComponent(long)}`]) {
        await page.goto(`${exporter.url}${hash}`);
        await row.first().waitFor();
        const cells = await row.first().locator('td').all();
        assert.ok(cells.length >= 6);
        for (const cell of cells) {
          const box = await cell.boundingBox();
          assert.ok(
            box !== null && box.x >= 0 && box.x + box.width <= width,
            `${hash} at ${width}`,
          );
          assert.ok(box.height < 100);
        }
      }
    }
    await page.goto(incidents);
    assert.equal(await row.getByRole('link').getAttribute('title'), long);
    await page.getByLabel('Find').fill('flappy');
    await page.getByText('No incident with “flappy”.').waitFor();
    await page.getByLabel('Find').fill('flapping');
    await row.first().waitFor();
    await page.goto(`${incidents}?label=foo`);
    await page.getByText('label: expected NAME=VALUE, got "foo"').waitFor();
    assert.equal(await page.getByText('Loading…').count(), 0);
    await page.goto(`${incidents}?label=${'x'.repeat(100_000)}`);
    await page.getByText('431 Request Header Fields Too Large: expected a URL').waitFor();
    await page.goto(`${incidents}?label=foo`);
    await page.getByRole('button', { name: 'No longer label: foo' }).click();
    await row.first().waitFor();
    assert.equal(await page.locator('#error').isVisible(), false);
  },
);

test('a destination that is draining is so in its incident too', needs('chromium'), async (t) => {
  const exporter = await startExporter(t, { destinations: [] });
  const { page } = await openPage(t, `${exporter.url}/#/incidents`);
  const incident = {
    ...{ id: 1, destination: 'gw', uri: 'sip:gw', state: 'down', reason: 'draining' },
    ...{ began_at: new Date().toISOString(), ended_at: null, duration: 1, ended_by: null },
    ...{ reason_text: null, detail: null, sip_code: 503 },
    ...{ module: 'default', owners: [], labels: {} },
  };
  const oldest = incident.began_at;
  const json = { incidents: [incident], total: 1, dropped: 0, oldest, next: null };
  await page.route('**/api/v1/incidents*', (route) => route.fulfill({ json }));
  await page.reload();
  await page.locator('td .badge.draining').getByText('draining').waitFor();
});
