import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Page } from 'playwright-core';
import { openPage, violations } from '../support/browser.js';
import { overflow, startDemo, waitUntilLive } from '../support/status-page.js';
import { needs } from '../support/tools.js';

/** Screenshots for README.md, with the fleet of the demo. `UPDATE_SCREENSHOT=1` takes them. */
const PICTURES = ['light', 'dark', 'destination', 'phone'].map(
  (name) => `docs/status-page-${name}.png`,
);
const isTakingPictures = process.env['UPDATE_SCREENSHOT'] === '1';
/** Time until the charts of the last hour have enough points. */
const RIPE_AFTER_MS = 15 * 60_000;

/** Whether a cell of the column `Since` shows durations of the greatest length in full. */
const FITS = `(() => {
  const cell = document.querySelector('td.since');
  const range = document.createRange();
  const room = cell.clientWidth - 2 * parseFloat(getComputedStyle(cell).paddingLeft);
  return ['23 h 59 min', '59 min 59 s', '365 d 23 h'].every((text) => {
    cell.textContent = text;
    range.selectNodeContents(cell);
    return range.getBoundingClientRect().width <= room;
  });
})()`;

const VIEWS: readonly (readonly [hash: string, ready: (page: Page) => Promise<void>])[] = [
  ['/#/', (page) => page.getByRole('link', { name: 'silent' }).first().waitFor()],
  ['/#/?group=label.fleet', (page) => page.getByRole('button', { name: 'fleet: demo' }).waitFor()],
  ['/#/destination/tls', (page) => page.getByRole('heading', { name: 'Last exchange' }).waitFor()],
  ['/#/incidents', (page) => page.getByRole('region', { name: 'Incidents' }).waitFor()],
  ['/#/silences', (page) => page.getByRole('heading', { name: 'Silences' }).waitFor()],
  ['/#/probes', (page) => page.getByText('No probes yet').waitFor()],
  ['/?wall', (page) => page.locator('.wall-list li').first().waitFor()],
];

for (const [colorScheme, width] of [
  ['light', 1280],
  ['dark', 1280],
  ['light', 800],
  ['dark', 390],
] as const) {
  test(
    `every view, ${colorScheme}, ${width} wide: axe finds no violation, nothing overflows, and the content security policy holds`,
    needs('chromium'),
    async (t) => {
      const { exporter } = await startDemo(t);
      const viewport = { width, height: 900 };
      const { page, complaints } = await openPage(t, exporter.url, { colorScheme, viewport });
      await waitUntilLive(page);
      for (const [hash, ready] of VIEWS) {
        await page.goto(`${exporter.url}${hash}`);
        await ready(page);
        assert.deepEqual(await violations(page), [], hash);
        assert.ok((await overflow(page)) <= 0, `${hash} is wider than the window`);
      }
      await page.goto(`${exporter.url}/#/`);
      await page.locator('td.since').first().waitFor();
      assert.ok(await page.evaluate<boolean>(FITS), 'the longest durations fit their column');
      assert.deepEqual(complaints, []);
    },
  );
}

test('README has pictures of the page', needs('chromium'), async (t) => {
  if (isTakingPictures) await takePictures(t);
  for (const path of PICTURES) assert.ok(existsSync(path), path);
});

async function takePictures(t: Parameters<typeof startDemo>[0]): Promise<void> {
  const { exporter } = await startDemo(t);
  await new Promise((resolve) => setTimeout(resolve, RIPE_AFTER_MS));
  for (const [name, hash, width, colorScheme] of [
    ['light', '/#/', 1280, 'light'],
    ['dark', '/#/', 1280, 'dark'],
    ['destination', '/#/destination/flapping', 1280, 'light'],
    ['phone', '/#/', 390, 'light'],
  ] as const) {
    const viewport = { width, height: 900 };
    const { page } = await openPage(t, `${exporter.url}${hash}`, { colorScheme, viewport });
    await waitUntilLive(page);
    await page.waitForLoadState('networkidle', { timeout: 10_000 }).catch(() => {});
    await page.waitForTimeout(3_000);
    await page.screenshot({ path: `docs/status-page-${name}.png` });
  }
}
