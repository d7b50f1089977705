import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { MAX_UNSENT_BYTES } from '../../../src/pinger/transport/channel.js';
import { MAX_BODY_LENGTH, MAX_HEAD_LENGTH } from '../../../src/pinger/transport/framer.js';
import { WebSocketChannel } from '../../../src/pinger/transport/websocket.js';
import type { TransportFailure } from '../../../src/shared/outcome.js';
import { frame } from '../../support/far-end.js';
import { turnsUntil } from '../../support/turns.js';
import { startUpgrade, switching } from '../../support/websocket-rig.js';

/** Opcodes (RFC 6455 5.2). */
const [CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG] = [0, 1, 2, 8, 9, 10];
const FIN = 0x80;
const RESPONSE = 'SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n';

/** An open channel on loopback, and the other end of its connection. */
async function setUp(t: TestContext) {
  const upgrading = await startUpgrade(t, (far, request) => far.write(switching(request)));
  const { socket, far, rateLimit } = upgrading;
  const ws = await upgrading.open();
  const events: string[] = [];
  const failures: TransportFailure[] = [];
  const listener = {
    active: () => {
      events.push('active');
    },
    received: (message: Uint8Array) => {
      events.push(`received ${Buffer.from(message)}`);
    },
    closed: (failure: TransportFailure) => {
      events.push('closed');
      failures.push(failure);
    },
  };
  const channel = new WebSocketChannel(ws, socket, listener, rateLimit);
  let taken = Buffer.alloc(0);
  far.on('data', (bytes) => {
    taken = Buffer.concat([taken, bytes]);
  });
  const failed = () => turnsUntil('it is closed', () => failures[0]);
  return { ...upgrading, ws, channel, events, failures, failed, frames: () => framesIn(taken) };
}

/** The frames of a client that are complete: opcode and unmasked text (RFC 6455 5.3). */
function framesIn(bytes: Buffer): readonly (readonly [opcode: number, text: string])[] {
  const frames: [number, string][] = [];
  for (let at = 0; at + 6 <= bytes.length; ) {
    const length = (bytes[at + 1] ?? 0) & 0x7f;
    assert.ok(length < 126, 'the frames of these tests are short');
    const mask = bytes.subarray(at + 2, at + 6);
    const payload = bytes.subarray(at + 6, at + 6 + length);
    if (payload.length < length) break;
    const text = Buffer.from(payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))).toString(
      'latin1',
    );
    frames.push([(bytes[at] ?? 0) & 0x0f, text]);
    at += 6 + length;
  }
  return frames;
}

/** A fragment of a message; the FIN bit in its first byte marks the last one. */
function fragment(first: number, text: string): Buffer {
  return Buffer.concat([Buffer.from([first, text.length]), Buffer.from(text)]);
}

test('each frame is a message, text or binary, and each is received', async (t) => {
  const { channel, socket, far, events } = await setUp(t);
  assert.deepEqual(channel.local, { address: '127.0.0.1', port: socket.localPort });
  far.write(Buffer.concat([frame(TEXT, RESPONSE), frame(BINARY, RESPONSE)]));
  await turnsUntil('both are received', () => events.length >= 4);
  const one = ['active', `received ${RESPONSE}`];
  assert.deepEqual(events, [...one, ...one]);
});

test('a message in fragments is received when it is complete', async (t) => {
  const { far, events } = await setUp(t);
  far.write(fragment(TEXT, RESPONSE.slice(0, 10)));
  far.write(fragment(FIN | CONTINUATION, RESPONSE.slice(10)));
  await turnsUntil('it is received', () => events.length >= 2);
  assert.deepEqual(events, ['active', `received ${RESPONSE}`]);
});

test('a message is sent as it is at the time of the call, as one text frame (RFC 7118 5)', async (t) => {
  const { channel, frames } = await setUp(t);
  const message = Buffer.from('OPTIONS');
  channel.send(message);
  message.fill(0);
  await turnsUntil('it is sent', () => frames().length > 0);
  assert.deepEqual(frames(), [[TEXT, 'OPTIONS']]);
});

test('a ping is answered with its data, and is a sign of life of the peer', async (t) => {
  const { far, events, frames } = await setUp(t);
  far.write(Buffer.concat([frame(PING, 'still there?'), frame(PONG, '')]));
  await turnsUntil('it is answered', () => frames().length > 0 && events.length >= 2);
  assert.deepEqual(frames(), [[PONG, 'still there?']]);
  assert.deepEqual(events, ['active', 'active']);
});

