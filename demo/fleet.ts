/** A fleet of simulated SIP servers on loopback, each with a temper of its own. */

import { digestResponse } from '../src/pinger/sip/digest.js';
import { buildOptionsResponse } from '../src/pinger/sip/uas.js';
import type { TransportName } from '../src/shared/outcome.js';
import { listen, type OnRequest, selfSigned } from './listen.js';

/** What a server does with its `count`-th request: nothing, or answers after a while. */
type Temper = (count: number, request: string) => readonly Reply[];

interface Reply {
  readonly afterMs: number;
  /** The status line without its version. */
  readonly status: string;
  /** A further header. */
  readonly header?: string;
}

export interface Member {
  readonly name: string;
  /** What it does, for people. */
  readonly does: string;
  /** What the exporter should make of it. */
  readonly verdict: 'up' | 'down' | 'flapping';
  /** Why it is down, when it is. */
  readonly reason?: string;
  /** Settings of its pings, in the words of the configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly host?: string;
  readonly transport?: TransportName;
  /** Has a certificate that the exporter is told to trust, or one that it is not. */
  readonly certificate?: 'trusted' | 'unknown';
  /** Undefined for a port on which nothing listens. */
  readonly temper: Temper | undefined;
}

const OK = '200 OK';
const HALF_FLAP_MS = 20_000;

const always =
  (...replies: readonly Reply[]): Temper =>
  () =>
    replies;

const REALM = 'demo';
const NONCE = 'a1b2c3d4e5f6';
const CREDENTIALS = { username: 'monitor', password: 'demo' };

/** Wants the password of the demo, and takes no other. */
const asking: Temper = (_count, request) => {
  const param = (name: string) => new RegExp(`\\b${name}="?([^",\r]*)`).exec(request)?.[1] ?? '';
  const right = digestResponse({
    ...{ ...CREDENTIALS, realm: REALM, nonce: NONCE, hash: 'sha256', isSession: false },
    ...{ qop: 'auth', method: 'OPTIONS', uri: param('uri'), nc: param('nc') },
    cnonce: param('cnonce'),
  });
  if (param('response') === right) return [{ afterMs: 1, status: OK }];
  const header = `WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}", algorithm=SHA-256, qop="auth"`;
  return [{ afterMs: 1, status: '401 Unauthorized', header }];
};

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
      settings: { alive_codes: 'asterisk' },
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
      name: 'password',
      does: 'asks for credentials, which the exporter has',
      verdict: 'up',
      settings: { auth: CREDENTIALS },
      temper: asking,
    },
    {
      name: 'tcp',
      does: 'answers 200 over TCP',
      verdict: 'up',
      transport: 'tcp',
      temper: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'websocket',
      does: 'answers 200 over WebSocket',
      verdict: 'up',
      transport: 'ws',
      temper: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'tls',
      does: 'answers 200 over TLS; its certificate expires in 20 days',
      verdict: 'up',
      transport: 'tls',
      certificate: 'trusted',
      temper: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'untrusted',
      does: 'has a certificate of its own making',
      verdict: 'down',
      reason: 'tls_certificate',
      transport: 'tls',
      certificate: 'unknown',
      temper: always({ afterMs: 1, status: OK }),
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

/**
 * Starts every member on a free port; one whose address family, or the openssl that makes its
 * certificate, is missing here is left out.
 *
 * @param folder for certificates.
 */
export async function startFleet(folder: string): Promise<Fleet> {
  const trusted = selfSigned(folder, 'trusted');
  const unknown = selfSigned(folder, 'unknown');
  const closers: (() => void)[] = [];
  const running: Running[] = [];
  for (const member of members(performance.now())) {
    const { host = '127.0.0.1', transport = 'udp', temper, name } = member;
    const certificate = member.certificate === 'trusted' ? trusted : unknown;
    if (member.certificate !== undefined && certificate === undefined) continue;
    const own = member.certificate === undefined ? undefined : certificate;
    const server = await listen(transport, host, own, answering(temper ?? (() => []), name)).catch(
      () => undefined,
    );
    if (server === undefined) continue;
    const param = transport === 'udp' ? '' : `;transport=${transport}`;
    const tls = member.certificate === 'trusted' ? { tls_config: { ca_file: own?.certFile } } : {};
    const settings = { ...member.settings, ...tls };
    const shownHost = host.includes(':') ? `[${host}]` : host;
    running.push({ ...member, settings, uri: `sip:${shownHost}:${server.port}${param}` });
    if (temper === undefined) server.close();
    else closers.push(() => server.close());
  }
  const close = () => {
    for (const closeOne of closers) closeOne();
  };
  return { members: running, close };
}

function answering(temper: Temper, name: string): OnRequest {
  let count = 0;
  return (request, from, reply) => {
    count++;
    for (const { afterMs, status, header } of temper(count, Buffer.from(request).toString())) {
      const answer = buildOptionsResponse(request, from, name, status);
      if (answer === undefined) continue;
      const text = Buffer.from(answer).toString('latin1');
      const more = header === undefined ? text : text.replace('\r\n', `\r\n${header}\r\n`);
      setTimeout(() => reply(Buffer.from(more, 'latin1')), afterMs);
    }
  };
}
