import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { readConfig } from '../../../src/config/config.js';
import type { HttpSettings } from '../../../src/config/source-settings.js';
import { requester } from '../../../src/webhooks/http-client.js';

const MAX_BYTES = 10_000;
const request = requester('test', () => new Map());

/** The settings of a request to a server that answers so. */
async function serverThat(
  t: TestContext,
  answer: http.RequestListener,
  timeout = 60,
): Promise<HttpSettings> {
  const server = http.createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const content = { discovery: { http_sd: [{ url, timeout }] } };
  const flags = { given: {}, help: false, version: false };
  const [source] = readConfig({ flags, env: {}, version: '1', content }).sources;
  assert.ok(source?.kind === 'http_sd');
  return source.http;
}

function ask(settings: HttpSettings, signal = new AbortController().signal) {
  return request(settings, { method: 'GET', headers: {}, maxBytes: MAX_BYTES }, signal);
}

/** Collects garbage, which V8 does by itself sooner or later. */
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
    test(`a server that ${what} is given up in time, whatever is collected meanwhile`, async (t) => {
      let isAsked = () => {};
      const asked = new Promise<void>((resolve) => {
        isAsked = resolve;
      });
      const settings = await serverThat(
        t,
        (_request, response) => {
          begin(response);
          isAsked();
        },
        0.5,
      );
      const failed = assert.rejects(ask(settings), /no answer within 0.5 s/);
      await asked;
      collectGarbage();
      await failed;
    });
  }

  test('a request ends with its signal', async (t) => {
    const closed = new AbortController();
    const settings = await serverThat(t, () => closed.abort(new Error('closed')));
    await assert.rejects(ask(settings, closed.signal), { name: 'AbortError' });
    await assert.rejects(ask(settings, closed.signal), { name: 'AbortError' });
  });

  test('gzip is asked for, and taken', async (t) => {
    const settings = await serverThat(t, ({ headers }, response) => {
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      response.end(gzipSync(`asked for ${headers['accept-encoding']}`));
    });
    assert.equal(String((await ask(settings)).body), 'asked for gzip');
  });

  for (const [what, coding, body, error] of [
    ['gzip that comes to more than is wanted', 'gzip', gzipSync('x'.repeat(1e7)), /at most 10000/],
    ['gzip that is cut short', 'gzip', gzipSync('x').subarray(0, 12), /unexpected end of file/],
    ['what is no gzip', 'gzip', Buffer.from('[]'), /incorrect header check/],
    ['another coding', 'br', brotliCompressSync('[]'), /coding gzip or none, got "br"/],
  ] as const) {
    test(`${what} is refused`, async (t) => {
      const settings = await serverThat(t, (_request, response) => {
        response.writeHead(200, { 'Content-Encoding': coding }).end(body);
      });
      await assert.rejects(ask(settings), error);
    });
  }
});
