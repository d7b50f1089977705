import assert from 'node:assert/strict';
import * as http from 'node:http';
import * as https from 'node:https';
import { type TestContext, test } from 'node:test';
import { Authority } from '../support/certificates.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { type FarEnd, startFarEnd } from '../support/far-end.js';
import { serve } from '../support/http-server.js';
import { dispatcherAnswer, errorAnswer } from '../support/kamailio-answers.js';
import { RPC_MODULES, type RpcKamailio, startRpcKamailio } from '../support/kamailio-rpc.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const REFRESH = '200ms';
const UP = 'sip_keepalive_discovery_up';

const gateway = (t: TestContext): Promise<FarEnd> =>
  startFarEnd(t, 'udp', (_request, good) => [good]);
const uriOf = ({ port }: FarEnd) => `sip:127.0.0.1:${port}`;

/** URIs and owners of all destinations. */
async function monitored(exporter: Exporter): Promise<string> {
  const { destinations } = JSON.parse(await exporter.get('/api/v1/destinations')) as {
    destinations: { uri: string; owners: string[] }[];
  };
  const shown = destinations.map((one) => `${one.uri} for ${[...one.owners].sort().join(' and ')}`);
  return shown.sort().join(', ');
}

const isMonitored = (exporter: Exporter, ...expected: readonly string[]) =>
  eventually(
    expected.join(),
    async () => (await monitored(exporter)) === [...expected].sort().join(', '),
  ).catch(async (error) => {
    throw new Error(`expected ${expected}, got ${await monitored(exporter)}`, { cause: error });
  });

const sourceOf = ({ url }: { readonly url: string }, more: object = {}) => ({
  ...{ url, kamailio: 'proxy-a', refresh_interval: REFRESH, ...more },
});

for (const from of ['file', 'db_text'] as const) {
  test(
    `a Kamailio whose dispatcher has its list from ${from} is followed: new, changed and disabled gateways`,
    needs('kamailio', ...RPC_MODULES),
    async (t) => {
      const [a, b, c] = [await gateway(t), await gateway(t), await gateway(t)];
      const lines = [
        { setid: 1, uri: uriOf(a), attrs: 'duid=gw-a;carrier=alpha' },
        { setid: 2, uri: uriOf(a), attrs: 'duid=gw-a;carrier=alpha' },
        { setid: 2, uri: uriOf(b), attrs: 'duid=gw-b;carrier=beta' },
      ];
      const kamailio = await startRpcKamailio(t, { lines, from });
      const source = sourceOf(kamailio, { attributes: ['carrier'] });
      const exporter = await startExporter(t, { discovery: { kamailio_rpc: [source] } });
      const forProxy = (...all: readonly FarEnd[]) => all.map((far) => `${uriOf(far)} for proxy-a`);
      await isMonitored(exporter, ...forProxy(a, b));
      const labels = { setid: '1,2', duid: 'gw-a', carrier: 'alpha' };
      await eventually('the gateway is alive, with its labels', async () => {
        return (await exporter.metric('sip_keepalive_is_alive', labels)) === 1;
      });
      await kamailio.load([...lines.slice(0, 2), { setid: 3, uri: uriOf(c), attrs: 'duid=gw-c' }]);
      await isMonitored(exporter, ...forProxy(a, c));
      await kamailio.rpc('dispatcher.set_state', 'd', 3, uriOf(c));
      await isMonitored(exporter, ...forProxy(a));
      await exporter.logged(/disabled in Kamailio \(flag D\)/);
      await kamailio.rpc('dispatcher.set_state', 'ip', 3, uriOf(c));
      await isMonitored(exporter, ...forProxy(a, c));

      await kamailio.stop();
      await eventually('the error is a metric', async () => (await exporter.metric(UP)) === 0);
      await exporter.logged(/dispatcher.list: expected a response, got .*ECONNREFUSED/);
      await isMonitored(exporter, ...forProxy(a, c));
      await startRpcKamailio(t, { port: kamailio.port, lines: lines.slice(2), from });
      await isMonitored(exporter, ...forProxy(b));
    },
  );
}

test(
  'a gateway of three Kamailios is pinged once, for three owners',
  needs('kamailio', ...RPC_MODULES),
  async (t) => {
    const far = await gateway(t);
    const lines = [{ setid: 1, uri: uriOf(far) }];
    const kamailios: RpcKamailio[] = [];
    for (let i = 0; i < 3; i++) kamailios.push(await startRpcKamailio(t, { lines }));
    const exporter = await startExporter(t, {
      ping_interval: 1,
      discovery: {
        kamailio_rpc: kamailios.map((one, i) => sourceOf(one, { kamailio: `proxy-${i}` })),
      },
    });
    await isMonitored(exporter, `${uriOf(far)} for proxy-0 and proxy-1 and proxy-2`);
    await eventually('it is pinged', () => far.callers.length > 0);
    assert.equal(far.callers.length, 1, 'one target has one source');
    await kamailios[0]?.load([{ setid: 1, uri: uriOf(await gateway(t)) }]);
    await eventually('one owner less', async () => {
      return (await monitored(exporter)).includes(`${uriOf(far)} for proxy-1 and proxy-2`);
    });
  },
);

