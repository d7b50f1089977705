/** A fleet of simulated SIP servers on loopback, each with its own behaviour. */

import { digestResponse } from '../src/pinger/sip/digest.js';
import { buildOptionsResponse } from '../src/pinger/sip/uas.js';
import type { TransportName } from '../src/shared/outcome.js';
import { listen, type OnRequest, selfSigned } from './listen.js';

/** Responses of a server to its `count`-th request. */
type Behaviour = (count: number, request: string) => readonly Reply[];

interface Reply {
  readonly afterMs: number;
  /** The status line without its version. */
  readonly status: string;
  /** An additional header. */
  readonly header?: string;
}

export interface Member {
  readonly name: string;
  readonly description: string;
  /** State that the exporter should report. */
  readonly verdict: 'up' | 'down' | 'flapping';
  /** Reason of the state down. */
  readonly reason?: string;
  /** Ping settings, with the keys of the configuration. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly host?: string;
  readonly transport?: TransportName;
  /** Whether the exporter trusts its certificate; undefined without one. */
  readonly certificate?: 'trusted' | 'unknown';
  /** Undefined for a closed port. */
  readonly behaviour: Behaviour | undefined;
}

const OK = '200 OK';
const HALF_FLAP_MS = 20_000;

const always =
  (...replies: readonly Reply[]): Behaviour =>
  () =>
    replies;

const REALM = 'demo';
const NONCE = 'a1b2c3d4e5f6';
const CREDENTIALS = { username: 'monitor', password: 'demo' };

/** Accepts only the password of the demo. */
const challenging: Behaviour = (_count, request) => {
  const param = (name: string) => new RegExp(`\\b${name}="?([^",\r]*)`).exec(request)?.[1] ?? '';
  const expected = digestResponse({
    ...{ ...CREDENTIALS, realm: REALM, nonce: NONCE, hash: 'sha256', isSession: false },
    ...{ qop: 'auth', method: 'OPTIONS', uri: param('uri'), nc: param('nc') },
    cnonce: param('cnonce'),
  });
  if (param('response') === expected) return [{ afterMs: 1, status: OK }];
  const header = `WWW-Authenticate: Digest realm="${REALM}", nonce="${NONCE}", algorithm=SHA-256, qop="auth"`;
  return [{ afterMs: 1, status: '401 Unauthorized', header }];
};

