import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { HttpReply, HttpSettings } from '../../../src/platform/http.js';
import { requester } from '../../../src/platform/http-client.js';
import { type Clock, systemClock } from '../../../src/shared/clock.js';
import type { TlsSettings } from '../../../src/shared/destination.js';
import { Authority } from '../../support/certificates.js';
import { FakeClock } from '../../support/fake-clock.js';
import { settings } from '../../support/settings.js';
import { needs } from '../../support/tools.js';

const MAX_BYTES = 10_000;

/** With the system clock, or another one. */
const client = (files: Readonly<Record<string, string>> = {}, clock: Clock = systemClock) =>
  requester({ userAgent: 'test/1', files: () => new Map(Object.entries(files)), clock });

/** Settings of a request to this URL. */
function settingsFor(url: string, changes: Partial<HttpSettings> = {}): HttpSettings {
  return {
    ...{
      url,
      timeoutMs: 60_000,
      tls: settings().tls,
      basicAuth: undefined,
      authorization: undefined,
    },
    ...{ followRedirects: true, ...changes },
  };
}

async function urlOf(t: TestContext, server: http.Server, scheme = 'http'): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Settings of a request to a server with this handler. */
async function serverThat(t: TestContext, answer: http.RequestListener): Promise<HttpSettings> {
  return settingsFor(await urlOf(t, http.createServer(answer)));
}

function get(
  settings: HttpSettings,
  signal = new AbortController().signal,
  request = client(),
): Promise<HttpReply> {
  return request(settings, { method: 'GET', headers: {}, maxBytes: MAX_BYTES }, signal);
}