test('a keep-alive of RFC 5626 is answered, and a single line break is not (RFC 7118 6)', async (t) => {
  const { far, events, frames } = await setUp(t);
  far.write(Buffer.concat([frame(TEXT, '\r\n'), frame(TEXT, '\r\n\r\n')]));
  await turnsUntil('it is answered', () => frames().length > 0);
  assert.deepEqual(frames(), [[TEXT, '\r\n']]);
  assert.deepEqual(events, ['active', 'active']);
});

const LOST = 'the peer closed the connection without closing the WebSocket';

for (const [title, bytes, detail] of [
  [
    'that closes the WebSocket',
    frame(CLOSE, Buffer.from([3, 0xe9])),
    'the peer closed the WebSocket with code 1001',
  ],
  ['that closes only the connection', Buffer.alloc(0), LOST],
  [
    'that closes the connection in the middle of a frame',
    frame(TEXT, RESPONSE).subarray(0, 20),
    LOST,
  ],
  ['that closes the connection in the middle of a message', fragment(TEXT, RESPONSE), LOST],
] as const) {
  test(`a peer ${title} is reported once`, async (t) => {
    const { far, failures, failed, socket } = await setUp(t);
    far.end(bytes);
    assert.deepEqual(await failed(), { reason: 'reset', detail });
    if (!socket.closed) await once(socket, 'close');
    assert.equal(failures.length, 1);
  });
}

test('a peer that resets the connection is reported', async (t) => {
  const { far, failed } = await setUp(t);
  far.resetAndDestroy();
  assert.deepEqual(await failed(), { reason: 'reset', detail: LOST });
});

test('a host that can no longer be reached is unreachable', async (t) => {
  const { socket, failed } = await setUp(t);
  socket.destroy(Object.assign(new Error('read EHOSTUNREACH'), { code: 'EHOSTUNREACH' }));
  assert.deepEqual(await failed(), { reason: 'unreachable' });
});

for (const [title, bytes, detail] of [
  ['of an unknown kind', frame(3, 'x'), /invalid opcode 3/],
  ['with reserved bits', Buffer.from([0xc1, 0]), /RSV1/],
  [
    'longer than a SIP message may be',
    Buffer.from([FIN | TEXT, 127, 0, 0, 0, 0, ...lengthOf(MAX_HEAD_LENGTH + MAX_BODY_LENGTH + 1)]),
    /Max payload size exceeded/,
  ],
] as const) {
  test(`a frame ${title} is malformed, and the connection is closed`, async (t) => {
    const { far, failed, socket } = await setUp(t);
    far.write(bytes);
    const { reason, detail: text = '' } = await failed();
    assert.equal(reason, 'malformed');
    assert.match(text, detail);
    assert.equal(socket.destroyed, true);
  });
}

test('a peer that floods is disconnected, which is not an error of the exporter', async (t) => {
  const { far, events, failures, failed, faults } = await setUp(t);
  far.write(Buffer.concat(new Array(1000).fill(frame(TEXT, RESPONSE))));
  const detail = 'the peer floods: more than 200 messages per second';
  assert.deepEqual(await failed(), { reason: 'malformed', detail });
  await once(far, 'close');
  assert.equal(events.filter((event) => event.startsWith('received')).length, 200);
  assert.deepEqual([failures.length, faults.length], [1, 0]);
});

test('a channel that is ended closes the WebSocket normally, and reports nothing more', async (t) => {
  const { channel, far, events, frames } = await setUp(t);
  channel.end();
  await turnsUntil('it is closed', () => frames().length > 0);
  // 1000 is a normal closure (RFC 6455 7.4.1).
  assert.deepEqual(frames(), [[CLOSE, '\x03\xe8']]);
  far.end(Buffer.concat([frame(TEXT, RESPONSE), frame(PING, ''), frame(CLOSE, '\x03\xe8')]));
  await once(far, 'close');
  assert.deepEqual(
    [events.includes(`received ${RESPONSE}`), events.includes('closed')],
    [false, false],
  );
});

test('a channel that is destroyed closes the connection, and reports nothing more', async (t) => {
  const { channel, far, events } = await setUp(t);
  channel.destroy();
  await once(far, 'close');
  assert.deepEqual(events, []);
});

test('the data for a peer that does not read is limited', async (t) => {
  const { channel, ws, far } = await setUp(t);
  far.pause();
  const message = Buffer.alloc(MAX_UNSENT_BYTES, 'x');
  const isFull = () => ws.bufferedAmount >= MAX_UNSENT_BYTES;
  await turnsUntil('the socket is full', isFull, () => channel.send(message));
  for (let i = 0; i < 10; i++) channel.send(message);
  assert.ok(ws.bufferedAmount < 3 * MAX_UNSENT_BYTES);
});

function lengthOf(bytes: number): readonly number[] {
  return [24, 16, 8, 0].map((shift) => (bytes >> shift) & 0xff);
}
