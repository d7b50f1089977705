import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { type TestContext, test } from 'node:test';
import { MAX_UNSENT_BYTES } from '../../../src/pinger/transport/channel.js';
import { RateLimit } from '../../../src/pinger/transport/rate-limit.js';
import { StreamChannel } from '../../../src/pinger/transport/stream.js';
import type { TransportFailure } from '../../../src/shared/outcome.js';
import { FakeClock } from '../../support/fake-clock.js';
import { startListener } from '../../support/far-end.js';
import { turnsUntil } from '../../support/turns.js';

const RESPONSE = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n';
const HALF = RESPONSE.slice(0, 20);

/** A channel on loopback, and the other end of its connection. */
async function setUp(t: TestContext, { received = () => {} }: { received?: () => void } = {}) {
  const ends: net.Socket[] = [];
  const { port } = await startListener(t, (far) => ends.push(far));
  const socket = net.connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const far = await turnsUntil('it is accepted', () => ends[0]);
  const events: string[] = [];
  const failures: TransportFailure[] = [];
  const listener = {
    active: () => {
      events.push('active');
    },
    received: (message: Uint8Array) => {
      events.push(`received ${Buffer.from(message)}`);
      received();
    },
    closed: (failure: TransportFailure) => {
      events.push('closed');
      failures.push(failure);
    },
  };
  const channel = new StreamChannel(socket, listener, new RateLimit(new FakeClock()), true);
  let taken = '';
  far.on('data', (bytes) => {
    taken += bytes;
  });
  const failed = () => turnsUntil('it is closed', () => failures[0]);
  return { channel, socket, far, events, failures, failed, taken: () => taken, port };
}

test('messages are received as soon as they are complete, however they arrive', async (t) => {
  const { channel, socket, far, events } = await setUp(t);
  assert.deepEqual(channel.local, { address: '127.0.0.1', port: socket.localPort });
  far.write(HALF);
  await turnsUntil('a part is read', () => channel.isWithinMessage);
  assert.deepEqual(events, ['active']);
  far.write(RESPONSE.slice(20) + RESPONSE);
  await turnsUntil('both are read', () => events.length >= 4);
  assert.deepEqual(events, [
    ...['active', 'active', `received ${RESPONSE}`, `received ${RESPONSE}`],
  ]);
  assert.equal(channel.isWithinMessage, false);
});

test('messages are sent as they are at the time of the call', async (t) => {
  const { channel, taken } = await setUp(t);
  const message = Buffer.from('OPTIONS');
  channel.send(message);
  message.fill(0);
  await turnsUntil('it is sent', () => taken() === 'OPTIONS');
});

test('a keep-alive of the peer is answered (RFC 5626 4.4.1)', async (t) => {
  const { far, events, taken } = await setUp(t);
  far.write('\r\n\r\n');
  await turnsUntil('it is answered', () => taken() === '\r\n');
  assert.deepEqual(events, ['active']);
});

for (const [title, sent, detail] of [
  ['', '', 'the peer closed the connection'],
  [
    ' in the middle of a message',
    HALF,
    'the peer closed the connection in the middle of a message',
  ],
] as const) {
  test(`a peer that closes the connection${title} is reported once`, async (t) => {
    const { far, events, failures, failed } = await setUp(t);
    far.end(Buffer.from(sent));
    assert.deepEqual(await failed(), { reason: 'reset', detail });
    await once(far, 'close');
    assert.deepEqual([failures.length, events.at(-1)], [1, 'closed']);
  });
}

test('a peer that resets the connection is reported with the system error', async (t) => {
  const { far, failed } = await setUp(t);
  far.resetAndDestroy();
  assert.deepEqual(await failed(), { reason: 'reset', detail: 'ECONNRESET' });
});

test('a host that can no longer be reached is unreachable', async (t) => {
  const { socket, failed } = await setUp(t);
  socket.destroy(Object.assign(new Error('read EHOSTUNREACH'), { code: 'EHOSTUNREACH' }));
  assert.deepEqual(await failed(), { reason: 'unreachable' });
});

test('a peer that rejects the client certificate after the handshake is reported as a TLS error', async (t) => {
  const { socket, failed } = await setUp(t);
  const code = 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED';
  socket.destroy(Object.assign(new Error('alert'), { code }));
  const detail = 'the peer requires a client certificate';
  assert.deepEqual(await failed(), { reason: 'tls', detail });
});

test('a peer that does not speak SIP is malformed, and its connection is closed', async (t) => {
  const { socket, far, failed } = await setUp(t);
  far.write('HTTP/1.1 400 Bad Request\r\n\r\n');
  assert.deepEqual(await failed(), { reason: 'malformed', detail: 'first line is not SIP' });
  assert.equal(socket.destroyed, true);
});

test('a peer that floods is disconnected', async (t) => {
  const { far, events, failed } = await setUp(t);
  far.write(RESPONSE.repeat(1000));
  const detail = 'the peer floods: more than 200 messages per second';
  assert.deepEqual(await failed(), { reason: 'malformed', detail });
  assert.equal(events.filter((event) => event.startsWith('received')).length, 200);
});

test('an exception in a listener is not reported as an error of the peer', async (t) => {
  const { socket, failures } = await setUp(t, {
    received: () => {
      throw new RangeError('a bug');
    },
  });
  assert.throws(() => socket.emit('data', Buffer.from(RESPONSE)), RangeError);
  assert.deepEqual(failures, []);
});

test('a channel that is ended closes normally, and reports nothing more', async (t) => {
  const { channel, far, events, taken } = await setUp(t);
  channel.send(Buffer.from('OPTIONS'));
  await turnsUntil('it is sent', () => taken() === 'OPTIONS');
  const ended = once(far, 'end');
  channel.end();
  await ended;
  far.end();
  await once(far, 'close');
  assert.deepEqual(events, []);
});

test('the data for a peer that does not read is limited', async (t) => {
  const { channel, socket, far, events } = await setUp(t);
  far.pause();
  const message = Buffer.alloc(MAX_UNSENT_BYTES);
  const isFull = () => socket.writableLength >= MAX_UNSENT_BYTES;
  await turnsUntil('the socket is full', isFull, () => channel.send(message));
  for (let i = 0; i < 10; i++) channel.send(message);
  assert.ok(socket.writableLength < 2 * MAX_UNSENT_BYTES + message.length);
  channel.end();
  assert.equal(socket.destroyed, true, 'it does not wait for the peer to read');
  assert.deepEqual(events, []);
});
