import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage, type RequestListener } from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setImmediate as nextRound } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { createApp } from '../../../src/http/app.js';
import type { ClientPolicy } from '../../../src/http/server/client-certificate.js';
import { Connections, connectionLimit } from '../../../src/http/server/connections.js';
import { listen, listenOnAll } from '../../../src/http/server/server.js';
import type { WebConfig } from '../../../src/http/server/web-config.js';
import { openFileLimit } from '../../../src/platform/open-files.js';
import type { ListenAddress } from '../../../src/shared/listen-address.js';
import { Authority } from '../../support/certificates.js';
import { FakeClock } from '../../support/fake-clock.js';
import { connect, exchange, serve } from '../../support/http-server.js';
import { idleApp } from '../../support/idle-app.js';
import { eventually, folder } from '../../support/process.js';
import { needs } from '../../support/tools.js';

const get = (path: string, more = '') => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
const last = 'Connection: close\r\n';

/** Answers with the path after some rounds of the event loop; `/hold` never. */
const echo: RequestListener = async (request, response) => {
  if (request.url === '/hold') return;
  for (let i = 0; i < 3; i++) await nextRound();
  response.end(`<${request.url}>`);
};

/** As `echo`, and counts the requests for `/hold`: each keeps a connection in use. */
function holding() {
  const handler: RequestListener = (request, response) => {
    if (request.url === '/hold') holds.count++;
    echo(request, response);
  };
  const holds = { handler, count: 0 };
  return holds;
}

test('pipelined requests are all answered, in order and one at a time', async (t) => {
  let active = 0;
  let max = 0;
  const { port } = await serve(t, (request, response) => {
    active++;
    max = Math.max(max, active);
    response.prependOnceListener('close', () => active--);
    echo(request, response);
  });
  for (const count of [2, 20, 101]) {
    const requests = Array.from({ length: count }, (_, i) =>
      get(`/${i}`, i === count - 1 ? last : ''),
    );
    const text = await exchange(port, requests.join(''));
    const answered = [...text.matchAll(/<\/(\d+)>/g)].map(([, n]) => Number(n));
    assert.deepEqual(answered, [...requests.keys()]);
  }
  assert.equal(max, 1);
});

test('pipelined requests beyond the bound close the connection with 503 and Retry-After', async (t) => {
  const { port } = await serve(t, echo);
  const text = await exchange(port, get('/x').repeat(5_000));
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  assert.ok(statuses.length >= 102, `${statuses.length} answers`);
  assert.equal(statuses.at(-1), 503);
  assert.ok(statuses.slice(0, -1).every((status) => status === 200));
  assert.match(text.slice(text.lastIndexOf('HTTP/1.1')), /Retry-After: 1\r\nConnection: close\r\n/);
});

test('twenty pipelined requests for /metrics get twenty complete responses', async (t) => {
  const app = createApp(idleApp());
  const { port } = await serve(t, app);
  for (let round = 0; round < 5; round++) {
    const text = await exchange(port, get('/metrics').repeat(19) + get('/metrics', last));
    assert.equal(text.match(/HTTP\/1\.1 200 OK/g)?.length, 20);
    assert.equal(text.match(/^sip_keepalive_exporter_build_info/gm)?.length, 20);
  }
});

test('at the limit a new connection replaces the one that has been idle longest', async (t) => {
  const holds = holding();
  const { port, connections } = await serve(t, holds.handler, 8);
  const busy = await connect(t, port);
  busy.write(get('/hold'));
  await eventually('it is in use', () => holds.count === 1);
  const idle = await Promise.all(Array.from({ length: 40 }, () => connect(t, port)));
  const closed = new Set<number>();
  for (const [i, socket] of idle.entries()) socket.resume().once('close', () => closed.add(i));
  assert.match(await exchange(port, get('/a', last)), /<\/a>/);
  await eventually('idle connections are closed', () => closed.size >= 33);
  assert.ok(!busy.destroyed && !busy.readableEnded);
  assert.ok(connections.open <= 8);
  assert.ok(connections.dropped >= 33, `${connections.dropped}`);
});

