import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { type TestContext, test } from 'node:test';
import { openPage, violations } from '../support/browser.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import {
  dispatcherAnswer,
  type ListedDestination,
  resultAnswer,
} from '../support/kamailio-answers.js';
import { isDescribed } from '../support/openapi.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

interface FakeKamailio {
  readonly url: string;
  /** Set 7. */
  list: readonly ListedDestination[];
  /** Whether it answers `dispatcher.set_state` and the like. */
  takesStates: boolean;
  /** The parameters of the calls that set states. */
  readonly calls: (readonly unknown[])[];
}

async function startFakeKamailio(
  t: TestContext,
  list: readonly ListedDestination[],
): Promise<FakeKamailio> {
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (data) => {
      text += data;
    });
    request.on('end', () => {
      const { method, params } = JSON.parse(text);
      if (method === 'dispatcher.list') return response.end(dispatcherAnswer({ 7: kamailio.list }));
      kamailio.calls.push(params);
      return kamailio.takesStates && response.end(resultAnswer('Ok. Dispatcher state updated.'));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  const kamailio: FakeKamailio = {
    ...{ url: `http://127.0.0.1:${address.port}/RPC`, list, takesStates: true, calls: [] },
  };
  return kamailio;
}

const gateway = async (t: TestContext) => {
  const far = await startFarEnd(t, 'udp', (_request, good) => [good]);
  return `sip:127.0.0.1:${far.port}`;
};

test(
  'the page of a destination and the API say what a Kamailio believes, and since when it disagrees',
  needs('chromium'),
  async (t) => {
    const attrs = 'duid=gw-<img>';
    const kamailio = await startFakeKamailio(t, [{ uri: await gateway(t), flags: 'IX', attrs }]);
    const source = { url: kamailio.url, kamailio: 'proxy-<b>', refresh_interval: '200ms' };
    const exporter = await startExporter(t, {
      ...{ ping_interval: 1, ping_timeout: 0.9 },
      discovery: { kamailio_rpc: [source] },
    });
    await eventually('it is up', async () => (await exporter.metric('sip_keepalive_up')) === 1);
    await eventually('the disagreement is known', async () => {
      const kind = { kind: 'leaves_out_up', kamailio: 'proxy-<b>', setid: '7' };
      const name = 'sip_keepalive_kamailio_disagreement_seconds';
      return (await exporter.metric(name, kind)) !== undefined;
    });
    const name = encodeURIComponent('gw-<img>');
    const answer = await fetch(`${exporter.url}/api/v1/destinations/${name}`);
    await isDescribed('get', '/api/v1/destinations/{name}', answer);

    const { page, complaints } = await openPage(t, `${exporter.url}/#/destination/${name}`);
    await page.getByRole('heading', { name: 'In Kamailio' }).waitFor();
    const row = page.getByRole('region', { name: 'In Kamailio' }).locator('tbody tr');
    const text = async () => (await row.textContent()) ?? '';
    assert.match(await text(), /^proxy-<b>dispatcher set 7sip:127\.0\.0\.1:\d+inactive/);
    assert.match(await text(), /no: leaves it out although it is up, for \d+ s/);
    assert.deepEqual([await violations(page), complaints], [[], []]);
    assert.deepEqual(kamailio.calls, [], 'set_state is off');
  },
);

test('a Kamailio that does not take states delays no other, and gets them when it does', async (t) => {
  const [up, down] = [await gateway(t), 'sip:127.0.0.1:9'];
  const list = [{ uri: up }, { uri: down, flags: 'AP' }];
  const [slow, quick] = [await startFakeKamailio(t, list), await startFakeKamailio(t, list)];
  slow.takesStates = false;
  const sourceOf = ({ url }: FakeKamailio, kamailio: string) => ({
    ...{ url, kamailio, refresh_interval: '300ms', timeout: '500ms', set_state: true },
  });
  const exporter = await startExporter(t, {
    ...{ ping_interval: 1, ping_timeout: 0.9 },
    discovery: { kamailio_rpc: [sourceOf(slow, 'slow'), sourceOf(quick, 'quick')] },
  });
  const changes = (kamailio: string) =>
    exporter.metric('sip_keepalive_kamailio_set_state_total', { kamailio, state: 'inactive' });
  await eventually('the other one has its state', async () => (await changes('quick')) === 1);
  assert.deepEqual(quick.calls[0], ['ip', 7, down]);
  await eventually('several failures', async () => {
    const name = 'sip_keepalive_kamailio_set_state_failures_total';
    return ((await exporter.metric(name, { kamailio: 'slow' })) ?? 0) > 1;
  });
  assert.equal(await changes('slow'), 0);
  assert.equal(exporter.output().match(/kamailio_set_state_failed/g)?.length, 1, 'logged once');
  slow.takesStates = true;
  await eventually('it has it too', async () => (await changes('slow')) !== 0);
  slow.list = [
    { uri: up, flags: 'DX' },
    { uri: down, flags: 'IP' },
  ];
  await eventually('what is disabled in one is known as such', async () => {
    const labels = { kamailio: 'slow', state: 'disabled' };
    return (await exporter.metric('sip_keepalive_kamailio_state', labels)) === 1;
  });
  assert.equal(await exporter.stop('SIGTERM'), 0);
});
