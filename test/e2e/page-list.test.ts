import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';
import { listedNames, startDemo, startSwitch, waitUntilLive } from '../support/status-page.js';
import { needs } from '../support/tools.js';

const HOSTILE = '<img src=x onerror="document.title=1">';

test('the list is filtered, sorted and opened by keyboard', needs('chromium'), async (t) => {
  const { exporter, count } = await startDemo(t);
  const { page } = await openPage(t, exporter.url);
  await eventually('every row', async () => (await listedNames(page)).length === count);
  const states = await page.locator('tbody td.state').allTextContents();
  assert.equal(states[0], 'down', 'what is down stands first');
  assert.equal(states.at(-1), 'up');
  await page.getByLabel('Find').focus();
  await page.keyboard.type('demo SILENT');
  await eventually('one is silent', async () => (await listedNames(page)).join() === 'silent');
  await page.getByText(`1 of ${count} shown`).waitFor();
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Delete');
  await page.getByRole('button', { name: /^\d+ up$/ }).click();
  await eventually(
    'only those that are up',
    async () => !(await listedNames(page)).includes('silent'),
  );
  await page.getByRole('button', { name: 'Destination', exact: true }).focus();
  await page.keyboard.press('Enter');
  const head = page.getByRole('columnheader', { name: 'Destination' });
  assert.equal(await head.getAttribute('aria-sort'), 'ascending');
  await page.keyboard.press('Enter');
  assert.equal(await head.getAttribute('aria-sort'), 'descending');
  const shown = await listedNames(page);
  assert.deepEqual(shown, [...shown].sort().reverse());
  await page.getByRole('link', { name: 'fast', exact: true }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'fast', exact: true }).waitFor();
  assert.equal(await page.evaluate('document.activeElement.id'), 'main');
});

test('what is down is at the top, with how long and why', needs('chromium'), async (t) => {
  const { exporter, count } = await startDemo(t);
  const { page } = await openPage(t, exporter.url);
  const trouble = page.getByRole('list', { name: 'Down and degraded' });
  const closed = trouble.getByRole('listitem').filter({ hasText: 'closed' });
  await closed.getByText('ICMP: port unreachable').waitFor();
  await closed.getByText(/^\d+ s$|^\d+ min/).waitFor();
  const states = await page.locator('tbody td.state').allTextContents();
  assert.equal(states.length, count);
  const down = states.filter((state) => state === 'down').length;
  await page.getByRole('button', { name: `${down} down`, exact: true }).waitFor();
  await eventually('the title has the number', async () =>
    (await page.title()).startsWith(`(${down} down) `),
  );
  const icon = await page.locator('link[rel="icon"]').getAttribute('href');
  assert.match(decodeURIComponent(icon ?? ''), new RegExp(`>${down}</text>`));
  await page.getByText(/^· last update \d+ s ago$/).waitFor();
  await page.getByText('pinger healthy').waitFor();
});

test(
  'groups have a verdict and fold, and the URL has all that is chosen',
  needs('chromium'),
  async (t) => {
    const peer = await startSwitch(t);
    const gateway = (name: string, uri: string, carrier: string) => ({
      name,
      uri,
      labels: { carrier },
    });
    const exporter = await startExporter(t, {
      ping_interval: 2,
      destinations: [
        gateway('a1', `sip:a1@${peer.address}`, 'acme'),
        gateway('a2', `sip:a2@${peer.address}`, 'acme'),
        gateway('b1', `sip:b1@${peer.address}`, 'blue'),
        gateway('b2', '127.0.0.1:9', 'blue'),
      ],
    });
    await eventually('b2 is down', async () => (await exporter.isAlive('b2')) === 2);
    await eventually('a2 is up', async () => (await exporter.isAlive('a2')) === 1);
    const { page } = await openPage(t, exporter.url);
    await page.getByLabel('Group by').selectOption('carrier');
    const groups = page.locator('tr.group');
    await eventually('the verdicts', async () => {
      const texts = await groups.allTextContents();
      return (
        texts.length === 2 &&
        /blue1 of 2 up/.test(texts[0] ?? '') &&
        /acme2 of 2 up/.test(texts[1] ?? '')
      );
    });
    await page.getByRole('button', { name: 'carrier: acme' }).click();
    await eventually('acme is folded', async () => (await listedNames(page)).join() === 'b2,b1');
    await page.getByLabel('Find').fill('sip:');
    await page.getByRole('button', { name: 'Destination', exact: true }).click();
    await eventually('sorted', async () => (await listedNames(page)).join() === 'b1,b2');
    const { page: other } = await openPage(t, page.url());
    await eventually(
      'the link shows the same',
      async () => (await listedNames(other)).join() === 'b1,b2',
    );
    assert.equal(await other.getByLabel('Find').inputValue(), 'sip:');
    await other.getByRole('table').getByRole('link', { name: 'b1' }).click();
    await other.getByRole('heading', { name: 'b1' }).waitFor();
    await other.getByRole('link', { name: 'All destinations' }).click();
    await eventually(
      'so does the way back',
      async () => (await listedNames(other)).join() === 'b1,b2',
    );
  },
);