/** Collects garbage, as V8 does at some time. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe('requests', () => {
  for (const [what, begin] of [
    ['never answers', () => {}],
    [
      'begins an answer and does not end it',
      (response: http.ServerResponse) => response.writeHead(200).write('['),
    ],
  ] as const) {
    test(`a server that ${what} fails the request after its timeout`, async (t) => {
      const clock = new FakeClock();
      let onRequest = () => {};
      const arrived = new Promise<void>((resolve) => {
        onRequest = resolve;
      });
      const server = await serverThat(t, (_request, response) => {
        begin(response);
        onRequest();
      });
      const never = new AbortController().signal;
      const failed = assert.rejects(
        get({ ...server, timeoutMs: 500 }, never, client({}, clock)),
        /^Error: no response within 0.5 s$/,
      );
      await arrived;
      collectGarbage();
      clock.advance(499);
      assert.equal(clock.pending, 1);
      clock.advance(1);
      await failed;
      assert.equal(clock.pending, 0);
    });
  }

  test('a request ends with its signal', async (t) => {
    const closed = new AbortController();
    const server = await serverThat(t, () => closed.abort(new Error('closed')));
    await assert.rejects(get(server, closed.signal), { name: 'AbortError' });
    await assert.rejects(get(server, closed.signal), { name: 'AbortError' });
  });

  test('gzip is offered, and decompressed', async (t) => {
    const server = await serverThat(t, ({ headers }, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      response.end(gzipSync(`offered ${headers['accept-encoding']}`));
    });
    assert.equal(String((await get(server)).body), 'offered gzip');
  });

  for (const [what, coding, body, error] of [
    ['gzip of more bytes than are allowed', 'gzip', gzipSync('x'.repeat(1e7)), /more than 10000/],
    ['gzip that is cut short', 'gzip', gzipSync('x').subarray(0, 12), /unexpected end of file/],
    ['content that is not gzip', 'gzip', Buffer.from('[]'), /incorrect header check/],
    ['another coding', 'br', brotliCompressSync('[]'), /coding gzip or none, got "br"/],
  ] as const) {
    test(`${what} is refused`, async (t) => {
      const server = await serverThat(t, (_request, response) => {
        response.writeHead(200, { 'Content-Encoding': coding }).end(body);
      });
      await assert.rejects(get(server), error);
    });
  }

  test('a body longer than allowed is refused, by its header or by its bytes', async (t) => {
    const server = await serverThat(t, ({ url }, response) => {
      if (url === '/announced') response.setHeader('Content-Length', MAX_BYTES + 1);
      response.write('x'.repeat(MAX_BYTES));
      response.end('x');
    });
    const announced = { ...server, url: `${server.url}announced` };
    await assert.rejects(get(server), /^Error: an answer of more than 10000 bytes$/);
    await assert.rejects(get(announced), /^Error: an answer of more than 10000 bytes$/);
  });

  test('a body of many chunks arrives whole', async (t) => {
    const text = Array.from({ length: 40_000 }, (_, i) => `${i};`).join('');
    const server = await serverThat(t, (_request, response) => {
      response.setHeader('Content-Type', 'text/plain');
      for (let i = 0; i < text.length; i += 50_000) response.write(text.slice(i, i + 50_000));
      response.end();
    });
    const request = { method: 'GET', headers: {} } as const;
    const reply = await client()(server, request, new AbortController().signal);
    assert.equal(reply.contentType, 'text/plain');
    assert.equal(String(reply.body), text);
  });

  test('the reply has Retry-After if the server sends it', async (t) => {
    const server = await serverThat(t, ({ url }, response) => {
      if (url === '/') response.writeHead(429, { 'Retry-After': '7' });
      response.end();
    });
    assert.equal((await get(server)).retryAfter, '7');
    assert.equal((await get({ ...server, url: `${server.url}x` })).retryAfter, undefined);
  });

  test('the password is read from its file if one is configured', async (t) => {
    const server = await serverThat(t, ({ headers }, response) => {
      response.end(`${headers['user-agent']} ${headers.authorization}`);
    });
    const ask = async (passwordFile: string) => {
      const basicAuth = { username: 'bob', password: 'inline', passwordFile };
      const signal = new AbortController().signal;
      return String(
        (await get({ ...server, basicAuth }, signal, client({ '/pw': 'filed\n' }))).body,
      );
    };
    const basic = (password: string) => Buffer.from(`bob:${password}`).toString('base64');
    assert.equal(await ask(''), `test/1 Basic ${basic('inline')}`);
    assert.equal(await ask('/pw'), `test/1 Basic ${basic('filed')}`);
    assert.equal(await ask('/absent'), `test/1 Basic ${basic('')}`);
  });

  test('the credentials of an authorization are sent with their type, from their file if there is one', async (t) => {
    const server = await serverThat(t, ({ headers }, response) => {
      response.end(headers.authorization);
    });
    const ask = async (type: string, credentialsFile: string) => {
      const authorization = { type, credentials: 'inline', credentialsFile };
      const signal = new AbortController().signal;
      const files = client({ '/token': 'filed\n' });
      return String((await get({ ...server, authorization }, signal, files)).body);
    };
    assert.equal(await ask('Bearer', ''), 'Bearer inline');
    assert.equal(await ask('Token', '/token'), 'Token filed');
  });

  test('a redirect is followed if the settings say so, with credentials for the same server only', async (t) => {
    const seen: string[] = [];
    const other = await serverThat(t, ({ headers }, response) => {
      seen.push(`other ${headers.authorization ?? 'without'}`);
      response.end('there');
    });
    const server = await serverThat(t, ({ url, headers }, response) => {
      seen.push(`${url} ${headers.authorization === undefined ? 'without' : 'with'}`);
      const location = url === '/' ? '/é' : other.url;
      response.writeHead(302, { Location: Buffer.from(location).toString('latin1') }).end();
    });
    const basicAuth = { username: 'bob', password: 'x', passwordFile: '' };
    assert.equal(String((await get({ ...server, basicAuth })).body), 'there');
    assert.deepEqual(seen, ['/ with', '/%C3%A9 with', 'other without']);
    const stayed = await get({ ...server, followRedirects: false });
    assert.deepEqual([stayed.status, stayed.location, stayed.body.length], [302, '/é', 0]);
  });
});

test(
  'the settings choose authority, server name and client certificate of TLS',
  needs('openssl'),
  async (t) => {
    const root = Authority.root(t);
    const { cert, key } = root.issue({ name: 'server', alternative: 'DNS:sd.example' });
    const own = root.issue({ name: 'client' });
    const asking = { requestCert: true, rejectUnauthorized: false, ca: root.ca };
    const server = https.createServer({ cert, key, ...asking }, ({ socket }, response) => {
      response.end(`client ${(socket as TLSSocket).getPeerCertificate().subject?.CN}`);
    });
    const url = await urlOf(t, server, 'https');
    const files = { '/ca': root.ca, '/cert': own.cert, '/key': own.key };
    const ask = async (tls: Partial<TlsSettings>) => {
      const changes = { tls: settings({ tls }).tls };
      const signal = new AbortController().signal;
      return String((await get(settingsFor(url, changes), signal, client(files))).body);
    };
    const known = { caFile: '/ca', serverName: 'sd.example' };
    assert.equal(await ask(known), 'client undefined');
    assert.equal(await ask({ ...known, certFile: '/cert', keyFile: '/key' }), 'client client');
    await assert.rejects(ask({ caFile: '/ca' }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await assert.rejects(ask({ serverName: 'sd.example' }), { code: 'SELF_SIGNED_CERT_IN_CHAIN' });
    assert.equal(await ask({ insecureSkipVerify: true }), 'client undefined');

    const elsewhere = https.createServer({ cert, key }, (_request, response) => {
      response.writeHead(302, { Location: url }).end();
    });
    const first = settingsFor(await urlOf(t, elsewhere, 'https'), {
      tls: settings({ tls: { insecureSkipVerify: true, certFile: '/cert', keyFile: '/key' } }).tls,
    });
    const redirected = await get(first, new AbortController().signal, client(files));
    assert.equal(String(redirected.body), 'client undefined', 'a redirect shows no certificate');
  },
);
