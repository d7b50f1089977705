import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { test } from 'node:test';
import { containListeners, StopReading } from '../../../src/pinger/transport/contain.js';
import { failureOf } from '../../../src/pinger/transport/socket-errors.js';
import { Faults } from '../../../src/shared/faults.js';
import type { LogLine } from '../../../src/shared/protocol.js';

function setUp() {
  const logged: LogLine[] = [];
  const faults = new Faults({ now: () => 0, log: (line) => logged.push(line) });
  const socket = new net.Socket();
  containListeners(socket, faults);
  return { socket, logged };
}

test('an exception in a listener closes the connection, and is reported as an internal error', async () => {
  const { socket, logged } = setUp();
  socket.on('data', () => {
    throw new RangeError('a bug');
  });
  assert.equal(socket.emit('data', Buffer.from('x')), true);
  const [error] = await once(socket, 'error');
  assert.deepEqual(failureOf(error), {
    reason: 'local',
    detail: 'INTERNAL_ERROR: see the log of the exporter',
  });
  assert.equal(socket.destroyed, true);
  assert.deepEqual(
    logged.map(({ event, fields }) => [event, fields['place']]),
    [['internal_error', 'connection']],
  );
  assert.match(String(logged[0]?.fields['error']), /RangeError: a bug/);
});

test('a listener that stops reading is not an error', () => {
  const { socket, logged } = setUp();
  socket.on('data', () => {
    throw new StopReading();
  });
  assert.equal(socket.emit('data', Buffer.from('x')), true);
  assert.equal(socket.destroyed, false);
  assert.deepEqual(logged, []);
});

test('events reach their listeners unchanged', () => {
  const { socket } = setUp();
  const seen: unknown[] = [];
  socket.on('timeout', (...args: unknown[]) => seen.push(args));
  assert.equal(socket.emit('timeout'), true);
  assert.equal(socket.emit('lookup', null, '127.0.0.1', 4, 'localhost'), false);
  assert.deepEqual(seen, [[]]);
});