test('Back returns to the place in the list', needs('chromium'), async (t) => {
  const destinations = Array.from({ length: 300 }, (_, i) => ({
    name: `gw ${String(i).padStart(3, '0')}`,
    uri: `sip:${i}@127.0.0.1:9`,
  }));
  const exporter = await startExporter(t, { ping_interval: 60, destinations });
  // Each new verdict would move the rows.
  await eventually('all are down', async () => {
    return (await exporter.get('/metrics')).match(/^sip_keepalive_up\{.* 0$/gm)?.length === 300;
  });
  const { page } = await openPage(t, exporter.url);
  await page.locator('td.destination a').first().waitFor();
  await page.evaluate('scrollTo(0, 6000)');
  await eventually('rows further down', async () => !(await listedNames(page)).includes('gw 000'));
  // The browser reports the end of scrolling some frames later.
  await eventually('the place is known', () =>
    page.evaluate<boolean>('history.state?.scrollY === 6000'),
  );
  const link = page.locator('td.destination a').nth(15);
  const name = (await link.textContent()) ?? '';
  // A click of Playwright would scroll it into the middle of the window.
  await link.dispatchEvent('click');
  await page.getByRole('heading', { name }).waitFor();
  assert.equal(await page.evaluate('scrollY'), 0, 'a destination opens at its top');
  await page.goBack();
  await eventually('the same rows', async () => (await listedNames(page)).includes(name));
  assert.equal(await page.evaluate('scrollY'), 6000);
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
  await page.getByText('It is up.').waitFor();
  await waitUntilLive(page);
  await page.evaluate('window.wasHere = true');
  // Only the event can show it: requests for the list fail.
  await page.route('**/api/v1/destinations?*', (route) => route.abort());
  peer.isUp = false;
  await page.locator('td.state', { hasText: 'down' }).waitFor();
  await page.locator('td.outcome', { hasText: 'answered with 503' }).waitFor();
  assert.equal(await page.evaluate('window.wasHere'), true);
  await page.getByRole('button', { name: '1 down' }).waitFor();
});

test(
  'the last pings are bars, and each is explained under the pointer and by keys',
  needs('chromium'),
  async (t) => {
    // Answers that alternate: whichever pings are the last ones, some of them have failed.
    let answers = 0;
    const peer = await startFarEnd(t, 'udp', (_request, good) => [
      answers++ % 2 === 0 ? good : good.replace('200 OK', '503 Full'),
    ]);
    const uri = `sip:127.0.0.1:${peer.port}`;
    const exporter = await startExporter(t, {
      ping_interval: 0.3,
      fall: 10,
      destinations: [{ uri, name: 'gw' }],
    });
    await eventually('ten answers', () => answers >= 10);
    const { page } = await openPage(t, exporter.url);
    const bars = page.getByRole('img', { name: /^gw, last \d+ pings: [1-9]\d* failed/ });
    await bars.waitFor();
    assert.equal(await bars.locator('.bar-failed').count(), 1);
    assert.equal(await bars.locator('.bar-alive').count(), 1);
    const tip = page.locator('.tip');
    await bars.focus();
    await tip.getByText('answered with 503').waitFor();
    await eventually('the other answer is explained', async () => {
      await page.keyboard.press('ArrowLeft');
      return / 200 after/.test(await tip.innerText());
    });
    await page.keyboard.press('Escape');
    await tip.waitFor({ state: 'hidden' });
    const place = { position: { x: 158, y: 10 } };
    // What appears above the list meanwhile moves the bars away from the pointer.
    const shown = await eventually('a tip under the pointer', async () => {
      await bars.hover(place);
      return (await tip.isVisible()) && tip.innerText();
    });
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
    await eventually('the tip of the newest ping, though the pointer rests', async () => {
      return (await tip.isVisible()) && (await tip.innerText()) !== shown;
    });
  },
);

test(
  'data from the network is only ever text: names, labels, Server, reason phrase, probes',
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
    const { page, complaints } = await openPage(t, `${exporter.url}/#/?group=label.note`);
    await page.getByRole('button', { name: `note: ${HOSTILE}` }).waitFor();
    await page.goto(`${exporter.url}/#/probes`);
    await page.getByRole('link', { name: `log of the probe of ${uri}` }).waitFor();
    await page.goto(`${exporter.url}/#/incidents`);
    await page.getByRole('region', { name: 'Incidents' }).getByText(HOSTILE).first().waitFor();
    await page.goto(`${exporter.url}/?wall`);
    await page.locator('.wall-list').getByText(HOSTILE).first().waitFor();
    await page.goto(`${exporter.url}/#/`);
    await page.getByRole('link', { name: HOSTILE }).first().click();
    await page.getByText(`SIP/2.0 503 ${HOSTILE}`).waitFor({ state: 'attached' });
    await page.locator('dd', { hasText: HOSTILE }).first().waitFor();
    assert.equal(await page.locator('img').count(), 0);
    assert.notEqual(await page.title(), '1');
    assert.deepEqual(complaints, []);
  },
);

