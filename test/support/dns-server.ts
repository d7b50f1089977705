/** A DNS server on loopback that says what a test's script says, over UDP and TCP. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import * as net from 'node:net';
import type { TestContext } from 'node:test';
import * as packet from 'dns-packet';

/** A query as it came. */
export interface Asked {
  readonly packet: packet.DecodedPacket;
  readonly name: string;
  readonly type: string;
  readonly hasOpt: boolean;
  readonly isOverTcp: boolean;
}

/** The messages that answer a query; over TCP each gets its length in front. */
export type Script = (asked: Asked) => readonly Buffer[];

export interface FakeDns {
  readonly address: string;
  readonly port: number;
  /** `192.0.2.53:53` */
  readonly label: string;
  /** All that came so far. */
  readonly asked: Asked[];
  /** Answers so from now on. */
  script: Script;
  /** Sends a message to whoever asked last over UDP. */
  send(message: Buffer): void;
}

export const silence: Script = () => [];

export async function fakeDns(
  t: Pick<TestContext, 'after'>,
  script: Script,
  /** In the place of the script, over TCP. */
  onConnection?: (socket: net.Socket) => void,
): Promise<FakeDns> {
  const { tcp, udp, port } = await listenOnBoth();
  let last: dgram.RemoteInfo | undefined;
  const dns: FakeDns = {
    ...{ address: '127.0.0.1', port, label: `127.0.0.1:${port}`, asked: [], script },
    send: (message) => udp.send(message, last?.port, last?.address),
  };
  const take = (bytes: Buffer, isOverTcp: boolean): readonly Buffer[] => {
    const query = packet.decode(bytes);
    const [question] = query.questions ?? [];
    const hasOpt = (query.additionals ?? []).some(({ type }) => type === 'OPT');
    const { name = '', type = '' } = question ?? {};
    const asked = { packet: query, name, type, hasOpt, isOverTcp };
    dns.asked.push(asked);
    return dns.script(asked);
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

/** As over TCP (RFC 1035 4.2.2). */
export function prefixed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}

export const FLAGS = {
  ...{ FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5 },
  TRUNCATED: packet.TRUNCATED_RESPONSE,
} as const;

/** An answer to the query, with these changes. */
export function reply(
  { packet: query }: Pick<Asked, 'packet'>,
  change: Partial<packet.Packet> = {},
): Buffer {
  return packet.encode({
    ...{ type: 'response', id: query.id ?? 0, questions: query.questions ?? [], flags: 0 },
    ...change,
  });
}

/** The answer of a server that knows no name. */
export const unknowing: Script = (asked) => [reply(asked, { flags: FLAGS.NXDOMAIN })];

/** The answer of a server that knows one address of every name. */
export const answering: Script = (asked) => [
  reply(asked, asked.type === 'A' ? { answers: [address(asked.name)] } : {}),
];

export function address(name: string, data = '192.0.2.1', ttl = 60): packet.Answer {
  return { type: 'A', name, data, ttl };
}

export function alias(name: string, data: string, ttl = 60): packet.Answer {
  return { type: 'CNAME', name, data, ttl };
}

/** A TCP and a UDP socket on the same free port: one that is free for TCP may be taken for UDP. */
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
