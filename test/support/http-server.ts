/** The HTTP server in the test's own process, and clients that say exactly what they send. */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import * as net from 'node:net';
import type { TestContext } from 'node:test';
import { Connections } from '../../src/http/server/connections.js';
import { listen } from '../../src/http/server/server.js';
import { systemClock } from '../../src/shared/clock.js';

export interface Serving {
  readonly port: number;
  readonly connections: Connections;
  /** What the server said went wrong. */
  readonly errors: readonly unknown[];
}

export async function serve(
  t: Pick<TestContext, 'after'>,
  handler: RequestListener,
  limit = 100,
): Promise<Serving> {
  const errors: unknown[] = [];
  const connections = new Connections(limit, () => performance.now());
  const server = await listen({
    ...{ handler, host: '127.0.0.1', port: 0, webConfig: undefined, connections },
    clock: systemClock,
    onError: (error) => errors.push(error),
  });
  t.after(() => server.close());
  return { port: Number(new URL(server.url).port), connections, errors };
}

/**
 * Sends these bytes, and resolves with all that comes until the connection ends.
 *
 * @param patienceMs when the client ends it, where the server does not.
 */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  patienceMs = 30_000,
): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  const patience = setTimeout(() => socket.end(), patienceMs);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(patience);
  return text;
}

/** A connection that sends nothing by itself, closed with the test. */
export async function connect(t: Pick<TestContext, 'after'>, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}