test('a change that arrives while the list is fetched is shown', needs('chromium'), async (t) => {
  const peer = await startSwitch(t);
  const destinations = [{ uri: peer.address, name: 'gw' }];
  const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
  await eventually('it is up', async () => (await exporter.isAlive('gw')) === 1);
  const { page } = await openPage(t, exporter.url);
  await page.locator('td.state', { hasText: 'up' }).waitFor();
  await waitUntilLive(page);
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
    const exporter = await startExporter(t, { ping_interval: 10, destinations });
    await eventually('all are up', async () => {
      return (await exporter.get('/metrics')).match(/^sip_keepalive_up\{.* 1$/gm)?.length === count;
    });
    const { page, complaints } = await openPage(t, `${exporter.url}/#/destination/gw%201`);
    await page.getByRole('heading', { name: 'gw 1', exact: true }).waitFor();
    const requests: string[] = [];
    page.on('request', (request) => requests.push(new URL(request.url()).pathname));
    peer.isUp = false;
    await eventually('it is down', async () => (await exporter.isAlive('gw 1')) === 2);
    await page.locator('[data-part="state"] .badge', { hasText: 'down' }).waitFor();
    await eventually('all are down', async () => {
      return (await exporter.get('/metrics')).match(/^sip_keepalive_up\{.* 0$/gm)?.length === count;
    });
    assert.ok(requests.length < count / 10, `${requests.length} requests`);
    await page.getByRole('link', { name: 'All destinations' }).click();
    await page.getByRole('button', { name: `${count} down` }).waitFor();
    peer.isUp = true;
    // Those that are up again are degraded for ten pings.
    await page.getByRole('button', { name: '0 down', exact: true }).waitFor();
    assert.ok(requests.length < count / 5, `${requests.length} requests`);
    assert.deepEqual(complaints, []);
  },
);

test('rows that come into view get their last hour', needs('chromium'), async (t) => {
  const destinations = Array.from({ length: 300 }, (_, i) => `sip:${i}@127.0.0.1:9`);
  const exporter = await startExporter(t, { ping_interval: 60, destinations });
  const { page } = await openPage(t, exporter.url);
  const charts = page.locator('tbody tr:not(.space) .pings-bars svg');
  const rows = page.locator('tbody tr:not(.space)');
  const all = async () =>
    (await charts.count()) > 0 && (await charts.count()) === (await rows.count());
  await eventually('the first rows', all);
  await page.evaluate('scrollTo(0, 8000)');
  await eventually(
    'others',
    async () => (await rows.first().getAttribute('aria-rowindex')) !== '2',
  );
  await eventually('the rows further down', all);
  const refreshed = page.waitForRequest('**/api/v1/history?*');
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))");
  await refreshed;
  // Before the next refresh of the list, which fetches the histories of all rows.
  const again = page.waitForRequest(/history\?(.*&)?destination=sip%3A0%40/, { timeout: 5_000 });
  await page.evaluate('scrollTo(0, 0)');
  await again;
  await page.getByLabel('Find').fill('127.0.0.1:9');
  await eventually('those that were found', all);
});

test('the list is saved as CSV and JSON, as it is filtered', needs('chromium'), async (t) => {
  const { exporter } = await startDemo(t);
  const { page } = await openPage(t, `${exporter.url}/#/?q=silent`);
  await eventually('one', async () => (await listedNames(page)).join() === 'silent');
  for (const [format, pattern] of [
    ['CSV', /^destination,uri,[^\n]*\r\nsilent,sip:[^\n]*\r\n$/],
    ['JSON', /^\{\s+"destinations": \[\s+\{\s+"destination": "silent"/],
  ] as const) {
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: format }).click();
    const stream = await (await saving).createReadStream();
    const text = (await stream.toArray()).join('');
    assert.match(text, pattern);
  }
});

test('the wall has no controls, and its groups take turns', needs('chromium'), async (t) => {
  const peer = await startSwitch(t);
  const gateway = (carrier: string) => ({
    ...{ name: `gw-${carrier}`, uri: `sip:${carrier}@${peer.address}`, labels: { carrier } },
  });
  const destinations = [gateway('acme'), gateway('blue')];
  const exporter = await startExporter(t, { ping_interval: 0.5, destinations });
  await eventually('it is up', async () => (await exporter.isAlive('gw-blue')) === 1);
  const { page } = await openPage(t, `${exporter.url}/?wall=1#/?group=label.carrier`);
  await page.getByText('2 up').waitFor();
  await page.getByRole('heading', { name: 'acme: 1 of 1 up' }).waitFor();
  await page.getByRole('heading', { name: 'blue: 1 of 1 up' }).waitFor();
  await page.getByRole('heading', { name: 'acme: 1 of 1 up' }).waitFor();
  assert.equal(await page.locator('main button, main input, main select').count(), 0);
});
