/** A client that sends what no ping has: line breaks before a request, two requests at once. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { WebSocket } from 'ws';
import { eventually } from '../support/process.js';
import type { Peer } from './stack.js';

/** Time limit for a response. */
const TIMEOUT_MS = 4000;
/** Time limit for a pong (RFC 5626 4.4.1 allows ten seconds; on loopback it is immediate). */
const PONG_MS = 1000;
const PING = '\r\n\r\n';

class RawClient {
  /** Everything received. */
  text = '';
  isClosed = false;
  readonly localPort: number;
  readonly send: (text: string) => void;
  readonly close: () => void;

  private constructor(localPort: number, send: (text: string) => void, close: () => void) {
    this.localPort = localPort;
    this.send = send;
    this.close = close;
  }

  static async open({ transport, port }: Peer): Promise<RawClient> {
    if (transport === 'udp') return RawClient.#overUdp(port);
    if (transport === 'ws' || transport === 'wss') return RawClient.#overWebSocket(port);
    const where = { host: '127.0.0.1', port, rejectUnauthorized: false };
    const socket = transport === 'tls' ? tls.connect(where) : net.connect(where);
    await once(socket, transport === 'tls' ? 'secureConnect' : 'connect');
    const { localPort = 0 } = socket;
    const client = new RawClient(
      localPort,
      (text) => socket.write(text),
      () => socket.destroy(),
    );
    socket.on('data', (data) => client.#take(data));
    socket.on('error', () => {});
    socket.on('close', () => client.#end());
    return client;
  }

  static async #overUdp(port: number): Promise<RawClient> {
    const socket = dgram.createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const client = new RawClient(
      socket.address().port,
      (text) => socket.send(text, port, '127.0.0.1'),
      () => socket.close(),
    );
    socket.on('message', (data) => client.#take(data));
    return client;
  }

  static async #overWebSocket(port: number): Promise<RawClient> {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/`, 'sip');
    await once(ws, 'open');
    const client = new RawClient(
      9,
      (text) => ws.send(text),
      () => ws.terminate(),
    );
    ws.on('message', (data) => client.#take(Buffer.from(String(data))));
    ws.on('error', () => {});
    ws.on('close', () => client.#end());
    return client;
  }

  /** Final responses received. */
  get answers(): number {
    return [...this.text.matchAll(/^SIP\/2\.0 [2-6]\d\d/gm)].length;
  }

  #take(data: Buffer): void {
    this.text += data.toString('latin1');
  }

  #end(): void {
    this.isClosed = true;
  }
}

function request({ transport, port, user }: Peer, localPort: number, number: number): string {
  const uri = `sip:${user === undefined ? '' : `${user}@`}127.0.0.1:${port}`;
  const call = `${localPort}-${number}-${Date.now()}`;
  return [
    `OPTIONS ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport.toUpperCase()} 127.0.0.1:${localPort};branch=z9hG4bK${call};rport`,
    'Max-Forwards: 70',
    `From: <sip:raw@127.0.0.1:${localPort}>;tag=${call}`,
    `To: <${uri}>`,
    `Call-ID: ${call}`,
    'CSeq: 1 OPTIONS',
    `Contact: <sip:raw@127.0.0.1:${localPort}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n');
}

async function answersOf(client: RawClient, count: number): Promise<number> {
  const isDone = () => client.answers >= count || client.isClosed;
  await eventually('the answers', isDone, TIMEOUT_MS).catch(() => {});
  return client.answers;
}

/** Response to an RFC 5626 keep-alive, and whether the next request is answered. */
export async function afterLineBreaks(peer: Peer): Promise<string> {
  const client = await RawClient.open(peer);
  try {
    client.send(PING);
    await sleep(PONG_MS);
    const pong = client.text;
    if (client.isClosed) return 'closes the connection';
    client.text = '';
    client.send(request(peer, client.localPort, 0));
    const isAnswered = (await answersOf(client, 1)) > 0;
    if (!isAnswered) return 'no answer afterwards';
    if (pong === '\r\n') return 'pong';
    return pong === '' ? 'ignored' : `answers ${JSON.stringify(pong.slice(0, 20))}`;
  } finally {
    client.close();
  }
}

/** How many of two requests sent at once are answered. */
export async function twoAtOnce(peer: Peer): Promise<string> {
  const client = await RawClient.open(peer);
  try {
    const [first, second] = [0, 1].map((n) => request(peer, client.localPort, n));
    const isMessageBased = ['udp', 'ws', 'wss'].includes(peer.transport);
    if (isMessageBased) {
      client.send(first ?? '');
      client.send(second ?? '');
    } else {
      client.send(`${first}${second}`);
    }
    const answers = await answersOf(client, 2);
    return answers === 2 ? 'both' : `${answers} of 2`;
  } finally {
    client.close();
  }
}

/** Whether a connection is kept after a response. */
export async function oneAfterTheOther(peer: Peer): Promise<string> {
  if (peer.transport === 'udp') return '-';
  const client = await RawClient.open(peer);
  try {
    for (const count of [1, 2]) {
      client.send(request(peer, client.localPort, count));
      if ((await answersOf(client, count)) < count) return `ends after ${count - 1}`;
    }
    return 'kept';
  } finally {
    client.close();
  }
}
