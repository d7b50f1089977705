import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';
import { waitUntilLive } from '../support/status-page.js';
import { needs } from '../support/tools.js';

test(
  'the page reconnects after a refusal, and not while it is hidden',
  needs('chromium'),
  async (t) => {
    const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
    const { page } = await openPage(t, 'about:blank');
    let requests = 0;
    await page.route('**/api/v1/events', async (route) => {
      requests++;
      if (requests > 1) await route.continue();
      else await route.fulfill({ status: 502, body: 'Bad Gateway' });
    });
    await page.goto(exporter.url);
    await page.locator('#live', { hasText: 'Disconnected' }).waitFor();
    await waitUntilLive(page);
    const hide = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hide(true);
    await page.locator('#live', { hasText: 'Paused' }).waitFor();
    const before = requests;
    await hide(false);
    await waitUntilLive(page);
    assert.equal(requests, before + 1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  },
);

test(
  'the figures of a dead exporter are dimmed and say their time, and a restart brings them back',
  needs('chromium'),
  async (t) => {
    const config = { ping_interval: 0.5, destinations: ['127.0.0.1:9'] };
    const exporter = await startExporter(t, config);
    await eventually('down', async () => (await exporter.isAlive('sip:127.0.0.1:9')) === 2);
    const { page } = await openPage(t, exporter.url);
    await page.locator('td.state', { hasText: 'down' }).waitFor();
    await waitUntilLive(page);
    await exporter.stop('SIGKILL');
    await page
      .getByText(/^No answer from the exporter since .* what is below is from then\.$/)
      .waitFor();
    await page.locator('body.stale').waitFor();
    const dot = await page.evaluate<string>(
      "getComputedStyle(document.querySelector('#live'), '::before').content",
    );
    assert.equal(dot, '"○ "', 'the sign of a live page is gone');
    const age = await page.locator('td.since').textContent();
    await page.locator('td.state', { hasText: 'down' }).waitFor();
    // The page's ticks would have changed it.
    await page.waitForTimeout(2_500);
    assert.equal(await page.locator('td.since').textContent(), age, 'ages stand still');
    const { port } = new URL(exporter.url);
    await startExporter(t, config, [`--web.listen-address=127.0.0.1:${port}`]);
    await waitUntilLive(page);
    await page.locator('body:not(.stale)').waitFor();
    assert.equal(await page.locator('#error').isVisible(), false);
  },
);

test(
  'no number is shown before there are destinations, nor that something is from earlier',
  needs('chromium'),
  async (t) => {
    const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
    const { page } = await openPage(t, 'about:blank');
    await page.route('**/api/v1/**', (route) => route.fulfill({ status: 503, body: 'starting' }));
    await page.goto(exporter.url);
    await page.locator('#error').waitFor();
    await page.locator('#live', { hasText: 'Disconnected' }).waitFor();
    assert.deepEqual(new Set(await page.locator('.count b').allTextContents()), new Set(['–']));
    assert.equal(await page.locator('#updated').textContent(), '');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    await page.getByRole('button', { name: '1 down' }).waitFor();
  },
);

test(
  'ages are by the clock of the exporter, whatever that of the browser says',
  needs('chromium'),
  async (t) => {
    const exporter = await startExporter(t, {
      ping_interval: 0.5,
      destinations: [{ uri: 'sip:127.0.0.1:9', name: 'gw' }],
    });
    await eventually('down', async () => (await exporter.isAlive('gw')) === 2);
    const { page } = await openPage(t, 'about:blank');
    await page.addInitScript('const now = Date.now; Date.now = () => now() + 7_200_000;');
    await page.goto(exporter.url);
    await page.locator('td.since', { hasText: /^\d+ (s|min)/ }).waitFor();
  },
);
