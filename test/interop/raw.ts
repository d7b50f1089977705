/** A client that says what no ping does: line breaks in front of a request, two requests at once. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as tls from 'node:tls';
import { WebSocket } from 'ws';
import { eventually } from '../support/process.js';
import type { Peer } from './stack.js';

/** How long an answer may take before it counts as none. */
const PATIENCE_MS = 4000;
/** How long a pong may take (RFC 5626 4.4.1 gives it ten seconds; on loopback it comes at once). */
const PONG_MS = 1000;
const PING = '\r\n\r\n';

class RawClient {
  /** All that came. */
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

  /** How many final responses came. */
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

async function answersOf(client: RawClient, wanted: number): Promise<number> {
  const isDone = () => client.answers >= wanted || client.isClosed;
  await eventually('the answers', isDone, PATIENCE_MS).catch(() => {});
  return client.answers;
}

/** What a peer does with a keep-alive of RFC 5626, and whether it hears us afterwards. */
export async function afterLineBreaks(peer: Peer): Promise<string> {
  const client = await RawClient.open(peer);
  try {
    client.send(PING);
    await sleep(PONG_MS);
    const pong = client.text;
    if (client.isClosed) return 'closes the connection';
    client.text = '';
    client.send(request(peer, client.localPort, 0));
    const isHeard = (await answersOf(client, 1)) > 0;
    if (!isHeard) return 'no answer afterwards';
    if (pong === '\r\n') return 'pong';
    return pong === '' ? 'passed over' : `answers ${JSON.stringify(pong.slice(0, 20))}`;
  } finally {
    client.close();
  }
}

/** How many of two requests that are sent at once are answered. */
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

/** Whether a connection goes on after a request was answered on it. */
export async function oneAfterTheOther(peer: Peer): Promise<string> {
  if (peer.transport === 'udp') return '-';
  const client = await RawClient.open(peer);
  try {
    for (const wanted of [1, 2]) {
      client.send(request(peer, client.localPort, wanted));
      if ((await answersOf(client, wanted)) < wanted) return `ends after ${wanted - 1}`;
    }
    return 'kept';
  } finally {
    client.close();
  }
}
