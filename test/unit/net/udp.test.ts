import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { bind, isConnected } from '../../../src/pinger/net/udp.js';

test('a socket is bound when bind returns, and a port in use throws', async (t) => {
  for (const [family, address] of [
    [4, '127.0.0.1'],
    [6, '::1'],
  ] as const) {
    const socket = bind(family, address, 0, false);
    t.after(() => socket.close());
    const { port } = socket.address();
    assert.ok(port > 0);
    assert.throws(() => bind(family, address, port, false), /EADDRINUSE/);
  }
});

test('without an address, a socket is bound to all of them', (t) => {
  const socket = bind(4, '', 0, true);
  t.after(() => socket.close());
  assert.equal(socket.address().address, '0.0.0.0');
});

test('a socket is connected only once connect has succeeded', async (t) => {
  const socket = bind(4, '127.0.0.1', 0, false);
  t.after(() => socket.close());
  assert.equal(isConnected(socket), false);
  socket.connect(9, '127.0.0.1');
  await once(socket, 'connect');
  assert.equal(isConnected(socket), true);
});
