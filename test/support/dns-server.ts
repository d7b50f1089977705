/** A DNS server on loopback that answers by the script of a test, over UDP and TCP. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import type { TestContext } from 'node:test';
import * as packet from 'dns-packet';

export interface ReceivedQuery {
  readonly packet: packet.DecodedPacket;
  readonly name: string;
  readonly type: string;
  readonly hasOpt: boolean;
  readonly isOverTcp: boolean;
}

/** The messages that answer a query; over TCP each is sent with its length before it. */
export type Script = (query: ReceivedQuery) => readonly Buffer[];

export interface FakeDns {
  readonly address: string;
  readonly port: number;
  /** `192.0.2.53:53` */
  readonly label: string;
  /** All queries so far. */
  readonly queries: ReceivedQuery[];
  /** May be changed. */
  script: Script;
  /** Sends a message to the sender of the last query over UDP. */
  send(message: Buffer): void;
}

export const silence: Script = () => [];

export async function fakeDns(
  t: Pick<TestContext, 'after'>,
  script: Script,
  /** Replaces the script over TCP. */
  onConnection?: (socket: net.Socket) => void,
): Promise<FakeDns> {
  const { tcp, udp, port } = await listenOnBoth();
  let last: dgram.RemoteInfo | undefined;
  const dns: FakeDns = {
    ...{ address: '127.0.0.1', port, label: `127.0.0.1:${port}`, queries: [], script },
    send: (message) => udp.send(message, last?.port, last?.address),
  };
  const take = (bytes: Buffer, isOverTcp: boolean): readonly Buffer[] => {
    const decoded = packet.decode(bytes);
    const [question] = decoded.questions ?? [];
    const hasOpt = (decoded.additionals ?? []).some(({ type }) => type === 'OPT');
    const { name = '', type = '' } = question ?? {};
    const query = { packet: decoded, name, type, hasOpt, isOverTcp };
    dns.queries.push(query);
    return dns.script(query);
  };
  udp.on('message', (bytes, from) => {
    last = from;
    for (const answer of take(bytes, false)) udp.send(answer, from.port, from.address);
  });
  const sockets = new Set<net.Socket>();
  tcp.on('connection', (socket) => {
    sockets.add(socket.on('error', () => {}));
    if (onConnection !== undefined) return onConnection(socket);
    socket.on('data', (chunk) => {
      for (const answer of take(chunk.subarray(2), true)) socket.write(prefixed(answer));
    });
  });
  t.after(() => {
    udp.close();
    tcp.close();
    for (const socket of sockets) socket.destroy();
  });
  return dns;
}

/** The message as it is sent over TCP (RFC 1035 4.2.2). */
export function prefixed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export const FLAGS = {
  ...{ FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 },
  TRUNCATED: packet.TRUNCATED_RESPONSE,
} as const;

/** An empty answer to the query, with these changes. */
export function reply(
  { packet: query }: Pick<ReceivedQuery, 'packet'>,
  change: Partial<packet.Packet> = {},
): Buffer {
  return packet.encode({
    ...{ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], flags: 0 },
    ...change,
  });
}

/** Answers that no name exists. */
export const nxdomain: Script = (query) => [reply(query, { flags: FLAGS.NXDOMAIN })];

/** Answers that every name has one address. */
export const answering: Script = (query) => [
  reply(query, query.type === 'A' ? { answers: [address(query.name)] } : {}),
];

export function address(name: string, data = '192.0.2.1', ttl = 60): packet.Answer {
  return { type: 'A', name, data, ttl };
}

export function alias(name: string, data: string, ttl = 60): packet.Answer {
  return { type: 'CNAME', name, data, ttl };
}

/** A TCP and a UDP socket on the same port, which must be free for both. */
async function listenOnBoth() {
  for (;;) {
    const tcp = net.createServer();
    tcp.listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as net.AddressInfo;
    const udp = dgram.createSocket('udp4');
    try {
      udp.bind(port, '127.0.0.1');
      await once(udp, 'listening');
      return { tcp, udp, port };
    } catch {
      udp.close();
      tcp.close();
    }
  }
}
