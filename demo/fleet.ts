/** A fleet of simulated SIP servers on loopback, each with a temper of its own. */

import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { answerOptions } from '../src/pinger/uas.js';

/** What a server does with its `count`-th request: nothing, or answers after a while. */
type Temper = (count: number) => readonly Reply[];

interface Reply {
  readonly afterMs: number;
  /** The status line without its version. */
  readonly status: string;
}

export interface Member {
  readonly name: string;
  /** What it does, for people. */
  readonly does: string;
  /** What the exporter should make of it. */
  readonly verdict: 'up' | 'down' | 'flapping';
  /** Why it is down, when it is. */
  readonly reason?: string;
  readonly aliveCodes?: string;
  readonly host?: string;
  /** Undefined for a port on which nothing listens. */
  readonly temper: Temper | undefined;
}

const OK = '200 OK';
const HALF_FLAP_MS = 20_000;

const always =
  (...replies: readonly Reply[]): Temper =>
  () =>
    replies;

/** The members, in the order in which they are shown. `startedAt` is a monotonic time in ms. */
export function members(startedAt: number): readonly Member[] {
  const isFlapUp = () => Math.floor((performance.now() - startedAt) / HALF_FLAP_MS) % 2 === 0;
  return [
    {
      name: 'fast',
      does: 'answers 200 at once',
      verdict: 'up',
      temper: always({ afterMs: 0, status: OK }),
    },
    {
      name: 'fast-ipv6',
      does: 'the same over IPv6',
      verdict: 'up',
      host: '::1',
      temper: always({ afterMs: 0, status: OK }),
    },
    {
      name: 'slow',
      does: 'answers 200 after 300 ms',
      verdict: 'up',
      temper: always({ afterMs: 300, status: OK }),
    },
    {
      name: 'jittery',
      does: 'answers 200 after 5 to 150 ms',
      verdict: 'up',
      temper: () => [{ afterMs: 5 + Math.random() * 145, status: OK }],
    },
    {
      name: 'lossy',
      does: 'loses every second request',
      verdict: 'up',
      temper: (count) => (count % 2 === 0 ? [{ afterMs: 0, status: OK }] : []),
    },
    {
      name: 'not-found',
      does: 'answers 404',
      verdict: 'down',
      reason: 'code',
      temper: always({ afterMs: 1, status: '404 Not Found' }),
    },
    {
      name: 'pbx',
      does: 'answers 404 too, which its alive_codes "asterisk" accept',
      verdict: 'up',
      aliveCodes: 'asterisk',
      temper: always({ afterMs: 1, status: '404 Not Found' }),
    },
    {
      name: 'draining',
      does: 'answers 503',
      verdict: 'down',
      reason: 'code',
      temper: always({ afterMs: 1, status: '503 Service Unavailable' }),
    },
    {
      name: 'guarded',
      does: 'asks for credentials with 401',
      verdict: 'down',
      reason: 'auth',
      temper: always({ afterMs: 1, status: '401 Unauthorized' }),
    },
    {
      name: 'trying',
      does: 'answers 100 and then nothing',
      verdict: 'down',
      reason: 'timeout',
      temper: always({ afterMs: 0, status: '100 Trying' }),
    },
    {
      name: 'garbled',
      does: 'answers with a status of 4294967301',
      verdict: 'down',
      reason: 'malformed',
      temper: always({ afterMs: 0, status: '4294967301 Better than OK' }),
    },
    {
      name: 'silent',
      does: 'never answers',
      verdict: 'down',
      reason: 'timeout',
      temper: always(),
    },
    {
      name: 'closed',
      does: 'a port on which nothing listens',
      verdict: 'down',
      reason: 'refused',
      temper: undefined,
    },
    {
      name: 'flapping',
      does: 'answers 200 for 20 s, then is silent for 20 s',
      verdict: 'flapping',
      reason: 'timeout',
      temper: () => (isFlapUp() ? [{ afterMs: 1, status: OK }] : []),
    },
  ];
}

/** A member that runs. */
export interface Running extends Member {
  readonly uri: string;
}

export interface Fleet {
  readonly members: readonly Running[];
  close(): void;
}

/** Starts every member on a free port; one whose address family is missing here is left out. */
export async function startFleet(): Promise<Fleet> {
  const sockets: dgram.Socket[] = [];
  const running: Running[] = [];
  for (const member of members(performance.now())) {
    const host = member.host ?? '127.0.0.1';
    const socket = await open(host).catch(() => undefined);
    if (socket === undefined) continue;
    const { port } = socket.address();
    running.push({ ...member, uri: `sip:${host.includes(':') ? `[${host}]` : host}:${port}` });
    if (member.temper === undefined) {
      socket.close();
    } else {
      serve(socket, member.temper, member.name);
      sockets.push(socket);
    }
  }
  return { members: running, close: () => sockets.forEach(closeSocket) };
}

async function open(host: string): Promise<dgram.Socket> {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.bind(0, host);
  await once(socket, 'listening');
  return socket;
}

function closeSocket(socket: dgram.Socket): void {
  socket.close();
}

function serve(socket: dgram.Socket, temper: Temper, name: string): void {
  let count = 0;
  let isOpen = true;
  socket.on('close', () => {
    isOpen = false;
  });
  socket.on('message', (request, from) => {
    count++;
    for (const { afterMs, status } of temper(count)) {
      const answer = answerOptions(request, from, name, status);
      if (answer === undefined) continue;
      setTimeout(() => {
        if (isOpen) socket.send(answer, from.port, from.address);
      }, afterMs);
    }
  });
}