test(
  'destinations of keepalive and the registrar of uac are monitored, and what is missing is said',
  needs('kamailio', ...RPC_MODULES),
  async (t) => {
    const [a, b, registrar] = [await gateway(t), await gateway(t), await gateway(t)];
    const options = { lines: [{ setid: 1, uri: uriOf(a) }] };
    const kamailio = await startRpcKamailio(t, {
      ...options,
      ...{ keepalive: [uriOf(b)], registrar: `127.0.0.1:${registrar.port}` },
    });
    const source = sourceOf(kamailio, { keepalive: true, uac: true });
    const exporter = await startExporter(t, { discovery: { kamailio_rpc: [source] } });
    const all = [a, b, registrar].map((one) => `${uriOf(one)} for proxy-a`);
    await isMonitored(exporter, ...all);
    await exporter.logged(/Kamailio shows only one of several destinations/);
    assert.ok(!exporter.output().includes('S3CRET'));
    await kamailio.stop();
    await startRpcKamailio(t, { ...options, port: kamailio.port });
    await exporter.logged(/uac.reg_dump: expected a result, got the error ..Method Not Found/);
    await exporter.logged(/keepalive.list: expected a result, got the error ..Method Not Found/);
    await isMonitored(exporter, ...all);
  },
);

test(
  'a Kamailio behind a server with TLS and basic authentication is read',
  needs('openssl', 'kamailio', ...RPC_MODULES),
  async (t) => {
    const far = await gateway(t);
    const kamailio = await startRpcKamailio(t, { lines: [{ setid: 1, uri: uriOf(far) }] });
    const authority = Authority.root(t);
    const { cert, key } = authority.issue({ name: 'proxy', alternative: 'IP:127.0.0.1' });
    const password = `Basic ${Buffer.from('prober:S3CRET').toString('base64')}`;
    const server = https.createServer({ cert, key }, (request, response) => {
      if (request.headers.authorization !== password) {
        response.writeHead(401).end('<h1>Unauthorized</h1>');
        return;
      }
      const options = { method: 'POST', headers: request.headers };
      const inner = http.request(kamailio.url, options, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      inner.on('error', () => response.destroy());
      request.pipe(inner);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      server.close();
      server.closeAllConnections();
    });
    const at = server.address();
    const url = `https://127.0.0.1:${typeof at === 'object' && at !== null ? at.port : 0}/RPC`;
    const source = (basic_auth: object, kamailioName: string) => ({
      ...sourceOf({ url }, { kamailio: kamailioName, basic_auth }),
      tls_config: { ca_file: authority.caFile },
    });
    const exporter = await startExporter(t, {
      discovery: {
        kamailio_rpc: [
          source({ username: 'prober', password: 'S3CRET' }, 'proxy-a'),
          source({ username: 'prober', password: 'other' }, 'proxy-b'),
        ],
      },
    });
    await isMonitored(exporter, `${uriOf(far)} for proxy-a`);
    await exporter.logged(/dispatcher.list: expected status 200, got 401/);
    assert.ok(!exporter.output().includes('S3CRET'));
  },
);

test('whatever a server sends instead of a list, the last destinations stay, and a list of another Kamailio replaces them', async (t) => {
  const list = (port: number, attrs: string) =>
    dispatcherAnswer({ 1: [{ uri: `sip:127.0.0.1:${port}`, attrs }] });
  const good = list(9, `duid="a 'b' \n${'x'.repeat(10_240)}"`);
  let send = (response: http.ServerResponse): void => void response.end(good);
  const { port } = await serve(t, (_request, response) => {
    response.setHeader('Content-Type', 'application/json');
    send(response);
  });
  const source = sourceOf({ url: `http://127.0.0.1:${port}/RPC` }, { timeout: 1 });
  const exporter = await startExporter(t, { discovery: { kamailio_rpc: [source] } });
  await isMonitored(exporter, 'sip:127.0.0.1:9 for proxy-a');
  for (const [bad, logged] of [
    [(response) => void response.writeHead(403).end('<h1>no</h1>'), /expected status 200, got 403/],
    [(response) => void response.writeHead(500).end('{"error":'), /expected status 200, got 500/],
    [(response) => void response.end('<html>'), /got a text that is not JSON/],
    [(response) => void response.end(good.slice(0, 200)), /got a text that is not JSON/],
    [(response) => void response.end(Buffer.alloc(100e6, ' ')), /more than 67108864 bytes/],
    [
      (response) => {
        const timer = setInterval(() => response.write('{'), 1000);
        response.on('close', () => clearInterval(timer));
      },
      /expected a response, got no response within 1 s/,
    ],
    [(response) => void response.end(errorAnswer('No Destination Sets')), /No Destination Sets/],
  ] as const satisfies [(response: http.ServerResponse) => void, RegExp][]) {
    send = bad;
    await exporter.logged(logged);
    await eventually('it is a metric', async () => (await exporter.metric(UP)) === 0);
    await isMonitored(exporter, 'sip:127.0.0.1:9 for proxy-a');
    send = (response) => void response.end(good);
    await eventually('it has recovered', async () => (await exporter.metric(UP)) === 1);
  }
  send = (response) => void response.end(list(10, ''));
  await isMonitored(exporter, 'sip:127.0.0.1:10 for proxy-a');
});
