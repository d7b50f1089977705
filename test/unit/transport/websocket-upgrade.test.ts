import assert from 'node:assert/strict';
import { once } from 'node:events';
import type * as net from 'node:net';
import { describe, test } from 'node:test';
import { startUpgrade, switching } from '../../support/websocket-rig.js';

type Headers = Readonly<Record<string, string | undefined>>;

const accept = (far: net.Socket, request: string) => far.write(switching(request));
const acceptWith = (headers: Headers) => (far: net.Socket, request: string) =>
  far.write(switching(request, headers));
const answer = (text: string) => (far: net.Socket) => far.write(text);

const status = (line: string, headers = '') =>
  answer(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\n${headers}\r\n`);

/** The value of a header; undefined without it. */
function header(request: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\r$`, 'im').exec(request)?.[1];
}

describe('the request to upgrade to WebSocket', () => {
  test('names the path, the host and its port, and the subprotocol sip (RFC 7118 4)', async (t) => {
    const { open, request } = await startUpgrade(t, accept, { port: 8080, path: '/sip?a=b' });
    await open();
    assert.match(request(), /^GET \/sip\?a=b HTTP\/1\.1\r\n/);
    assert.equal(header(request(), 'Host'), 'a.example:8080');
    assert.equal(header(request(), 'Sec-WebSocket-Protocol'), 'sip');
    assert.equal(header(request(), 'Sec-WebSocket-Extensions'), undefined);
  });

  for (const [isSecure, port, domain, host, origin] of [
    [false, 80, 'a.example', 'a.example', 'http://a.example'],
    [true, 443, 'a.example', 'a.example', 'https://a.example'],
    [true, 80, '2001:db8::1', '[2001:db8::1]:80', 'https://[2001:db8::1]'],
  ] as const) {
    test(`has the host ${host} for port ${port} of ${domain}, and the origin ${origin}`, async (t) => {
      // The rig has no TLS below the WebSocket; only the request is tested.
      const { open, request } = await startUpgrade(t, accept, { isSecure, port, domain });
      await open();
      assert.deepEqual([header(request(), 'Host'), header(request(), 'Origin')], [host, origin]);
    });
  }

  test('has the origin of the settings, or none', async (t) => {
    for (const [origin, sent] of [
      ['https://phone.example', 'https://phone.example'],
      ['', undefined],
    ] as const) {
      const { open, request } = await startUpgrade(t, accept, { origin });
      await open();
      assert.equal(header(request(), 'Origin'), sent);
    }
  });

  test('that cannot be made is a local error', async (t) => {
    const { failures, socket } = await startUpgrade(t, accept, { path: '/#fragment' });
    assert.equal(failures[0]?.reason, 'local');
    assert.match(failures[0]?.detail ?? '', /fragment/);
    assert.equal(socket.destroyed, true);
  });
});

const UPGRADE = 'the upgrade to WebSocket';

describe('an upgrade to WebSocket', () => {
  for (const [title, act, reason, detail] of [
    [
      'is refused by 403, which the origin may be the reason of',
      status('403 Forbidden'),
      'refused',
      `${UPGRADE} was answered with 403; check ws_origin`,
    ],
    [
      'is refused by 404, which the path may be the reason of',
      status('404 Not Found'),
      'refused',
      `${UPGRADE} was answered with 404; check ws_path`,
    ],
    [
      'is refused by another status',
      status('503 Service Unavailable'),
      'refused',
      `${UPGRADE} was answered with 503`,
    ],
    [
      'does not follow a redirect',
      status('302 Found', 'Location: wss://b.example/sip\r\n'),
      'refused',
      `${UPGRADE} was answered with 302, a redirect to wss://b.example/sip`,
    ],
    [
      'is refused without a subprotocol',
      acceptWith({ 'Sec-WebSocket-Protocol': undefined }),
      'refused',
      'the peer does not support the WebSocket subprotocol sip',
    ],
    [
      'is refused with another subprotocol',
      acceptWith({ 'Sec-WebSocket-Protocol': 'chat' }),
      'refused',
      'the peer does not support the WebSocket subprotocol sip',
    ],
    [
      'is refused without the header Upgrade: websocket',
      acceptWith({ Upgrade: 'h2c' }),
      'refused',
      `the response to ${UPGRADE} has no header Upgrade: websocket`,
    ],
    [
      'is refused with the accept key of another request',
      acceptWith({ 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
      'refused',
      `the response to ${UPGRADE} has a wrong Sec-WebSocket-Accept`,
    ],
    [
      'is refused with an extension that was not offered',
      acceptWith({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }),
      'refused',
      `the response to ${UPGRADE} uses an extension that was not offered`,
    ],
    [
      'that is answered in SIP is malformed',
      answer('SIP/2.0 400 Bad Request\r\n\r\n'),
      'malformed',
      `${UPGRADE} was not answered with HTTP`,
    ],
    [
      'that is answered with endless headers is malformed',
      status('200 OK', `X: ${'x'.repeat(100_000)}\r\n`),
      'malformed',
      `the headers of the response to ${UPGRADE} are too long`,
    ],
    [
      'that is answered with more and more provisional responses is malformed',
      answer('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000)),
      'malformed',
      'the peer floods: more than 200 messages per second',
    ],
    [
      'that the peer closes instead of answering is reset',
      (far: net.Socket) => far.end(),
      'reset',
      'the peer closed the connection during the upgrade',
    ],
    [
      'that the peer closes in the middle of its answer is reset',
      (far: net.Socket) => far.end('HTTP/1.1 101 Switching'),
      'reset',
      'the peer closed the connection during the upgrade',
    ],
    [
      'that the peer resets is reset',
      (far: net.Socket) => far.resetAndDestroy(),
      'reset',
      'the peer closed the connection during the upgrade',
    ],
  ] as const) {
    test(title, async (t) => {
      const { failed, failures, opened, socket } = await startUpgrade(t, act);
      assert.deepEqual(await failed(), { reason, detail });
      assert.equal(socket.destroyed, true);
      if (!socket.closed) await once(socket, 'close');
      assert.deepEqual([failures.length, opened.length], [1, 0]);
    });
  }

  for (const [code, expected] of [
    ['EHOSTUNREACH', { reason: 'unreachable' }],
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      { reason: 'tls', detail: 'the peer requires a client certificate' },
    ],
    [
      'ERR_OF_A_LATER_NODE',
      { reason: 'refused', detail: `the response to ${UPGRADE} is invalid: it broke` },
    ],
  ] as const) {
    test(`whose connection ends with ${code} is "${expected.reason}"`, async (t) => {
      const { failed, socket } = await startUpgrade(t, () => {});
      const syscall = code === 'EHOSTUNREACH' ? { syscall: 'read' } : {};
      socket.destroy(Object.assign(new Error('it broke'), { code, ...syscall }));
      assert.deepEqual(await failed(), expected);
    });
  }

  test('continues after a provisional response (RFC 9110 15.2)', async (t) => {
    const { open, failures } = await startUpgrade(t, (far, request) => {
      far.write(`HTTP/1.1 103 Early Hints\r\n\r\n${switching(request)}`);
    });
    await open();
    assert.deepEqual(failures, []);
  });

  test('that is cancelled reports nothing, and its connection is closed', async (t) => {
    const { cancel, far, opened, failures, faults } = await startUpgrade(t, () => {});
    cancel();
    await once(far, 'close');
    assert.deepEqual([opened, failures, faults], [[], [], []]);
  });
});
