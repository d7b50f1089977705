/** SIP far ends on loopback, over every transport, whose behaviour a test defines. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as http from 'node:http';
import * as https from 'node:https';
import * as net from 'node:net';
import type { TestContext } from 'node:test';
import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises';
import * as tls from 'node:tls';
import { WebSocket, WebSocketServer } from 'ws';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import type { TransportName } from '../../src/shared/outcome.js';

/** A tick of the event loop for each byte would take seconds on a busy machine. */
const BYTES_PER_TICK = 16;

/**
 * One action of a far end. A string or bytes are a message: a datagram, bytes of a stream, a text
 * frame or a binary frame.
 */
export type Step =
  | string
  | Uint8Array
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'raw'; readonly bytes: string | Uint8Array; readonly isBytewise: boolean }
  | { readonly kind: 'end' }
  | { readonly kind: 'reset' };

/** Does nothing for this time. */
export const wait = (ms: number): Step => ({ kind: 'wait', ms });
/** Bytes below the messages: without the frames of a WebSocket, but inside TLS. */
export const raw = (bytes: string | Uint8Array): Step => ({
  kind: 'raw',
  bytes,
  isBytewise: false,
});
/** The same, byte by byte. */
export const bytewise = (bytes: string | Uint8Array): Step => ({
  kind: 'raw',
  bytes,
  isBytewise: true,
});
/** Closes this side of the connection normally: FIN, or a close frame. */
export const END: Step = { kind: 'end' };
/** Resets the connection: RST. */
export const RESET: Step = { kind: 'reset' };

/** The actions after a request; `good` is a correct response to it. */
export type Answers = (request: string, good: string, caller: Caller) => readonly Step[];

export interface FarEndOptions {
  /** For TLS and WSS: certificate, key, versions and the like. */
  readonly tls?: tls.TlsOptions;
  /** The actions after a connection is accepted; not over UDP. */
  readonly greeting?: () => readonly Step[];
}

/** Sends to a caller. */
interface Link {
  readonly address: string;
  readonly port: number;
  send(message: string | Uint8Array): void;
  raw(bytes: Uint8Array): void;
  end(): void;
  reset(): void;
}

/** One connection; over UDP, one source address of requests. */
export class Caller {
  readonly requests: string[] = [];
  /** The responses to requests of the far end. */
  readonly replies: string[] = [];
  isClosed = false;
  /** The server name in its TLS handshake (RFC 6066 3); undefined for none. */
  readonly serverName: string | undefined;
  readonly #link: Link;
  readonly #answers: Answers;

  constructor(link: Link, answers: Answers, serverName: string | undefined) {
    this.#link = link;
    this.#answers = answers;
    this.serverName = serverName;
  }

  take(message: string): void {
    if (message.startsWith('SIP/2.0 ')) {
      this.replies.push(message);
      return;
    }
    this.requests.push(message);
    const good = buildOptionsResponse(Buffer.from(message, 'latin1'), this.#link, 'far');
    void this.act(this.#answers(message, Buffer.from(good ?? '').toString('latin1'), this));
  }

  /** Performs these actions, one after the other. */
  async act(steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      if (typeof step === 'string' || step instanceof Uint8Array) this.#link.send(step);
      else if (step.kind === 'wait') await sleep(step.ms);
      else if (step.kind === 'raw') await this.#raw(Buffer.from(step.bytes), step.isBytewise);
      else if (step.kind === 'end') this.#link.end();
      else this.#link.reset();
    }
  }

  async #raw(bytes: Uint8Array, isBytewise: boolean): Promise<void> {
    if (!isBytewise) {
      this.#link.raw(bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at++) {
      this.#link.raw(bytes.subarray(at, at + 1));
      // Each byte is a separate segment and TLS record; the reader gets a chance to read them.
      if (at % BYTES_PER_TICK === 0) await tick();
    }
  }
}

/** A far end that speaks SIP. It can be stopped and started again on the same port. */
export class FarEnd {
  readonly callers: Caller[] = [];
  /** All accepted connections. */
  connections = 0;
  port = 0;
  readonly #transport: TransportName;
  readonly #answers: Answers;
  #options: FarEndOptions;
  /** The TCP sockets of open connections, by the port of the caller. */
  readonly #sockets = new Map<number, net.Socket>();
  #stop = async () => {};

  constructor(transport: TransportName, answers: Answers, options: FarEndOptions) {
    this.#transport = transport;
    this.#answers = answers;
    this.#options = options;
  }

  /** All requests, grouped by caller. */
  get requests(): readonly string[] {
    return this.callers.flatMap(({ requests }) => requests);
  }

  /** Listens, on the same port as before. */
  async start(options = this.#options): Promise<void> {
    this.#options = options;
    if (this.#transport === 'udp') await this.#listenUdp();
    else if (this.#transport === 'ws' || this.#transport === 'wss') await this.#listenWebSocket();
    else await this.#listenStream();
  }

  /** Stops listening and closes all connections. */
  async stop(): Promise<void> {
    await this.#stop();
    this.#stop = async () => {};
  }

  async #listenUdp(): Promise<void> {
    const socket = dgram.createSocket('udp4');
    const known = new Map<string, Caller>();
    socket.on('message', (bytes, { address, port }) => {
      const caller =
        known.get(`${address} ${port}`) ?? this.#newCaller(datagramLink(socket, address, port));
      known.set(`${address} ${port}`, caller);
      caller.take(bytes.toString('latin1'));
    });
    socket.bind(this.port, '127.0.0.1');
    await once(socket, 'listening');
    this.port = socket.address().port;
    this.#stop = async () => {
      const closed = once(socket, 'close');
      socket.close();
      await closed;
    };
  }

