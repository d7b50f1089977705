import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { describe, test } from 'node:test';
import { SystemCallError } from '../../../src/pinger/net/system-call-error.js';
import { CONNECT_MS, dialLoopback } from '../../support/dial-rig.js';
import { startListener } from '../../support/far-end.js';
import { turnsUntil } from '../../support/turns.js';

const CONNECTED = `connect ${CONNECT_MS * 1000}`;

describe('a TCP connection', () => {
  test('is reported when it is open, with the time that it took', async (t) => {
    const { port } = await startListener(t, (socket) => socket.write('hello'));
    const dialed = dialLoopback(t, { port });
    const socket = await turnsUntil('it is open', dialed.socket);
    assert.deepEqual(dialed.events, [CONNECTED, 'opened']);
    const [bytes] = await once(socket, 'data');
    assert.equal(String(bytes), 'hello');
    assert.equal(socket.remotePort, port);
  });

  test('is opened over IPv6', async (t) => {
    const server = net.createServer().listen(0, '::1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const dialed = dialLoopback(t, { port, address: '::1', family: 6 });
    const socket = await turnsUntil('it is open', dialed.socket);
    assert.equal(socket.remoteAddress, '::1');
  });

  test('uses the source address', async (t) => {
    const sources: unknown[] = [];
    const { port } = await startListener(t, ({ remoteAddress }) => sources.push(remoteAddress));
    dialLoopback(t, { port, sourceAddress: '127.0.0.7' });
    await turnsUntil('it is accepted', () => sources.length > 0);
    assert.deepEqual(sources, ['127.0.0.7']);
  });

  test('to a closed port is refused', async (t) => {
    const { port } = await startListener(t, () => {});
    const dialed = dialLoopback(t, { port, address: '127.0.0.9' });
    await turnsUntil('it failed', () => dialed.failures.length > 0);
    assert.deepEqual(
      [dialed.events, dialed.failures],
      [['failed refused'], [{ reason: 'refused' }]],
    );
  });

  test('to a network without a route is unreachable', async (t) => {
    // No connection goes to a multicast address.
    const dialed = dialLoopback(t, { port: 5060, address: '224.0.0.1' });
    await turnsUntil('it failed', () => dialed.failures.length > 0);
    assert.deepEqual(dialed.failures, [{ reason: 'unreachable' }]);
  });

  test('from an address that does not exist on this host is a local error', async (t) => {
    const { port } = await startListener(t, () => {});
    const dialed = dialLoopback(t, { port, sourceAddress: '192.0.2.77' });
    await turnsUntil('it failed', () => dialed.failures.length > 0);
    assert.deepEqual(dialed.failures, [
      {
        reason: 'local',
        detail: 'EADDRNOTAVAIL: the local address does not exist, or no local port is left',
      },
    ]);
  });

  test('that is cancelled before it is open reports nothing, and is closed', async (t) => {
    const listener = await startListener(t, () => {});
    const givenUp = dialLoopback(t, { port: listener.port });
    givenUp.cancel();
    const next = dialLoopback(t, { port: listener.port });
    await turnsUntil('the next one is open', next.socket);
    await turnsUntil('only that one is open', () => listener.open() === 1);
    assert.deepEqual([givenUp.events, givenUp.faults], [[], []]);
  });

  test('to a free port of this host that is connected to itself is refused', async (t) => {
    const connect: (options: net.TcpSocketConnectOpts) => net.Socket = net.Socket.prototype.connect;
    // The kernel chooses the source port by chance; here the chance is certain.
    t.mock.method(
      net.Socket.prototype,
      'connect',
      function (this: net.Socket, options: net.TcpSocketConnectOpts) {
        const { host = '', port } = options;
        return connect.call(this, { ...options, localAddress: host, localPort: port });
      },
    );
    const { port } = await startListener(t, () => {});
    const dialed = dialLoopback(t, { port, address: '127.0.0.9' });
    await turnsUntil('it failed', () => dialed.failures.length > 0);
    assert.deepEqual(dialed.failures, [
      { reason: 'refused', detail: 'the socket connected to itself; the port is closed' },
    ]);
    assert.deepEqual(dialed.events, ['failed refused']);
  });

  test('whose listener throws is closed, and the ping fails with a local error', async (t) => {
    const listener = await startListener(t, () => {});
    const dialed = dialLoopback(t, {
      port: listener.port,
      opened: () => {
        throw new RangeError('a bug');
      },
    });
    await turnsUntil('it failed', () => dialed.failures.length > 0);
    assert.deepEqual(dialed.events, [CONNECTED, 'opened', 'failed local']);
    assert.equal(dialed.faults.length, 1);
    await turnsUntil('it is closed', () => listener.open() === 0);
  });

  test('whose socket cannot be opened is a local error', (t) => {
    const openSocket = () => {
      throw new SystemCallError('socket', 'EMFILE');
    };
    const dialed = dialLoopback(t, { port: 5060, openSocket });
    const detail = 'EMFILE: no file descriptor left for the process';
    assert.deepEqual(dialed.failures, [{ reason: 'local', detail }]);
  });
});
