/** The HTTP server in the process of the test, and clients that send exact bytes. */

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
  /** The errors that the server reported. */
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
    ...{ handler, webConfig: undefined, connections },
    at: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    clock: systemClock,
    onError: (error) => errors.push(error),
  });
  t.after(() => server.close());
  return { port: Number(new URL(server.url).port), connections, errors };
}

/**
 * Sends these bytes, and resolves with everything received until the connection ends.
 *
 * @param timeoutMs when the client ends the connection if the server has not.
 */
export async function exchange(
  port: number,
  bytes: string | Buffer,
  timeoutMs = 30_000,
): Promise<string> {
  const socket = net.connect(port, '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1');
  socket.on('data', (data) => {
    text += data;
  });
  socket.on('error', () => {});
  socket.write(bytes);
  const timeout = setTimeout(() => socket.end(), timeoutMs);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(timeout);
  return text;
}

/** A connection that sends nothing by itself. It is closed after the test. */
export async function connect(t: Pick<TestContext, 'after'>, port: number): Promise<net.Socket> {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {});
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}