  async #listenStream(): Promise<void> {
    const take = (socket: net.Socket) => {
      const caller = this.#newCaller(this.#streamLink(socket), nameAskedFor(socket));
      let text = '';
      socket.on('data', (chunk) => {
        const messages = `${text}${chunk.toString('latin1')}`.split(/(?<=\r\n\r\n)/);
        text = messages.at(-1)?.endsWith('\r\n\r\n') === true ? '' : (messages.pop() ?? '');
        // RFC 3261 7.5: line breaks before a message are ignored; they may be the pong to a ping.
        const requests = messages.map((message) => message.replace(/^(?:\r\n)+/, ''));
        for (const request of requests) if (request !== '') caller.take(request);
      });
      this.#begin(caller, socket);
    };
    const server =
      this.#transport === 'tls'
        ? tls.createServer(this.#options.tls ?? {}, take)
        : net.createServer({ noDelay: true }, take);
    await this.#listen(server);
  }

  async #listenWebSocket(): Promise<void> {
    const server =
      this.#transport === 'wss' ? https.createServer(this.#options.tls ?? {}) : http.createServer();
    const upgrades = new WebSocketServer({ server, handleProtocols: () => 'sip' });
    upgrades.on('connection', (ws, { socket }) => {
      const link = webSocketLink(ws, this.#streamLink(socket));
      const caller = this.#newCaller(link, nameAskedFor(socket));
      ws.on('error', () => {});
      ws.on('message', (message) => caller.take(String(message)));
      this.#begin(caller, socket);
    });
    await this.#listen(server);
  }

  async #listen(server: net.Server): Promise<void> {
    server.on('connection', (socket: net.Socket) => {
      this.connections++;
      const { remotePort = 0 } = socket;
      this.#sockets.set(remotePort, socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(remotePort));
    });
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = portOf(server);
    this.#stop = async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of this.#sockets.values()) socket.destroy();
      await closed;
    };
  }

  #streamLink(socket: net.Socket): Link {
    const { remoteAddress: address = '', remotePort: port = 0 } = socket;
    const send = (message: string | Uint8Array) => {
      if (socket.writable) socket.write(Buffer.from(message));
    };
    // Only the TCP connection under TLS can be reset.
    const reset = () => this.#sockets.get(port)?.resetAndDestroy();
    return { address, port, send, raw: send, end: () => socket.end(), reset };
  }

  #newCaller(link: Link, serverName?: string): Caller {
    const caller = new Caller(link, this.#answers, serverName);
    this.callers.push(caller);
    return caller;
  }

  #begin(caller: Caller, socket: net.Socket): void {
    socket.on('error', () => {});
    socket.on('close', () => {
      caller.isClosed = true;
    });
    void caller.act(this.#options.greeting?.() ?? []);
  }
}

export async function startFarEnd(
  t: Pick<TestContext, 'after'>,
  transport: TransportName,
  answers: Answers,
  options: FarEndOptions = {},
): Promise<FarEnd> {
  const farEnd = new FarEnd(transport, answers, options);
  await farEnd.start();
  t.after(() => farEnd.stop());
  return farEnd;
}

export interface Listener {
  readonly port: number;
  /** The number of open connections, and of all accepted ones. */
  open(): number;
  accepted(): number;
}

/** A server without SIP: accepts connections, over TLS if `options` are given, and calls `take`. */
export async function startListener(
  t: Pick<TestContext, 'after'>,
  take: (socket: net.Socket) => void,
  options?: tls.TlsOptions,
): Promise<Listener> {
  const sockets = new Set<net.Socket>();
  let accepted = 0;
  const server = options === undefined ? net.createServer() : tls.createServer(options);
  server.on('connection', (socket: net.Socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.on(options === undefined ? 'connection' : 'secureConnection', (socket: net.Socket) => {
    socket.on('error', () => {});
    take(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: portOf(server), open: () => sockets.size, accepted: () => accepted };
}

/** A WebSocket frame of a server, unmasked and not fragmented (RFC 6455 5.2). */
export function frame(opcode: number, payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload);
  const head = Buffer.alloc(bytes.length < 126 ? 2 : 4);
  head[0] = 0x80 | opcode;
  head[1] = bytes.length < 126 ? bytes.length : 126;
  if (head.length > 2) head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

function datagramLink(socket: dgram.Socket, address: string, port: number): Link {
  let isOpen = true;
  socket.once('close', () => {
    isOpen = false;
  });
  const send = (message: string | Uint8Array) => {
    if (isOpen) socket.send(message, port, address, () => {});
  };
  return { address, port, send, raw: send, end: () => {}, reset: () => {} };
}

function webSocketLink(ws: WebSocket, beneath: Link): Link {
  return {
    ...beneath,
    send: (message) => {
      if (ws.readyState === WebSocket.OPEN) ws.send(message);
    },
    end: () => ws.close(),
  };
}

function nameAskedFor(socket: net.Socket): string | undefined {
  const name: unknown = 'servername' in socket ? socket.servername : undefined;
  return typeof name === 'string' ? name : undefined;
}

function portOf(server: net.Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it does not listen');
  return address.port;
}
