/** WebSockets on loopback; the test writes the bytes of the far end. */

import { createHash } from 'node:crypto';
import { once } from 'node:events';
import * as net from 'node:net';
import type { WebSocket } from 'ws';
import { containListeners } from '../../src/pinger/transport/contain.js';
import { RateLimit } from '../../src/pinger/transport/rate-limit.js';
import { type UpgradeOptions, upgrade } from '../../src/pinger/transport/websocket.js';
import { Faults } from '../../src/shared/faults.js';
import type { TransportFailure } from '../../src/shared/outcome.js';
import type { LogLine } from '../../src/shared/protocol.js';
import { FakeClock } from './fake-clock.js';
import { startListener } from './far-end.js';
import type { CleanUps } from './process.js';
import { turnsUntil } from './turns.js';

/** RFC 6455 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The valid response to an upgrade, with these headers replaced; undefined omits one. */
export function switching(
  request: string,
  headers: Readonly<Record<string, string | undefined>> = {},
): string {
  const key = /sec-websocket-key: (.+)\r\n/i.exec(request)?.[1] ?? '';
  const all = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': createHash('sha1')
      .update(key + GUID)
      .digest('base64'),
    'Sec-WebSocket-Protocol': 'sip',
    ...headers,
  };
  const lines = Object.entries(all).filter(([, value]) => value !== undefined);
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `HTTP/1.1 101 Switching Protocols\r\n${text}\r\n`;
}

export interface Upgrading {
  /** The connection under the WebSocket, and its other end. */
  readonly socket: net.Socket;
  readonly far: net.Socket;
  readonly clock: FakeClock;
  readonly rateLimit: RateLimit;
  /** The request of the upgrade. */
  readonly request: () => string;
  readonly opened: readonly WebSocket[];
  readonly failures: readonly TransportFailure[];
  readonly faults: readonly LogLine[];
  cancel(): void;
  /** Waits for the WebSocket. */
  open(): Promise<WebSocket>;
  failed(): Promise<TransportFailure>;
}

/** Upgrades a connection on loopback; the far end handles the request with this function. */
export async function startUpgrade(
  t: CleanUps,
  answer: (far: net.Socket, request: string) => void,
  change: Partial<UpgradeOptions> & { readonly port?: number; readonly domain?: string } = {},
): Promise<Upgrading> {
  const ends: net.Socket[] = [];
  const listener = await startListener(t, (far) => ends.push(far));
  const socket = net.connect(listener.port, '127.0.0.1');
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const far = await turnsUntil('it is accepted', () => ends[0]);
  let request = '';
  const read = (bytes: Buffer) => {
    request += bytes.toString('latin1');
    if (!request.endsWith('\r\n\r\n')) return;
    far.off('data', read);
    answer(far, request);
  };
  far.on('data', read);
  const faults: LogLine[] = [];
  containListeners(socket, new Faults({ now: () => 0, log: (line) => faults.push(line) }));
  const opened: WebSocket[] = [];
  const failures: TransportFailure[] = [];
  const clock = new FakeClock();
  const rateLimit = new RateLimit(clock);
  const { port = listener.port, domain = 'a.example', ...options } = change;
  const cancel = upgrade(
    socket,
    { address: '127.0.0.1', port, family: 4, domain },
    { path: '/', origin: 'auto', isSecure: false, hasNoCertificate: true, rateLimit, ...options },
    { opened: (ws) => opened.push(ws), failed: (failure) => failures.push(failure) },
  );
  return {
    ...{ socket, far, clock, rateLimit, opened, failures, faults, cancel, request: () => request },
    open: () => turnsUntil('the WebSocket is open', () => opened[0]),
    failed: () => turnsUntil('the upgrade failed', () => failures[0]),
  };
}