test('a client that keeps sending requests keeps its connection while silent ones come and go', async (t) => {
  const { port, connections } = await serve(t, echo, 8);
  const client = await connect(t, port);
  let text = '';
  client.on('data', (data) => {
    text += data;
  });
  for (let i = 0; i < 5; i++) {
    client.write(get(`/${i}`));
    await eventually('it is answered', () => text.includes(`</${i}>`));
    await Promise.all(Array.from({ length: 30 }, () => connect(t, port)));
  }
  assert.ok(!client.readableEnded && !client.destroyed);
  await eventually('silent ones are closed', () => connections.dropped >= 5 * 30 - 8);
  assert.ok(!client.readableEnded && !client.destroyed);
});

test('at the limit, with every connection in use, a new one is closed and counted', async (t) => {
  const holds = holding();
  const { port, connections } = await serve(t, holds.handler, 8);
  const all = await Promise.all(Array.from({ length: 8 }, () => connect(t, port)));
  for (const socket of all) socket.write(get('/hold'));
  // A connection that is open is in use only once its request has arrived.
  await eventually('all are in use', () => holds.count === 8);
  assert.equal(await exchange(port, get('/a', last)), '');
  assert.equal(connections.dropped, 1);
  const [first] = all;
  first?.destroy();
  await eventually('there is room', () => connections.open === 7);
  assert.match(await exchange(port, get('/b', last)), /<\/b>/);
});

test('HTTP may use a quarter of the descriptors, within bounds', () => {
  assert.equal(connectionLimit(256), 64);
  assert.equal(connectionLimit(1024), 256);
  assert.equal(connectionLimit(10), 8);
  assert.equal(connectionLimit(1_048_576), 1_000);
  assert.equal(connectionLimit(undefined), 1_000);
  const limit = openFileLimit();
  assert.ok(limit === undefined || limit > 10, String(limit));
});

