/** Data that peers send over connections besides answers, and the reaction to it. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { type WebSocket, WebSocketServer } from 'ws';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import { startExporter } from '../support/exporter.js';
import { eventually } from '../support/process.js';

const CALLER = { address: '127.0.0.1', port: 5060 };
/** A pong may come before the request. */
const answerTo = (request: Buffer) =>
  buildOptionsResponse(request.subarray(request.indexOf('OPTIONS')), CALLER, 'far') ?? '';

/** A peer over TCP that answers, and calls `greet` after each request. */
async function startPeer(t: TestContext, greet: (socket: net.Socket) => void) {
  const received: string[] = [];
  const peer = { port: 0, connections: 0, requests: 0, received };
  const server = net.createServer((socket) => {
    peer.connections++;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      const requestAt = chunk.indexOf('OPTIONS');
      received.push(chunk.toString('latin1', 0, requestAt < 0 ? chunk.length : requestAt));
      if (requestAt < 0) return;
      peer.requests++;
      socket.write(answerTo(chunk));
      greet(socket);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  peer.port = address.port;
  return peer;
}

async function startWebSocketPeer(t: TestContext, greet: (ws: WebSocket) => void) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => 'sip',
  });
  const peer = { port: 0, origins: [] as (string | undefined)[], received: [] as string[] };
  server.on('connection', (ws, { headers }) => {
    peer.origins.push(headers.origin);
    ws.on('message', (message) => {
      const text = Buffer.from(message as Buffer);
      if (!text.includes('OPTIONS')) return void peer.received.push(text.toString());
      ws.send(answerTo(text));
    });
    greet(ws);
  });
  await once(server, 'listening');
  t.after(() => server.close());
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  peer.port = address.port;
  return peer;
}

describe('between pings', { concurrency: true }, () => {
  test('a TCP connection stays open after CR LF NUL and CR LF, and CR LF CR LF gets a pong', async (t) => {
    const peer = await startPeer(t, (socket) => {
      for (const piece of ['\r\n\0', '\r\n', '\0\0', '\r\n\r\n']) socket.write(piece);
    });
    const exporter = await startExporter(t, {
      ping_interval: 2,
      destinations: [{ name: 'peer', uri: `127.0.0.1:${peer.port};transport=tcp` }],
    });
    await eventually('several pings', () => peer.requests >= 4);
    assert.equal(peer.connections, 1);
    assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
    assert.match(peer.received.join(''), /^(?:\r\n){2,}$/);
  });

  test('a WebSocket stays open after the same in frames, and gets its pong in a frame', async (t) => {
    const peer = await startWebSocketPeer(t, (ws) => {
      for (const piece of ['\r\n\0', '\r\n', '', '\r\n\r\n']) ws.send(piece);
    });
    const exporter = await startExporter(t, {
      destinations: [{ name: 'peer', uri: `127.0.0.1:${peer.port};transport=ws` }],
    });
    await eventually('it is up', async () => (await exporter.isAlive('peer')) === 1);
    await eventually('a pong', () => peer.received.length > 0);
    assert.deepEqual(peer.received, ['\r\n']);
    assert.equal(peer.origins.length, 1);
    assert.equal(await exporter.metric('sip_keepalive_unmatched_messages_total'), 0);
  });

  for (const [what, flood] of [
    ['pings', (ws: WebSocket) => ws.ping()],
    ['pongs', (ws: WebSocket) => ws.pong()],
    ['empty frames', (ws: WebSocket) => ws.send('')],
  ] as const) {
    test(`a WebSocket with endless ${what} is closed, and the detail says so`, async (t) => {
      const peer = await startWebSocketPeer(t, (ws) => {
        ws.on('error', () => {});
        ws.removeAllListeners('message');
        const timer = setInterval(() => {
          for (let i = 0; i < 500; i++) if (ws.readyState === ws.OPEN) flood(ws);
        }, 5);
        ws.on('close', () => clearInterval(timer));
      });
      const exporter = await startExporter(t, {
        ping_interval: 1,
        destinations: [{ name: 'peer', uri: `127.0.0.1:${peer.port};transport=ws` }],
      });
      await eventually('it is down', async () => (await exporter.isAlive('peer')) === 2);
      const { reason, targets } = await exporter.destination('peer');
      assert.equal(reason, 'malformed');
      assert.match(targets[0]?.detail ?? '', /^the peer floods: more than 200 messages/);
    });
  }
});

test('an upgrade to WebSocket has the Origin of the host, the configured one, or none', async (t) => {
  const peers = await Promise.all([1, 2, 3].map(() => startWebSocketPeer(t, () => {})));
  const settings = [{}, { ws_origin: 'https://phone.example' }, { ws_origin: '' }];
  const exporter = await startExporter(t, {
    destinations: peers.map(({ port }, i) => ({
      ...{ name: `peer ${i}`, uri: `127.0.0.1:${port};transport=ws` },
      ...settings[i],
    })),
  });
  await eventually('all are up', async () => (await exporter.metric('sip_keepalive_up')) === 3);
  const wanted = ['http://127.0.0.1', 'https://phone.example', undefined];
  assert.deepEqual(
    peers.map(({ origins }) => origins[0]),
    wanted,
  );
});
