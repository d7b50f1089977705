import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';
import { startDemo, startSwitch } from '../support/status-page.js';
import { needs } from '../support/tools.js';

test(
  'a destination shows its last pings, and its last exchange with secrets masked',
  needs('chromium'),
  async (t) => {
    const { exporter } = await startDemo(t);
    const { page } = await openPage(t, `${exporter.url}/#/destination/password`);
    await page.getByRole('heading', { name: 'password', exact: true }).waitFor();
    const text = async () => (await page.locator('main').textContent()) ?? '';
    const parts = ['Authorization: Digest', 'response="<secret>"', 'SIP/2.0 200 OK'];
    await eventually('its messages', async () => {
      const shown = await text();
      return parts.every((part) => shown.includes(part));
    });
    await eventually('several pings', async () => {
      const label = await page.locator('.card [role="img"]').first().getAttribute('aria-label');
      return /^last ([3-9]|\d\d) pings/.test(label ?? '');
    });
    await page.goto(`${exporter.url}/#/destination/nobody`);
    await page.getByRole('alert').getByText('no such destination: nobody').waitFor();
  },
);

test(
  'an update keeps focus, selected text and opened messages, and a ping by hand has the settings of its destination',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    const uri = peer.address;
    const own = { uri, name: 'gw', alive_codes: '503' };
    const destinations = [{ uri, name: 'other' }, own];
    const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
    await eventually('it is up', async () => (await exporter.isAlive('other')) === 1);
    const { page } = await openPage(t, `${exporter.url}/#/destination/other`);
    await page.getByRole('heading', { name: 'other', exact: true }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.match(page.url(), /#\/destination\/other$/, 'to skip to the content leads nowhere else');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    const ping = page.getByRole('button', { name: 'Ping now' });
    await ping.focus();
    const message = page.locator('.ladder details').first();
    await message.locator('summary').click();
    peer.isUp = false;
    await page.locator('[data-part="state"] .badge', { hasText: 'down' }).waitFor();
    await page.locator('.card .badge', { hasText: 'down' }).first().waitFor();
    await message.locator('pre').waitFor();
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('dl'))");
    peer.isUp = true;
    await page.locator('[data-part="state"] .badge', { hasText: 'up' }).waitFor();
    assert.match((await page.evaluate<string>('getSelection().toString()')) ?? '', /Last outcome/);
    await page.goto(`${exporter.url}/#/destination/gw`);
    await page.getByRole('heading', { name: 'gw', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Ping now' }).click();
    const result = page.locator('[data-part="ping-now"]');
    await result.locator('.badge', { hasText: 'down' }).waitFor();
    await result.getByText('answered with 200').first().waitFor();
    assert.equal(await result.locator('.rung.sent').first().textContent(), 'OPTIONS');
    assert.equal(await result.locator('.rung.received').last().textContent(), '200 OK');
    assert.match(page.url(), /#\/destination\/gw$/, 'the page is still there');
    await result.getByRole('button', { name: 'Close' }).click();
    await result.locator('.badge').waitFor({ state: 'detached' });
  },
);

test('the chart has axes with units, and says what it shows', needs('chromium'), async (t) => {
  const peer = await startSwitch(t);
  const destinations = [{ uri: peer.address, name: 'gw' }];
  const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
  const { page, complaints } = await openPage(t, `${exporter.url}/#/destination/gw`);
  await page.getByText('No data yet; the first point comes after a minute.').waitFor();
  await page
    .getByRole('img', { name: /^Round-trip time in the last hour: (up to|no answer)/ })
    .waitFor({ timeout: 150_000 });
  await page.locator('.chart canvas').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Last week' }).isDisabled(), true);
  await page.goto(`${exporter.url}/#/destination/gw?span=week`);
  await page.getByText('web.prometheus_url').nth(1).waitFor();
  assert.deepEqual(complaints, []);
});
