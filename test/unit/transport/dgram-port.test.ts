import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import { syncBuiltinESMExports } from 'node:module';
import { type TestContext, test } from 'node:test';
import { DgramPort } from '../../../src/pinger/transport/dgram-port.js';
import { UdpPeer } from '../../support/udp-rig.js';

const OPTIONS = { sourceAddress: '', sourcePort: 0, onMessage: () => true };

/** Limits the number of sockets that can be opened during a test. */
function limitSockets(t: TestContext, count: number): dgram.Socket[] {
  const { createSocket } = dgram;
  const opened: dgram.Socket[] = [];
  t.mock.method(dgram, 'createSocket', (options: dgram.SocketOptions) => {
    if (opened.length === count) throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
    const socket = createSocket(options);
    opened.push(socket);
    return socket;
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  return opened;
}

/** Whether the socket is closed, which `close` does at once. */
function isClosed(socket: dgram.Socket | undefined): boolean {
  try {
    socket?.address();
    return false;
  } catch {
    return true;
  }
}

test('a port of which one socket cannot be opened leaves no socket open', (t) => {
  // One to check that the port is free, one to send from, and one to query the routes.
  const opened = limitSockets(t, 2);
  assert.throws(() => new DgramPort(4, OPTIONS), { code: 'EMFILE' });
  assert.deepEqual(opened.map(isClosed), [true, true]);
});

test('a port works without a connected socket while none can be opened', async (t) => {
  const peer = await UdpPeer.start(t);
  const endpoint = { address: '127.0.0.1', port: peer.port, family: 4, domain: '' } as const;
  limitSockets(t, 3);
  const port = new DgramPort(4, OPTIONS);
  t.after(() => port.close());
  assert.equal(port.connect(endpoint), undefined);
});

test('a port works without a connected socket if there is no route', (t) => {
  const opened = limitSockets(t, 4);
  const port = new DgramPort(4, OPTIONS);
  t.after(() => port.close());
  const broadcast = { address: '255.255.255.255', port: 5060, family: 4, domain: '' } as const;
  assert.equal(port.connect(broadcast), undefined);
  assert.equal(isClosed(opened[3]), true);
});
