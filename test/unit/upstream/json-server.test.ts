import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { requester } from '../../../src/platform/http-client.js';
import { systemClock } from '../../../src/shared/clock.js';
import { JsonServer } from '../../../src/upstream/json-server.js';
import { UpstreamError } from '../../../src/upstream/upstream-error.js';
import { httpSettings } from '../../support/upstream-rig.js';

const GET = { method: 'GET', headers: {} } as const;

/** A real server with this handler, and a client of it. */
async function serverThat(t: TestContext, handler: http.RequestListener, timeoutMs = 60_000) {
  const server = http.createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return clientOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs);
}

function clientOf(url: string, timeoutMs = 60_000) {
  const clock = systemClock;
  return new JsonServer({
    ...{ name: 'Prometheus', setting: 'web.prometheus_url', clock },
    settings: () => httpSettings(url, { timeoutMs }),
    request: requester({ userAgent: 'test/1', files: () => new Map(), clock }),
  });
}

/** The message of the error, without the port. */
async function errorOf(asked: Promise<unknown>): Promise<string> {
  const error = await asked.then(
    () => assert.fail('it was answered'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof UpstreamError, String(error));
  assert.equal(error.status, 502);
  return error.message.replace(/127\.0\.0\.1:\d+/g, 'HOST');
}

const send =
  (status: number, type: string, body: string, headers: http.OutgoingHttpHeaders = {}) =>
  (_request: http.IncomingMessage, response: http.ServerResponse) => {
    response.writeHead(status, { 'Content-Type': type, ...headers }).end(body);
  };

const JSON_TYPE = 'application/json';

describe('an answer that cannot be used is an error that says where, what was expected and what came:', () => {
  for (const [what, handler, expected] of [
    [
      'HTML',
      send(200, 'text/html', '<html>login</html>'),
      'JSON, got a text that is not JSON (Content-Type "text/html")',
    ],
    [
      'status 401',
      send(401, 'text/plain', 'S3CRET'),
      'status 200, got 401 (see the credentials in web.prometheus_url)',
    ],
    [
      'a redirect to a login',
      send(302, 'text/html', '', { Location: 'https://login.example/?S3CRET' }),
      'status 200, got 302, a redirect that is not followed',
    ],
    [
      'an error of Prometheus',
      send(422, JSON_TYPE, '{"status":"error","errorType":"execution","error":"too many samples"}'),
      'status 200, got 422: "too many samples"',
    ],
    [
      'an error of Alertmanager',
      send(400, JSON_TYPE, '"bad matcher"'),
      'status 200, got 400: "bad matcher"',
    ],
    [
      'an error as long as a book',
      send(500, JSON_TYPE, JSON.stringify('x'.repeat(1_000_000))),
      `status 200, got 500: "${'x'.repeat(116)}...`,
    ],
    [
      'half of the JSON',
      send(200, JSON_TYPE, '{"status":"success","data":{'),
      'JSON, got a text that is not JSON (Content-Type "application/json")',
    ],
    [
      'a connection that ends in the middle',
      (_request: http.IncomingMessage, response: http.ServerResponse) => {
        response.writeHead(200, { 'Content-Length': '1000' }).write('{');
        setImmediate(() => response.destroy());
      },
      'a response, got aborted',
    ],
    [
      '100 MB by its Content-Length',
      send(200, JSON_TYPE, '', { 'Content-Length': String(100 << 20) }),
      'a response, got an answer of more than 2097152 bytes',
    ],
    [
      '100 MB without a length',
      (_request: http.IncomingMessage, response: http.ServerResponse) => {
        const chunk = Buffer.alloc(1 << 20, ' ');
        const more = () => {
          if (!response.destroyed) response.write(chunk, more);
        };
        response.writeHead(200, { 'Content-Type': JSON_TYPE });
        more();
      },
      'a response, got an answer of more than 2097152 bytes',
    ],
    [
      'no HTTP',
      (request: http.IncomingMessage) => request.socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
      'a response, got Parse Error: Expected HTTP/, RTSP/ or ICE/',
    ],
  ] as const) {
    test(what, async (t) => {
      const server = await serverThat(t, handler);
      const message = await errorOf(server.ask('/api/v1/query', GET));
      assert.equal(message, `Prometheus at http://HOST: expected ${expected}`);
    });
  }

  test('none in time', async (t) => {
    const server = await serverThat(t, () => {}, 100);
    assert.equal(
      await errorOf(server.ask('/', GET)),
      'Prometheus at http://HOST: expected a response, got none within 0.1 s',
    );
  });

  test('a closed port', async () => {
    const server = http.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    assert.equal(
      await errorOf(clientOf(`http://127.0.0.1:${port}`).ask('/', GET)),
      'Prometheus at http://HOST: expected a response, got connect ECONNREFUSED HOST',
    );
    // Both addresses of the name fail, and Node.js has no message for that.
    const named = await errorOf(clientOf(`http://localhost:${port}`).ask('/', GET));
    assert.match(named, /: expected a response, got connect ECONNREFUSED /);
  });
});

describe('requests', () => {
  test('go to a path below the configured URL, whether or not it ends in a slash', async (t) => {
    const paths: (string | undefined)[] = [];
    const server = await serverThat(t, ({ url }, response) => {
      paths.push(url);
      response.end('[]');
    });
    assert.deepEqual(await server.ask('/api/v2/silences', GET), []);
    await clientOf(`${server.settings.url}/am/`).ask('/api/v2/silences', GET);
    await clientOf(`${server.settings.url}/am`).ask('/api/v2/silences', GET);
    const below = '/am/api/v2/silences';
    assert.deepEqual(paths, ['/api/v2/silences', below, below]);
  });

  test('run four at a time, in order, and every one is answered', async (t) => {
    const waiting: (() => void)[] = [];
    let most = 0;
    const order: (string | undefined)[] = [];
    const server = await serverThat(t, ({ url }, response) => {
      order.push(url);
      most = Math.max(
        most,
        waiting.push(() => response.end(JSON.stringify(url))),
      );
      if (waiting.length < 4) return;
      setTimeout(() => {
        for (const answer of waiting.splice(0)) answer();
      }, 20);
    });
    const paths = Array.from({ length: 32 }, (_, i) => `/${i}`);
    const answers = await Promise.all(paths.map((path) => server.ask(path, GET)));
    assert.deepEqual(answers, paths);
    assert.equal(most, 4);
    assert.deepEqual(new Set(order.slice(0, 4)), new Set(paths.slice(0, 4)));
  });

  test('that wait for a server that hangs fail with it, and more than 64 do not wait', async (t) => {
    const server = await serverThat(t, () => {}, 300);
    const asked = Array.from({ length: 70 }, () => errorOf(server.ask('/', GET)));
    const errors = await Promise.all(asked);
    const late = errors.filter((error) => error.endsWith('got none within 0.3 s'));
    const rejected = errors.filter((error) => error.endsWith('got more: it answers too slowly'));
    assert.deepEqual([late.length, rejected.length], [68, 2]);
  });

  test('work again after a server has failed', async (t) => {
    let isBroken = true;
    const server = await serverThat(t, (_request, response) => {
      response.statusCode = isBroken ? 500 : 200;
      response.end('1');
    });
    for (let i = 0; i < 10; i++) await errorOf(server.ask('/', GET));
    isBroken = false;
    assert.equal(await server.ask('/', GET), 1);
  });

  test('of a server that is not set are refused with the setting', async () => {
    const server = new JsonServer({
      ...{ name: 'Alertmanager', setting: 'web.alertmanager_url', clock: systemClock },
      ...{ settings: () => undefined, request: () => assert.fail('it is asked') },
    });
    await assert.rejects(server.ask('/', GET), (error) => {
      assert.ok(error instanceof UpstreamError);
      assert.equal(error.status, 501);
      assert.equal(
        error.message,
        'set web.alertmanager_url (--web.alertmanager_url=URL) to ask Alertmanager',
      );
      return true;
    });
  });
});
