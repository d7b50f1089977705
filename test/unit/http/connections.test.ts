import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { test } from 'node:test';
import { Connections } from '../../../src/http/server/connections.js';
import { FakeClock } from '../../support/fake-clock.js';

/** As much of a socket as connections use. */
class FakeSocket extends EventEmitter {
  readonly remotePort: number;
  readonly localAddress = '127.0.0.1';
  remoteAddress: string | undefined = '127.0.0.1';
  writableLength = 0;
  destroyed = false;

  constructor(port: number) {
    super();
    this.remotePort = port;
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }
}

function rig(limit: number) {
  const clock = new FakeClock();
  const connections = new Connections(limit, () => clock.now());
  let port = 0;
  const open = () => {
    const socket = new FakeSocket(++port);
    connections.accept(socket as unknown as Socket);
    /** The result ends the response. */
    const request = () => {
      const response = new EventEmitter();
      connections.requestStarted(socket as unknown as Socket, response as ServerResponse);
      return () => response.emit('close');
    };
    return { socket, request };
  };
  return { clock, connections, open };
}

test('a client that has disconnected before it is accepted is not counted', () => {
  const { connections } = rig(1);
  const socket = new FakeSocket(1);
  socket.remoteAddress = undefined;
  connections.accept(socket as unknown as Socket);
  assert.ok(socket.destroyed);
  assert.deepEqual([connections.open, connections.dropped], [0, 0]);
});

test('at the limit the connection without a request is replaced first, then the one idle longest', () => {
  const { connections, open } = rig(3);
  const [first, silent, second] = [open(), open(), open()];
  second.request()();
  first.request()();
  open().request();
  assert.ok(silent.socket.destroyed);
  open().request();
  assert.ok(second.socket.destroyed);
  assert.ok(!first.socket.destroyed);
  assert.deepEqual([connections.open, connections.dropped], [3, 2]);
});

test('a connection with two requests is idle once both are answered', () => {
  const { connections, open } = rig(1);
  const { socket, request } = open();
  const [end, endOther] = [request(), request()];
  assert.ok(connections.isInUse(socket as unknown as Socket));
  end();
  assert.ok(!connections.makeRoom());
  endOther();
  assert.ok(!connections.isInUse(socket as unknown as Socket));
  assert.ok(connections.makeRoom());
});

test('when all are in use, the oldest response that has been unread for five seconds is replaced', () => {
  const { clock, connections, open } = rig(3);
  const all = [open(), open(), open()];
  for (const { request } of all) {
    request();
    clock.advance(1_000);
  }
  const [read, oldest, newer] = all.map(({ socket }) => socket);
  assert.ok(read && oldest && newer);
  oldest.writableLength = 1;
  newer.writableLength = 1;
  clock.advance(3_000);
  const refused = open();
  assert.ok(refused.socket.destroyed, 'none is old enough');
  clock.advance(2_000);
  open();
  assert.deepEqual(
    [read, oldest, newer].map(({ destroyed }) => destroyed),
    [false, true, false],
  );
  assert.equal(connections.dropped, 2);
});

test('an accept that fails for want of descriptors closes an idle connection', () => {
  const { connections, open } = rig(10);
  const { socket } = open();
  connections.acceptFailed();
  assert.ok(socket.destroyed);
  assert.deepEqual([connections.open, connections.dropped], [0, 2]);
});

test('a request of a closed connection changes nothing', () => {
  const { connections, open } = rig(1);
  const { socket, request } = open();
  socket.destroy();
  request()();
  assert.equal(connections.open, 0);
});