const long = (length: number) => 'a'.repeat(length);
/** Each affects only its own connection. */
const HOSTILE: Readonly<Record<string, string | Buffer>> = {
  'both Content-Length and Transfer-Encoding': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n`,
  'two lengths': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456`,
  'a negative length': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n`,
  'a length without end': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${'9'.repeat(40)}\r\n\r\n`,
  'a length that does not come': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`,
  'a chunk size that is none': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
  'a chunk size without end': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\n`,
  'a chunk extension without end': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;${long(100_000)}`,
  'an encoding that is unknown': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: x, chunked\r\n\r\n0\r\n\r\n`,
  'a compressed body that is none': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd`,
  'a charset that is none': `POST /rpc HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain; charset=x\r\nContent-Length: 4\r\n\r\nabcd`,
  'headers beyond the bound': get('/', `X: ${long(200_000)}\r\n`),
  'very many headers': get('/', 'X: y\r\n'.repeat(5_000)),
  'a NUL in a header': get('/', 'X: \0\r\n'),
  'a bare CR': 'GET / HTTP/1.1\rHost: localhost\r\r',
  'a folded header': get('/', 'X: a\r\n b\r\n'),
  'a header without a name': get('/', ': x\r\n'),
  'a blank before the colon': get('/', 'Content-Length : 5\r\n'),
  'no Host': 'GET / HTTP/1.1\r\n\r\n',
  'two Hosts': get('/', 'Host: b\r\n'),
  'a Host that is none': 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n',
  'a path of escapes': get(`/${'%2e%2e/'.repeat(1_500)}etc/passwd`),
  'an escape that is none': get('/api/v1/destinations/%E0%A4%A'),
  'a NUL in the path': get('/api/v1/destinations/%00'),
  'many slashes': get('/'.repeat(10_000)),
  'a query without end': get(`/metrics?${'a=b&'.repeat(3_500)}`),
  'a query of brackets': get(`/alive?destination${'[a]'.repeat(3_000)}=1`),
  '__proto__ in the query': get('/alive?__proto__=1&constructor=2&destination=__proto__'),
  'an absolute target': get('http://evil.example/metrics'),
  'an absolute target that is none': get('http://[::1/metrics'),
  'a target of a star': 'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  CONNECT: 'CONNECT evil.example:25 HTTP/1.1\r\nHost: evil.example:25\r\n\r\n',
  TRACE: 'TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'a method that is none': 'FROBNICATE / HTTP/1.1\r\nHost: localhost\r\n\r\n',
  'an upgrade': get('/', 'Upgrade: websocket\r\nConnection: Upgrade\r\n'),
  'an upgrade to HTTP/2': get('/', 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n'),
  'an expectation that is unknown': get('/', 'Expect: 42\r\n'),
  'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'HTTP/0.9': 'GET /\r\n',
  'HTTP/9.9': 'GET / HTTP/9.9\r\nHost: localhost\r\n\r\n',
  'an Accept that is none': get('/metrics', `Accept: ${';q='.repeat(2_000)},\r\n`),
  'a gzip of many kinds': get('/metrics', `Accept-Encoding: ${'gzip;q=0.1,'.repeat(500)}\r\n`),
  'a Last-Event-ID that is none': `HEAD /api/v1/events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: \xff\r\n\r\n`,
  TLS: Buffer.from('16030100c8010000c40303', 'hex'),
  SIP: 'OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP x\r\n\r\n',
  zeros: Buffer.alloc(100_000),
  lines: '\r\n'.repeat(50_000),
  noise: Buffer.from(Array.from({ length: 20_000 }, (_, i) => (i * 7919 + (i >> 3)) & 255)),
};

test('hostile requests affect only their own connection', async (t) => {
  const errors: string[] = [];
  const app = createApp({
    ...idleApp(),
    onError: (error, path) => errors.push(`${path}: ${error}`),
  });
  const { port, connections } = await serve(t, app);
  for (const [name, bytes] of Object.entries(HOSTILE)) {
    const answers = await Promise.all([exchange(port, bytes, 50), exchange(port, get('/', last))]);
    assert.match(answers[1], /^HTTP\/1\.1 200/, name);
    assert.ok(answers[0].length < 200_000, name);
    assert.ok(!/\bat .*\.js|node_modules/.test(answers[0]), `${name}: no stack in ${answers[0]}`);
    // A client may disconnect after any byte.
    const cut = Math.floor(bytes.length / 2);
    await exchange(port, bytes.slice(0, cut), 5);
  }
  await eventually('all are closed', () => connections.open === 0);
  assert.deepEqual(errors, []);
});

test('a request that cannot be read gets the reason, and none in the middle of another answer', async (t) => {
  const { port } = await serve(t, echo);
  for (const [bytes, status, reason] of [
    [get(`/?${long(100_000)}`), '431 Request Header Fields Too Large', /at most 16384 bytes/],
    [get('/', `X: ${long(100_000)}\r\n`), '431 Request Header Fields Too Large', /at most 16384/],
    ['SSH-2.0-OpenSSH_9.2\r\n\r\n', '400 Bad Request', /expected HTTP/],
  ] as const) {
    const answer = await exchange(port, bytes);
    assert.equal(answer.slice('HTTP/1.1 '.length, answer.indexOf('\r\n')), status);
    assert.match(answer, reason);
  }
  assert.equal(await exchange(port, `${get('/hold')}SSH-2.0-OpenSSH_9.2\r\n\r\n`), '');
});

test('a client that resets its connection during a response affects no other', async (t) => {
  const { port, connections } = await serve(t, (_request, response) => {
    const write = () => {
      if (!response.destroyed) response.write('x'.repeat(10_000), () => setImmediate(write));
    };
    write();
    // A handler may write before it notices.
    response.once('close', () => {
      response.write('y');
      response.end('z');
    });
  });
  for (let i = 0; i < 10; i++) {
    const socket = await connect(t, port);
    socket.write(get('/'));
    await once(socket, 'data');
    socket.resetAndDestroy();
  }
  await eventually('all are closed', () => connections.open === 0);
});

/** A server whose configuration, clock and errors the test controls. */
function listening({
  host = '127.0.0.1',
  port = 0,
  webConfig = undefined as (() => Pick<WebConfig, 'tls'>) | undefined,
  at = { kind: 'tcp', host, port } as ListenAddress,
} = {}) {
  const errors: unknown[] = [];
  const clock = new FakeClock();
  const server = listen({
    handler: (_request, response) => response.end('in'),
    ...{ at, webConfig, clock },
    connections: new Connections(100, () => clock.now()),
    onError: (error) => errors.push(error),
  });
  return { server, clock, errors };
}

test('the URL has the actual port, and brackets for IPv6; without a host the server listens on every address', async (t) => {
  for (const [host, pattern] of [
    ['127.0.0.1', /^http:\/\/127\.0\.0\.1:[1-9]\d*\/$/],
    ['::1', /^http:\/\/\[::1\]:[1-9]\d*\/$/],
    ['', /^http:\/\/localhost:[1-9]\d*\/$/],
  ] as const) {
    const server = await listening({ host }).server;
    t.after(() => server.close());
    assert.match(server.url, pattern);
    const port = Number(new URL(server.url).port);
    const [response] = (await once(httpGet({ port, host: host || '127.0.0.1' }), 'response')) as [
      IncomingMessage,
    ];
    response.resume();
    assert.equal(response.statusCode, 200);
  }
});

test('a port in use is an error of the start', async (t) => {
  const server = await listening().server;
  t.after(() => server.close());
  const port = Number(new URL(server.url).port);
  await assert.rejects(listening({ port }).server, { code: 'EADDRINUSE' });
});

test('closing ends open connections, and frees the port', async (t) => {
  const server = await listening().server;
  const port = Number(new URL(server.url).port);
  const idle = await connect(t, port);
  idle.resume();
  const closed = once(idle, 'close');
  await server.close();
  await closed;
  const again = await listening({ port }).server;
  await again.close();
});

test('errors of accepting are reported once a minute, and each closes an idle connection', async (t) => {
  const servers: net.Server[] = [];
  const original = net.Server.prototype.listen;
  t.mock.method(net.Server.prototype, 'listen', function (this: net.Server, ...args: unknown[]) {
    servers.push(this);
    return Reflect.apply(original, this, args);
  });
  const { server, clock, errors } = listening();
  const { close } = await server;
  t.after(close);
  const [accepting] = servers;
  const fail = () =>
    accepting?.emit('error', Object.assign(new Error('accept EMFILE'), { syscall: 'accept' }));
  for (let i = 0; i < 1_000; i++) fail();
  assert.equal(errors.length, 1);
  clock.advance(59_999);
  fail();
  assert.equal(errors.length, 1);
  clock.advance(1);
  fail();
  assert.equal(errors.length, 2);
});

test('over TLS a new connection gets the certificate in force', needs('openssl'), async (t) => {
  const root = Authority.root(t);
  const issue = (name: string) => {
    const { cert, key } = root.issue({ name });
    const clients = { type: 'NoClientCert', allowedSans: undefined } as const;
    return { tls: { context: { cert, key }, clients } };
  };
  let config: Pick<WebConfig, 'tls'> = issue('first');
  const server = await listening({ webConfig: () => config }).server;
  t.after(() => server.close());
  assert.match(server.url, /^https:/);
  const port = Number(new URL(server.url).port);
  const shownName = async () => {
    const options = { host: '127.0.0.1', port, ca: root.ca, agent: false };
    const request = https.get({ ...options, checkServerIdentity: () => undefined });
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    const { subject } = (response.socket as TLSSocket).getPeerCertificate();
    response.resume();
    return subject.CN;
  };
  assert.equal(await shownName(), 'first');
  config = issue('second');
  assert.equal(await shownName(), 'second');
  assert.equal(await shownName(), 'second');
});

describe('a Unix domain socket', () => {
  const at = (path: string): ListenAddress => ({ kind: 'unix', path });
  const status = async (socketPath: string) => {
    const [response] = (await once(httpGet({ socketPath, agent: false }), 'response')) as [
      IncomingMessage,
    ];
    response.resume();
    return response.statusCode;
  };

  test('is served, and is gone after the end', async (t) => {
    const path = join(folder(t), 'web.sock');
    const server = await listening({ at: at(path) }).server;
    assert.equal(server.url, `unix:${path}`);
    for (let i = 0; i < 3; i++) assert.equal(await status(path), 200);
    await server.close();
    assert.ok(!existsSync(path));
  });

  test('replaces one that a killed process left, and no other file', async (t) => {
    const path = join(folder(t), 'web.sock');
    const leave = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', leave]);
    assert.ok(existsSync(path));
    const server = await listening({ at: at(path) }).server;
    t.after(() => server.close());
    assert.equal(await status(path), 200);
    await assert.rejects(listening({ at: at(path) }).server, { code: 'EADDRINUSE' });
    assert.equal(await status(path), 200, 'the first one is not disturbed');
    const file = join(folder(t), 'file');
    writeFileSync(file, 'mine');
    await assert.rejects(listening({ at: at(file) }).server, { code: 'EADDRINUSE' });
    assert.equal(readFileSync(file, 'utf8'), 'mine');
    await assert.rejects(listening({ at: at('/absent/web.sock') }).server, { syscall: 'listen' });
  });
});

test('of several addresses all are served, or none', async (t) => {
  const first = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
  const clock = new FakeClock();
  const options = {
    ...{ handler: echo, webConfig: undefined, clock, onError: () => {} },
    connections: new Connections(10, () => 0),
  };
  const servers = await listenOnAll([first, { ...first, host: '::1' }], options);
  for (const server of servers) t.after(() => server.close());
  for (const { url } of servers) assert.equal(await (await fetch(`${url}x`)).text(), '</x>');
  const taken = Number(new URL(servers[0]?.url ?? '').port);
  const path = join(folder(t), 'web.sock');
  const wrong = [{ kind: 'unix', path } as const, { ...first, port: taken }];
  await assert.rejects(listenOnAll(wrong, options), { code: 'EADDRINUSE' });
  assert.ok(!existsSync(path));
});

test('over TLS a client connects by the policy in force', needs('openssl'), async (t) => {
  const root = Authority.root(t);
  const server = root.issue({ name: 'exporter' });
  const known = root.issue({ name: 'known', alternative: 'DNS:a.example' });
  const context = { cert: server.cert, key: server.key, ca: root.ca };
  let clients: ClientPolicy = { type: 'RequireAndVerifyClientCert', allowedSans: undefined };
  const webConfig = () => ({ tls: { context, clients } });
  const listened = await listening({ webConfig }).server;
  t.after(() => listened.close());
  const port = Number(new URL(listened.url).port);
  const answers = (certificate: { cert?: string; key?: string }) =>
    new Promise<boolean>((resolve) => {
      const { cert, key } = certificate;
      const own = cert === undefined || key === undefined ? {} : { cert, key };
      const options = { host: '127.0.0.1', port, ca: root.ca, agent: false, ...own };
      const request = https.get({ ...options, checkServerIdentity: () => undefined });
      request.on('response', (response) => {
        response.resume();
        resolve(true);
      });
      request.on('error', () => resolve(false));
    });
  const foreign = Authority.root(t).issue({ name: 'foreign' });
  const all = async () => [await answers({}), await answers(foreign), await answers(known)];
  assert.deepEqual(await all(), [false, false, true]);
  clients = { type: 'RequireAnyClientCert', allowedSans: undefined };
  assert.deepEqual(await all(), [false, true, true]);
  clients = { type: 'VerifyClientCertIfGiven', allowedSans: undefined };
  assert.deepEqual(await all(), [true, false, true]);
  clients = { type: 'RequireAndVerifyClientCert', allowedSans: ['b.example'] };
  assert.deepEqual(await all(), [false, false, false]);
  clients = { type: 'RequireAndVerifyClientCert', allowedSans: ['a.example'] };
  assert.deepEqual(await all(), [false, false, true]);
});
