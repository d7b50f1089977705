import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApp } from '../../../src/http/app.js';
import { exchange, serve } from '../../support/http-server.js';
import { IDLE_SETTINGS, idleApp } from '../../support/idle-app.js';

const NAMES = { externalUrl: 'https://sip.example.com/keepalive', hostNames: ['Monitor'] };

async function serving(t: Parameters<typeof serve>[0]) {
  let reloads = 0;
  const options = idleApp({
    settings: () => ({ ...IDLE_SETTINGS, isAdminEnabled: true, names: NAMES }),
    configText: () => 'the configuration',
    reload: async () => {
      reloads++;
      return undefined;
    },
  });
  const { port } = await serve(t, createApp(options));
  const ask = async (line: string, headers: Readonly<Record<string, string>>) => {
    const lines = Object.entries({ ...headers, Connection: 'close', 'Content-Length': '0' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const text = await exchange(port, `${line} HTTP/1.1\r\n${head}\r\n`);
    return { status: Number(text.slice(9, 12)), text };
  };
  return { ask, reloads: () => reloads };
}

const KNOWN = [
  ...['localhost', 'localhost:10060', 'LOCALHOST', 'localhost.', 'a.localhost', '127.0.0.1:10060'],
  ...['192.0.2.7', '[::1]', '[2001:db8::1]:10060', 'monitor', 'monitor:10060'],
  ...['sip.example.com', 'SIP.example.com:8443'],
];
const FOREIGN = [
  ...['evil.example', 'evil.example:10060', 'localhost.evil.example', '127.0.0.1.evil.example'],
  ...['monitor.evil.example', 'xlocalhost', 'evil', '2130706433', '127.1', '', ':10060', '[evil]'],
  ...['sip.example.com.evil.example', 'localhost:10060.evil.example', 'localhost@evil.example'],
];

test('routes that change things or show secrets answer only under names and addresses of the exporter', async (t) => {
  const { ask, reloads } = await serving(t);
  const paths = ['GET /config', 'GET /logs?id=1', 'GET /probe?debug=true', 'POST /rpc'];
  const silences = ['POST /api/v1/silences', 'DELETE /api/v1/silences/x'];
  for (const line of [...paths, ...silences, 'POST /-/reload', 'GET /CONFIG', 'GET /config/']) {
    for (const Host of KNOWN) assert.notEqual((await ask(line, { Host })).status, 403, Host);
    const before = reloads();
    for (const Host of FOREIGN) {
      const { status, text } = await ask(line, { Host });
      assert.equal(status, 403, `${line} ${Host}`);
      assert.match(text, /web\.external-url/);
      assert.doesNotMatch(text, /the configuration/);
    }
    assert.equal(reloads(), before);
  }
  assert.equal(reloads(), KNOWN.length);
});

test('the host of an absolute target overrides the header', async (t) => {
  const { ask } = await serving(t);
  const headers = { Host: 'localhost' };
  assert.equal((await ask('GET http://evil.example/config', headers)).status, 403);
  assert.equal((await ask('GET http://localhost/config', headers)).status, 200);
});

test('routes for Prometheus, load balancers and Kubernetes answer under every name', async (t) => {
  const { ask } = await serving(t);
  const paths = ['/metrics', '/-/healthy', '/-/ready', '/api/v1/destinations', '/'];
  for (const path of paths) {
    const { status } = await ask(`GET ${path}`, { Host: 'exporter.monitoring.svc:10060' });
    assert.equal(status, 200, path);
  }
  assert.equal((await ask('GET /alive', { Host: 'exporter.monitoring.svc' })).status, 400);
  assert.equal((await ask('GET /probe', { Host: 'exporter.monitoring.svc' })).status, 400);
});

test('a POST of a page of another site is rejected by its Origin or its Sec-Fetch-Site', async (t) => {
  const { ask, reloads } = await serving(t);
  const post = async (headers: Readonly<Record<string, string>>) => {
    const { status } = await ask('POST /-/reload', { Host: 'localhost:10060', ...headers });
    return status;
  };
  for (const headers of [
    { Host: 'evil.example', Origin: 'http://evil.example' },
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: 'nonsense' },
    { Origin: '' },
    { Origin: 'http://localhost' },
    { Origin: 'http://localhost:1' },
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'nonsense' },
    { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://localhost:10060' },
  ]) {
    assert.equal(await post(headers), 403, JSON.stringify(headers));
  }
  assert.equal(reloads(), 0);
  for (const headers of [
    {},
    { Origin: 'http://localhost:10060' },
    { Origin: 'http://LOCALHOST:10060', Host: 'LocalHost:10060' },
    { Origin: 'https://sip.example.com' },
    { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://localhost:10060' },
    { 'Sec-Fetch-Site': 'none' },
  ]) {
    assert.equal(await post(headers), 200, JSON.stringify(headers));
  }
});