/** The members, in display order. `startedAt` is monotonic, milliseconds. */
export function members(startedAt: number): readonly Member[] {
  const isFlapUp = () => Math.floor((performance.now() - startedAt) / HALF_FLAP_MS) % 2 === 0;
  return [
    {
      name: 'fast',
      description: 'answers 200 at once',
      verdict: 'up',
      behaviour: always({ afterMs: 0, status: OK }),
    },
    {
      name: 'fast-ipv6',
      description: 'the same over IPv6',
      verdict: 'up',
      host: '::1',
      behaviour: always({ afterMs: 0, status: OK }),
    },
    {
      name: 'slow',
      description: 'answers 200 after 300 ms',
      verdict: 'up',
      behaviour: always({ afterMs: 300, status: OK }),
    },
    {
      name: 'jittery',
      description: 'answers 200 after 5 to 150 ms',
      verdict: 'up',
      behaviour: () => [{ afterMs: 5 + Math.random() * 145, status: OK }],
    },
    {
      name: 'lossy',
      description: 'drops every second request',
      verdict: 'up',
      behaviour: (count) => (count % 2 === 0 ? [{ afterMs: 0, status: OK }] : []),
    },
    {
      name: 'not-found',
      description: 'answers 404',
      verdict: 'down',
      reason: 'code',
      behaviour: always({ afterMs: 1, status: '404 Not Found' }),
    },
    {
      name: 'pbx',
      description: 'answers 404, which its alive_codes "asterisk" accept',
      verdict: 'up',
      settings: { alive_codes: 'asterisk' },
      behaviour: always({ afterMs: 1, status: '404 Not Found' }),
    },
    {
      name: 'draining',
      description: 'answers 503 with Retry-After',
      verdict: 'down',
      reason: 'draining',
      behaviour: always({
        ...{ afterMs: 1, status: '503 Service Unavailable', header: 'Retry-After: 300' },
      }),
    },
    {
      name: 'guarded',
      description: 'answers 401, and has no credentials configured',
      verdict: 'down',
      reason: 'auth',
      behaviour: always({ afterMs: 1, status: '401 Unauthorized' }),
    },
    {
      name: 'password',
      description: 'answers 401, and accepts the configured credentials',
      verdict: 'up',
      settings: { auth: CREDENTIALS },
      behaviour: challenging,
    },
    {
      name: 'tcp',
      description: 'answers 200 over TCP',
      verdict: 'up',
      transport: 'tcp',
      behaviour: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'websocket',
      description: 'answers 200 over WebSocket',
      verdict: 'up',
      transport: 'ws',
      behaviour: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'tls',
      description: 'answers 200 over TLS; its certificate expires in 20 days',
      verdict: 'up',
      transport: 'tls',
      certificate: 'trusted',
      behaviour: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'untrusted',
      description: 'has a self-signed certificate that is not trusted',
      verdict: 'down',
      reason: 'tls_certificate',
      transport: 'tls',
      certificate: 'unknown',
      behaviour: always({ afterMs: 1, status: OK }),
    },
    {
      name: 'trying',
      description: 'answers 100 and nothing more',
      verdict: 'down',
      reason: 'timeout',
      behaviour: always({ afterMs: 0, status: '100 Trying' }),
    },
    {
      name: 'garbled',
      description: 'answers with the status code 4294967301',
      verdict: 'down',
      reason: 'malformed',
      behaviour: always({ afterMs: 0, status: '4294967301 Better than OK' }),
    },
    {
      name: 'silent',
      description: 'never answers',
      verdict: 'down',
      reason: 'timeout',
      behaviour: always(),
    },
    {
      name: 'closed',
      description: 'is a closed port',
      verdict: 'down',
      reason: 'refused',
      behaviour: undefined,
    },
    {
      name: 'flapping',
      description: 'answers 200 for 20 s, then is silent for 20 s',
      verdict: 'flapping',
      reason: 'timeout',
      behaviour: () => (isFlapUp() ? [{ afterMs: 1, status: OK }] : []),
    },
  ];
}

/** A member that is running. */
export interface Running extends Member {
  readonly uri: string;
}

export interface Fleet {
  readonly members: readonly Running[];
  close(): void;
}

/**
 * Starts every member on a free port. A member is left out if this machine lacks its address family,
 * or openssl for its certificate.
 *
 * @param folder for certificates.
 */
export async function startFleet(folder: string): Promise<Fleet> {
  const trusted = selfSigned(folder, 'trusted');
  const unknown = selfSigned(folder, 'unknown');
  const closers: (() => void)[] = [];
  const running: Running[] = [];
  for (const member of members(performance.now())) {
    const { host = '127.0.0.1', transport = 'udp', behaviour, name } = member;
    const certificate = member.certificate === 'trusted' ? trusted : unknown;
    if (member.certificate !== undefined && certificate === undefined) continue;
    const used = member.certificate === undefined ? undefined : certificate;
    const server = await listen(
      transport,
      host,
      used,
      answering(behaviour ?? (() => []), name),
    ).catch(() => undefined);
    if (server === undefined) continue;
    const param = transport === 'udp' ? '' : `;transport=${transport}`;
    const tls = member.certificate === 'trusted' ? { tls_config: { ca_file: used?.certFile } } : {};
    const settings = { ...member.settings, ...tls };
    const shownHost = host.includes(':') ? `[${host}]` : host;
    running.push({ ...member, settings, uri: `sip:${shownHost}:${server.port}${param}` });
    if (behaviour === undefined) server.close();
    else closers.push(() => server.close());
  }
  const close = () => {
    for (const closeOne of closers) closeOne();
  };
  return { members: running, close };
}

function answering(behaviour: Behaviour, name: string): OnRequest {
  let count = 0;
  return (request, from, reply) => {
    count++;
    for (const { afterMs, status, header } of behaviour(count, Buffer.from(request).toString())) {
      const answer = buildOptionsResponse(request, from, name, status);
      if (answer === undefined) continue;
      const text = Buffer.from(answer).toString('latin1');
      const whole = header === undefined ? text : text.replace('\r\n', `\r\n${header}\r\n`);
      setTimeout(() => reply(Buffer.from(whole, 'latin1')), afterMs);
    }
  };
}
