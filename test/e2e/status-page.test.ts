import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { startFleet } from '../../demo/fleet.js';
import { openPage, violations } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, folder } from '../support/process.js';
import { needs } from '../support/tools.js';

/** A screenshot of the page with the fleet of the demo, for README.md. `UPDATE_SCREENSHOT=1` takes it. */
const SCREENSHOT = 'docs/status-page.png';
/** Time until the chart of the last hour has enough points. */
const RIPE_AFTER_MS = 15 * 60_000;
const HOSTILE = '<img src=x onerror="document.title=1">';

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

async function startDemo(t: Parameters<typeof folder>[0]) {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const destinations = fleet.members.map(({ name, uri, settings }) => ({
    ...{ uri, name, labels: { fleet: 'demo' }, ...settings },
  }));
  const exporter = await startExporter(t, { ping_interval: 2, ping_timeout: 1.8, destinations });
  await eventually('a state of each', async () => {
    const unknown = await exporter.metric('sip_keepalive_up');
    const all = (await exporter.get('/metrics')).match(/^sip_keepalive_up\{/gm)?.length;
    return unknown !== undefined && all === destinations.length;
  });
  return { exporter, count: destinations.length };
}

/** A peer that answers 200 or 503, depending on `isUp`. */
async function startSwitch(t: Parameters<typeof folder>[0]) {
  const peer = { isUp: true, address: '' };
  const { port } = await startFarEnd(t, 'udp', (_request, good) =>
    peer.isUp ? [good] : [good.replace('200 OK', '503 Full')],
  );
  peer.address = `127.0.0.1:${port}`;
  return peer;
}

for (const [colorScheme, width] of [
  ['light', 1280],
  ['dark', 1280],
  ['light', 390],
] as const) {
  test(
    `the status page, ${colorScheme}, ${width} wide: axe finds no violation, nothing overflows, and the content security policy holds`,
    needs('chromium'),
    async (t) => {
      const { exporter } = await startDemo(t);
      const viewport = { width, height: 900 };
      const { page, complaints } = await openPage(t, exporter.url, { colorScheme, viewport });
      await page.getByRole('link', { name: 'silent' }).waitFor();
      await page.locator('#live', { hasText: 'Live' }).waitFor();
      assert.deepEqual(await violations(page), []);
      const overflow = () =>
        page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok((await overflow()) <= 0);
      assert.ok(await page.evaluate<boolean>(FITS), 'the longest durations fit their column');
      if (process.env['UPDATE_SCREENSHOT'] === '1' && colorScheme === 'light' && width === 1280) {
        await page.waitForTimeout(RIPE_AFTER_MS);
        await page.screenshot({ path: SCREENSHOT });
      }
      await page.getByRole('link', { name: 'tls', exact: true }).click();
      await page.getByRole('heading', { name: 'Last request' }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.ok((await overflow()) <= 0);
      await page.getByRole('link', { name: 'All destinations' }).click();
      await page.getByLabel('Find').waitFor();
      const sorter = page.getByLabel(/^Sort by/);
      assert.equal(await sorter.isVisible(), width < 500, 'a phone has no heads to sort by');
      if (width < 500) {
        await sorter.selectOption('RTT');
        const members = /^(fast|slow|silent)$/;
        await eventually('by RTT, with those without one last', async () => {
          const names = await page.locator('tbody a').allTextContents();
          return names.filter((name) => members.test(name)).join() === 'fast,slow,silent';
        });
      }
      assert.deepEqual(complaints, []);
      assert.ok(existsSync(SCREENSHOT), 'README has a picture of it');
    },
  );
}

test('the list is filtered, sorted and opened by keyboard', needs('chromium'), async (t) => {
  const { exporter, count } = await startDemo(t);
  const { page } = await openPage(t, exporter.url);
  const names = () => page.locator('tbody a').allTextContents();
  await eventually('every row', async () => (await names()).length === count);
  const states = await page.locator('tbody td.state').allTextContents();
  assert.deepEqual(states, [...states].sort(), 'what is down stands first');
  await page.getByLabel('Find').focus();
  await page.keyboard.type('demo SILENT');
  await eventually('one is silent', async () => (await names()).join() === 'silent');
  await page.getByText(`1 of ${count} shown`).waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.getByLabel(/^State/).selectOption('up');
  await eventually('only those that are up', async () => !(await names()).includes('silent'));
  await page.getByRole('button', { name: 'Destination' }).focus();
  await page.keyboard.press('Enter');
  const head = page.getByRole('columnheader', { name: 'Destination' });
  assert.equal(await head.getAttribute('aria-sort'), 'ascending');
  await page.keyboard.press('Enter');
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  const shown = await names();
  assert.deepEqual(shown, [...shown].sort().reverse());
  await page.getByRole('link', { name: 'fast', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'fast' }).waitFor();
  assert.equal(await page.evaluate('document.activeElement.id'), 'main');
});

test('a change of state is shown at once, without a request', needs('chromium'), async (t) => {
  const peer = await startSwitch(t);
  const exporter = await startExporter(t, {
    ping_interval: 0.5,
    destinations: [{ uri: peer.address, name: 'gw', labels: { carrier: 'acme' } }],
  });
  await eventually('it is up', async () => (await exporter.isAlive('gw')) === 1);
  const { page } = await openPage(t, exporter.url);
  await page.locator('td.state', { hasText: 'up' }).waitFor();
  await page.locator('#live', { hasText: 'Live' }).waitFor();
  await page.evaluate('window.wasHere = true');
  // Only the event can show it: requests for the list fail.
  await page.route('**/api/v1/destinations?*', (route) => route.abort());
  peer.isUp = false;
  await page.locator('td.state', { hasText: 'down' }).waitFor();
  await page.getByText('answered with 503').waitFor();
  assert.equal(await page.evaluate('window.wasHere'), true);
  await page.getByText('1 down').waitFor();
});

test(
  'data from the network is only ever text: names, Server, reason phrase, probes',
  needs('chromium'),
  async (t) => {
    const peer = await startFarEnd(t, 'udp', (_request, good) => [
      good.replace('200 OK', `503 ${HOSTILE}`).replace('\r\n', `\r\nServer: ${HOSTILE}\r\n`),
    ]);
    const uri = `sip:127.0.0.1:${peer.port}`;
    const exporter = await startExporter(t, {
      ping_interval: 0.5,
      destinations: [{ uri, name: HOSTILE, labels: { note: HOSTILE } }],
    });
    await eventually('it is down', async () => (await exporter.isAlive(HOSTILE)) === 2);
    await exporter.get(`/probe?target=${encodeURIComponent(uri)}`);
    const { page, complaints } = await openPage(t, exporter.url);
    await page.getByRole('link', { name: HOSTILE }).waitFor();
    await page.getByRole('link', { name: `log of the probe of ${uri}` }).waitFor();
    await page.getByRole('link', { name: HOSTILE }).click();
    await page.getByText(`SIP/2.0 503 ${HOSTILE}`).waitFor();
    const facts = await page.locator('dl').first().textContent();
    assert.ok(facts?.includes(`Server${HOSTILE}`), facts ?? '');
    assert.equal(await page.locator('img').count(), 0);
    assert.notEqual(await page.title(), '1');
    assert.deepEqual(complaints, []);
  },
);

test(
  'a destination shows its last pings, its messages with secrets masked, and its DNS records',
  needs('chromium'),
  async (t) => {
    const { exporter } = await startDemo(t);
    const { page } = await openPage(t, `${exporter.url}/#/destination/password`);
    await page.getByRole('heading', { name: 'password' }).waitFor();
    const text = async () => (await page.locator('main').textContent()) ?? '';
    await eventually('its messages', async () => (await text()).includes('Authorization: Digest'));
    assert.match(await text(), /response="<secret>"/);
    assert.match(await text(), /SIP\/2.0 200 OK/);
    await eventually('several pings', async () => (await page.locator('text=alive').count()) > 2);
    await page.goto(`${exporter.url}/#/destination/nobody`);
    await page.getByRole('alert').waitFor();
    assert.match(await text(), /no such destination: nobody/);
  },
);

test('a change that arrives while the list is fetched is shown', needs('chromium'), async (t) => {
  const peer = await startSwitch(t);
  const destinations = [{ uri: peer.address, name: 'gw' }];
  const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
  await eventually('it is up', async () => (await exporter.isAlive('gw')) === 1);
  const { page } = await openPage(t, exporter.url);
  await page.locator('td.state', { hasText: 'up' }).waitFor();
  await page.locator('#live', { hasText: 'Live' }).waitFor();
  let isTold = false;
  await page.route('**/api/v1/destinations?view=brief', async (route) => {
    const response = await route.fetch();
    peer.isUp = false;
    await page.locator('td.state', { hasText: 'down' }).waitFor();
    await route.fulfill({ response });
    isTold = true;
  });
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await eventually('the list is there', () => isTold);
  await page.waitForTimeout(300);
  assert.match((await page.locator('td.state').textContent()) ?? '', /down/);
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test(
  'an outage of a thousand destinations is shown without further requests',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    const count = 1_000;
    const destinations = Array.from({ length: count }, (_, i) => {
      return { uri: `sip:${i}@${peer.address}`, name: `gw ${i}` };
    });
    const exporter = await startExporter(t, { ping_interval: 2, destinations });
    await eventually('all are up', async () => {
      return (await exporter.get('/metrics')).match(/^sip_keepalive_up\{.* 1$/gm)?.length === count;
    });
    const { page, complaints } = await openPage(t, `${exporter.url}/#/destination/gw%201`);
    await page.getByRole('heading', { name: 'gw 1' }).waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    peer.isUp = false;
    await eventually('it is down', async () => (await exporter.isAlive('gw 1')) === 2);
    await page.locator('.badge', { hasText: 'down' }).first().waitFor();
    await eventually('all are down', async () => {
      return (await exporter.get('/metrics')).match(/^sip_keepalive_up\{.* 0$/gm)?.length === count;
    });
    assert.ok(requests.length < count / 10, `${requests.length} requests`);
    await page.getByRole('link', { name: 'All destinations' }).click();
    await page.getByText(`${count} down`).waitFor();
    peer.isUp = true;
    await page.getByText(`${count} up`).waitFor();
    assert.ok(requests.length < count / 10, `${requests.length} requests`);
    assert.deepEqual(complaints, []);
  },
);

test(
  'an update keeps focus and selected text, and a ping by hand has the settings of its destination',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    const uri = peer.address;
    const own = { uri, name: 'gw', alive_codes: '503' };
    const destinations = [{ uri, name: 'other' }, own];
    const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
    await eventually('it is up', async () => (await exporter.isAlive('other')) === 1);
    const { page } = await openPage(t, `${exporter.url}/#/destination/other`);
    await page.getByRole('heading', { name: 'other' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    assert.match(page.url(), /#\/destination\/other$/, 'to skip to the content leads nowhere else');
    assert.equal(await page.evaluate('document.activeElement.id'), 'main');
    const region = page.getByRole('region', { name: 'Targets' });
    await region.focus();
    peer.isUp = false;
    await page.locator('[data-part="state"] .badge', { hasText: 'down' }).waitFor();
    await region.getByText('down').waitFor();
    const focused = "document.activeElement.getAttribute('aria-label')";
    assert.equal(await page.evaluate(focused), 'Targets');
    await page.evaluate("getSelection().selectAllChildren(document.querySelector('dl'))");
    peer.isUp = true;
    await region.getByText('up').waitFor();
    assert.match((await page.evaluate<string>('getSelection().toString()')) ?? '', /Last outcome/);
    await page.goto(`${exporter.url}/#/destination/gw`);
    await page.getByText('Ping now').click();
    const text = (await page.locator('body').textContent()) ?? '';
    assert.match(text, /probe_success 0/, 'by its own alive_codes a 200 is none');
    await exporter.stop('SIGTERM');
  },
);

test('rows that come into view get their last hour', needs('chromium'), async (t) => {
  const destinations = Array.from({ length: 300 }, (_, i) => `sip:${i}@127.0.0.1:9`);
  const exporter = await startExporter(t, { ping_interval: 60, destinations });
  const { page } = await openPage(t, exporter.url);
  const charts = page.locator('tbody tr:not(.space) svg');
  const rows = page.locator('tbody tr:not(.space)');
  const all = async () =>
    (await charts.count()) > 0 && (await charts.count()) === (await rows.count());
  await eventually('the first rows', all);
  await page.evaluate("document.querySelector('.scroll.tall').scrollTo(0, 8000)");
  await eventually(
    'others',
    async () => (await rows.first().getAttribute('aria-rowindex')) !== '2',
  );
  await eventually('the rows further down', all);
  const look = page.waitForRequest('**/api/v1/history?*');
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await look;
  // Before the next refresh of the list, which fetches the histories of all rows.
  const anew = page.waitForRequest(/history\?(.*&)?destination=sip%3A0%40/, { timeout: 5_000 });
  await page.evaluate("document.querySelector('.scroll.tall').scrollTo(0, 0)");
  await anew;
  await page.getByLabel('Find').fill('127.0.0.1:9');
  await eventually('those that were found', all);
});

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
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    const hide = (isHidden: boolean) =>
      page.evaluate(
        `Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} }); document.dispatchEvent(new Event('visibilitychange'))`,
      );
    await hide(true);
    await page.locator('#live', { hasText: 'Paused' }).waitFor();
    const before = requests;
    await hide(false);
    await page.locator('#live', { hasText: 'Live' }).waitFor();
    assert.equal(requests, before + 1);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  },
);
