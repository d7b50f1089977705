/** Broken and malicious far ends, over transports with connections. */

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, writeFileSync } from 'node:fs';
import type * as net from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authority } from '../support/certificates.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import {
  type Answers,
  bytewise,
  END,
  type FarEnd,
  frame,
  type Listener,
  RESET,
  raw,
  type Step,
  startFarEnd,
  startListener,
  wait,
} from '../support/far-end.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const INTERVAL_MS = 1_500;
const TIMEOUT_MS = 1_300;
const IS_LINUX = { skip: process.platform === 'linux' ? false : 'reads /proc' };
/** What a TLS server sends to a client without TLS: alert, fatal, handshake failure. */
const TLS_ALERT = Buffer.from([21, 3, 3, 0, 2, 2, 40]);
const BINARY = Buffer.from(Array.from({ length: 256 }, (_, i) => 255 - i));
const HTTP_ERROR = 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const TEXT = 1;
const CLOSE = 8;

/** The expected state of a destination, its reason and its detail. */
type Verdict = readonly ['up' | 'down', reason: string | null, detail: string | RegExp | null];

const UP: Verdict = ['up', null, null];
const UNANSWERED: Verdict = ['down', 'timeout', null];
const HALF_ANSWERED: Verdict = ['down', 'timeout', 'only a part of the response was received'];
const malformed = (detail: string | RegExp): Verdict => ['down', 'malformed', detail];
const reset = (detail: string | RegExp): Verdict => ['down', 'reset', detail];
const refused = (detail: string): Verdict => ['down', 'refused', detail];
const awaiting = (what: string): Verdict => ['down', 'timeout', `waited for ${what}`];

const NOT_SIP = malformed('first line is not SIP');

interface Case {
  readonly answers: Answers;
  readonly greeting?: () => readonly Step[];
  readonly verdict: Verdict;
  /** The answer takes long, especially on a busy machine. */
  readonly isSlow?: boolean;
}

/** A far end that sends this instead of an answer. */
const sends = (verdict: Verdict, spoil: (good: string) => Step | readonly Step[]): Case => ({
  answers: (_request, good) => [spoil(good)].flat(),
  verdict,
});

/** A far end that sends these bytes one by one, and is up. */
const trickles = (bytesOf: (good: string) => string | Uint8Array): Case => ({
  ...sends(UP, (good) => bytewise(bytesOf(good))),
  isSlow: true,
});

const withLength = (length: string) => (good: string) =>
  good.replace('Content-Length: 0', `Content-Length: ${length}`);
const withBody = (good: string) => good.replace('Length: 0\r\n\r\n', 'Length: 5\r\n\r\nhello');
const another = (good: string) => good.replace(/(branch=z9hG4bK)[0-9a-f]{8}/, '$1ffffffff');

/** Over a byte stream, data that is not a SIP message ends the connection. */
const STREAM: Readonly<Record<string, Case>> = {
  'an HTTP answer': sends(NOT_SIP, () => HTTP_ERROR),
  'bytes of all values': sends(NOT_SIP, () => BINARY),
  'a TLS alert': sends(NOT_SIP, () => TLS_ALERT),
  'lines that end in LF only': sends(malformed('line ends in LF, not in CR LF'), (good) =>
    good.replaceAll('\r\n', '\n'),
  ),
  'a line without an end': sends(NOT_SIP, () => 'SIP'.repeat(1000)),
  'half a header, then silence': sends(HALF_ANSWERED, (good) => good.slice(0, 100)),
  'a header that grows byte by byte': sends(HALF_ANSWERED, (good) => [
    good.slice(0, good.indexOf('Content-Length')),
    'Slow: ',
    ...Array.from({ length: 100 }, () => ['x', wait(20)]).flat(),
  ]),
  'headers of 17 KB': sends(malformed('headers longer than 16384 bytes'), (good) =>
    good.replace('Allow: ', `Long: ${'x'.repeat(17_000)}\r\nAllow: `),
  ),
  'headers of 15 KB': sends(UP, (good) =>
    good.replace('Allow: ', `Long: ${'x'.repeat(15_000)}\r\nAllow: `),
  ),
  'no Content-Length': sends(malformed(/^no Content-Length/), (good) =>
    good.replace('Content-Length: 0\r\n', ''),
  ),
  'a negative Content-Length': sends(malformed(/^invalid Content-Length "/), withLength('-1')),
  'a Content-Length that is a word': sends(
    malformed(/^invalid Content-Length "/),
    withLength('none'),
  ),
  'an empty Content-Length': sends(malformed(/^invalid Content-Length "/), withLength('')),
  'a Content-Length of 400 digits': sends(
    malformed(/^invalid Content-Length "/),
    withLength('9'.repeat(400)),
  ),
  'a Content-Length of 4 GB': sends(
    malformed('body longer than 65536 bytes'),
    withLength('4294967296'),
  ),
  'two different Content-Lengths': sends(
    malformed('different values of Content-Length'),
    withLength('0\r\nl: 7'),
  ),
  'the same Content-Length twice': sends(UP, withLength('0\r\nl: 0')),
  'a folded Content-Length': sends(UP, withLength('\r\n 0')),
  'a header without a colon': sends(malformed(/^invalid header line "/), (good) =>
    good.replace('Allow: ', 'Allow '),
  ),
  'a body': sends(UP, withBody),
  'a body that never comes': sends(HALF_ANSWERED, withLength('10')),
  'two answers in one piece': sends(UP, (good) => `${good}${good}`),
  'an answer to another client in one piece with the right one': sends(
    UP,
    (good) => `${another(withBody(good))}${good}`,
  ),
  'an answer byte by byte': trickles(withBody),
  'two answers byte by byte': trickles((good) => `${another(good)}${withBody(good)}`),
  'line breaks before and after the answer': sends(UP, (good) => [
    '\r\n\r\n',
    wait(20),
    '\r\n',
    wait(20),
    `\r\n\r\n${good}\r\n`,
    wait(20),
    bytewise('\r\n\r\n'),
  ]),
  'line breaks before the first request': {
    answers: (_request, good) => [good],
    greeting: () => ['\r\n\r\n'],
    verdict: UP,
  },
  'an answer before the first request': {
    answers: (_request, good) => [good],
    greeting: () => ['SIP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'],
    verdict: UP,
  },
  'a close in the middle of the answer': sends(
    reset('the peer closed the connection in the middle of a message'),
    (good) => [good.slice(0, 100), END],
  ),
  'a close in the middle of the body': sends(
    reset('the peer closed the connection in the middle of a message'),
    (good) => [withLength('10')(good), 'hello', END],
  ),
  'a close instead of an answer': sends(reset('the peer closed the connection'), () => END),
  'a reset instead of an answer': sends(reset('ECONNRESET'), () => RESET),
  'an answer followed by a close': sends(UP, (good) => [good, END]),
};

/** Over a WebSocket, a frame is a message, and data that is not a frame ends the connection. */
const WEB_SOCKET: Readonly<Record<string, Case>> = {
  'a binary frame': sends(UP, (good) => Buffer.from(good)),
  'a frame byte by byte': trickles((good) => frame(TEXT, good)),
  'an answer in three fragments': sends(UP, (good) => {
    const parts = [good.slice(0, 50), good.slice(50, 90), good.slice(90)];
    const frames = parts.map((part, i) => frame(i === 0 ? TEXT : 0, part));
    // RFC 6455 5.4: only the last fragment has the FIN bit.
    for (const part of frames.slice(0, -1)) part[0] = (part[0] ?? 0) & 0x7f;
    return raw(Buffer.concat(frames));
  }),
  'a ping before the answer': sends(UP, (good) => [raw(frame(9, 'x')), wait(20), good]),
  'line breaks in separate frames': sends(UP, (good) => ['\r\n\r\n', good, '\r\n']),
  // RFC 7118 5: the frame has the length.
  'no Content-Length': sends(UP, (good) => good.replace('Content-Length: 0\r\n', '')),
  'an HTTP answer': sends(UNANSWERED, () => HTTP_ERROR),
  'a frame of all values': sends(UNANSWERED, () => BINARY),
  'an answer that is cut off': sends(UNANSWERED, (good) => good.slice(0, 20)),
  'half a frame, then silence': sends(UNANSWERED, (good) =>
    raw(frame(TEXT, good).subarray(0, 100)),
  ),
  'a text frame that is not UTF-8': sends(malformed(/UTF-8/), () =>
    raw(frame(TEXT, Buffer.from([0xff, 0xfe]))),
  ),
  'bytes that are not a frame': sends(malformed(/^Invalid WebSocket frame/), () => raw(BINARY)),
  'a frame of 81 KB': sends(malformed(/size exceeded/), () => 'x'.repeat(81 * 1024 + 1)),
  'a frame that claims 2 GB': sends(malformed(/size exceeded/), () =>
    raw(Buffer.from([0x82, 127, 0, 0, 0, 0, 0x80, 0, 0, 0])),
  ),
  'a close frame': sends(reset('the peer closed the WebSocket with code 1001'), () =>
    raw(frame(CLOSE, Buffer.from([0x03, 0xe9]))),
  ),
  'a reset': sends(reset(/^the peer closed the connection without closing/), () => RESET),
  'a close in the middle of a frame': sends(
    reset(/^the peer closed the connection without closing/),
    (good) => [raw(frame(TEXT, good).subarray(0, 100)), RESET],
  ),
};

/** Starts a far end for each case over this transport, and checks the results. */
async function checkCases(
  t: TestContext,
  transport: 'tcp' | 'tls' | 'ws' | 'wss',
  cases: Readonly<Record<string, Case>>,
): Promise<void> {
  const { config, ...options } =
    transport === 'tls' || transport === 'wss' ? secure(t) : { config: {} };
  const farEnds = new Map<string, FarEnd>();
  for (const [name, { answers, greeting }] of Object.entries(cases)) {
    const greeted = greeting === undefined ? options : { ...options, greeting };
    farEnds.set(name, await startFarEnd(t, transport, answers, greeted));
  }
  const destinations = [...farEnds].map(([name, { port }]) => ({
    name,
    uri: `127.0.0.1:${port};transport=${transport}`,
    ...intervalFor(cases[name]?.verdict, cases[name]?.isSlow),
  }));
  const exporter = await startFast(t, { ...config, destinations });
  const verdicts = Object.entries(cases).map(([name, { verdict }]) => [name, verdict] as const);
  await checkAll(exporter, Object.fromEntries(verdicts));
  for (const [name, { connections }] of farEnds) {
    const destination = await exporter.destination(name);
    const pings = destination.targets[0]?.pings ?? 0;
    // A ping may need a second connection if the first is closed; the current ping is not counted yet.
    assert.ok(connections <= 2 * pings + 2, `${name}: ${connections} for ${pings} pings`);
  }
}

/** A long timeout for what has to happen on a busy machine, and a short one for expected timeouts. */
function intervalFor(verdict: Verdict | undefined, isSlow = false): object {
  if (isSlow) return { ping_interval: 30, ping_timeout: 29 };
  return verdict?.[1] === 'timeout' ? {} : { ping_interval: 8, ping_timeout: 7.5 };
}

function startFast(t: TestContext, rest: object): Promise<Exporter> {
  return startExporter(t, {
    ...{ ping_interval: INTERVAL_MS / 1000, ping_timeout: TIMEOUT_MS / 1000 },
    ...rest,
  });
}

/** Waits for the state, and checks it with its reason and detail. */
async function check(exporter: Exporter, name: string, [state, reason, detail]: Verdict) {
  // Details arrive from the pinger thread a moment after the verdict.
  const found = await eventually(`a verdict for ${name}`, async () => {
    const destination = await exporter.destination(name);
    const hasDetail = detail === null || destination.targets[0]?.detail !== null;
    return destination.state !== 'unknown' && hasDetail && destination;
  });
  const text = found.targets[0]?.detail ?? null;
  assert.deepEqual([found.state, found.reason], [state, reason], `${name}: ${text}`);
  if (detail instanceof RegExp) assert.match(text ?? '', detail, name);
  else assert.equal(text, detail, name);
}

async function checkAll(exporter: Exporter, verdicts: Readonly<Record<string, Verdict>>) {
  const wrong: unknown[] = [];
  for (const [name, verdict] of Object.entries(verdicts)) {
    await check(exporter, name, verdict).catch((error: unknown) => wrong.push(error));
  }
  if (wrong.length > 0) throw new AggregateError(wrong, wrong.map(String).join('\n'));
  // The result is the same after further pings: nothing of a ping affects the next one.
  for (const [name, [state, reason]] of Object.entries(verdicts)) {
    await eventually(`two pings of ${name}`, async () => {
      const [target] = (await exporter.destination(name)).targets;
      return (target?.pings ?? 0) >= 2;
    });
    // It is unknown for a while after the machine has paused the exporter.
    const found = await eventually(`a state of ${name}`, async () => {
      const destination = await exporter.destination(name);
      return destination.state !== 'unknown' && destination;
    });
    assert.deepEqual([found.state, found.reason], [state, reason], name);
    const failures = await exporter.metric('sip_keepalive_ping_failures_total', {
      destination: name,
    });
    if (state === 'up') assert.equal(failures, 0, name);
  }
  assert.equal(exporter.crashes(), 0);
}

/** A certificate for the address of the far ends, and the setting that trusts it. */
function secure(t: TestContext) {
  const authority = Authority.root(t);
  const { cert, key } = authority.issue({ name: 'far end', alternative: 'IP:127.0.0.1' });
  return { tls: { cert, key }, config: { tls_config: { ca_file: authority.caFile } } };
}

describe('a bad answer', { concurrency: true }, () => {
  test('over TCP leads to its reason and detail, and an unusual but valid one is accepted', (t) =>
    checkCases(t, 'tcp', STREAM));

  test('over TLS has the same result as over TCP', needs('openssl'), (t) =>
    checkCases(t, 'tls', STREAM),
  );

  test('over WebSocket leads to its reason and detail', (t) => checkCases(t, 'ws', WEB_SOCKET));

  test('over WebSocket with TLS has the same result as without TLS', needs('openssl'), (t) =>
    checkCases(t, 'wss', WEB_SOCKET),
  );
});

test('a connection that cannot be established fails with what it waited for, and no request is sent', {
  ...needs('openssl'),
}, async (t) => {
  const { tls, config } = secure(t);
  const http = (head: string) => (socket: net.Socket) => {
    socket.once('data', () => socket.write(`${head}\r\n\r\n`));
  };
  const switching = (key: string, rest = '') =>
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}${rest}`;
  const silent = await startListener(t, (socket) => socket.resume());
  const unread = await startListener(t, (socket) => socket.pause());
  const silentInside = await startListener(t, (socket) => socket.resume(), tls);
  const closing = await startListener(t, (socket) => socket.end());
  const hangingUp = await startListener(t, (socket) => {
    socket.once('data', () => socket.resetAndDestroy());
  });
  const forbidding = await startListener(t, http('HTTP/1.1 403 Forbidden\r\nContent-Length: 0'));
  const moving = await startListener(
    t,
    http('HTTP/1.1 301 Moved\r\nLocation: ws://127.0.0.1/\r\nContent-Length: 0'),
  );
  const plain = await startListener(t, http('HTTP/1.1 200 OK\r\nContent-Length: 0'));
  const babbling = await startListener(t, http('SIP/2.0 400 Bad Request'));
  const forging = await startListener(t, http(switching('wrong')));
  const endless = await startListener(t, (socket) => {
    socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(1_000_000)}`));
  });
  const hinting = await startListener(t, (socket) => {
    socket.once('data', () => {
      const send = () => {
        if (socket.write('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100))) setImmediate(send);
        else socket.once('drain', send);
      };
      socket.on('error', () => socket.destroy());
      send();
    });
  });
  const halfway = await startListener(t, (socket) => {
    socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: w'));
  });
  const dumb = await startListener(t, (socket) => {
    socket.once('data', (request) => socket.write(`${switching(acceptOf(request))}\r\n\r\n`));
  });
  const other = await startListener(t, (socket) => {
    socket.once('data', (request) => {
      const protocol = '\r\nSec-WebSocket-Protocol: mqtt';
      socket.write(`${switching(acceptOf(request), protocol)}\r\n\r\n`);
    });
  });

  const upgrade = 'the upgrade to WebSocket';
  const hungUp = 'the peer closed the connection during the upgrade';
  const noSip = 'the peer does not support the WebSocket subprotocol sip';
  const invalid = `the response to ${upgrade} has a wrong Sec-WebSocket-Accept`;
  const cases: Readonly<Record<string, readonly [Listener, transport: string, Verdict]>> = {
    'tcp silent': [silent, 'tcp', UNANSWERED],
    'tcp unread': [unread, 'tcp', UNANSWERED],
    'tls silent': [silent, 'tls', awaiting('the TLS handshake')],
    'tls unread': [unread, 'tls', awaiting('the TLS handshake')],
    'tls silent inside': [silentInside, 'tls', UNANSWERED],
    'tls closing': [closing, 'tls', ['down', 'tls', /closed during the handshake/]],
    'tls hanging up': [hangingUp, 'tls', ['down', 'tls', /closed during the handshake/]],
    'wss silent': [silent, 'wss', awaiting('the TLS handshake')],
    'wss silent inside': [silentInside, 'wss', awaiting(upgrade)],
    'ws silent': [silent, 'ws', awaiting(upgrade)],
    'ws halfway': [halfway, 'ws', awaiting(upgrade)],
    'ws closing': [closing, 'ws', reset(hungUp)],
    'ws hanging up': [hangingUp, 'ws', reset(hungUp)],
    'ws forbidding': [
      forbidding,
      'ws',
      refused(`${upgrade} was answered with 403; check ws_origin`),
    ],
    'ws moving': [
      moving,
      'ws',
      refused(`${upgrade} was answered with 301, a redirect to ws://127.0.0.1/`),
    ],
    'ws plain': [plain, 'ws', refused(`${upgrade} was answered with 200`)],
    'ws babbling': [babbling, 'ws', malformed(`${upgrade} was not answered with HTTP`)],
    'ws endless': [
      endless,
      'ws',
      malformed(`the headers of the response to ${upgrade} are too long`),
    ],
    'ws hinting': [hinting, 'ws', malformed(/^the peer floods: more than \d+ /)],
    'ws forging': [forging, 'ws', refused(invalid)],
    'ws without a subprotocol': [dumb, 'ws', refused(noSip)],
    'ws with another subprotocol': [other, 'ws', refused(noSip)],
  };
  const destinations = Object.entries(cases).map(([name, [{ port }, transport, verdict]]) => ({
    name,
    uri: `127.0.0.1:${port};transport=${transport}`,
    ...intervalFor(verdict),
  }));
  const exporter = await startFast(t, { ...config, destinations });
  await checkAll(
    exporter,
    Object.fromEntries(Object.entries(cases).map(([name, [, , verdict]]) => [name, verdict])),
  );
  for (const name of Object.keys(cases)) {
    const destination = { destination: name };
    assert.equal(await exporter.metric('sip_keepalive_rtt_seconds_count', destination), 0, name);
  }
  // Each ping closes its connection, so only current pings have an open one. (A peer that does not
  // read does not notice the close.)
  for (const [listener, users] of [
    [silent, 4],
    [silentInside, 2],
    [halfway, 1],
  ] as const) {
    await eventually('two pings of each', () => listener.accepted() >= 2 * users);
    await eventually('the connections of earlier pings are closed', () => listener.open() <= users);
  }
});

/** RFC 6455 4.2.2: the proof that the server understood the upgrade. */
function acceptOf(request: Buffer): string {
  const [, key = ''] = /^Sec-WebSocket-Key: (\S+)\r$/im.exec(request.toString('latin1')) ?? [];
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

const FLOOD_BYTES = 20_000_000;
const CHUNK = 64 * 1024;
/** Far less than one flood of each kind. */
const MAX_GROWTH_BYTES = 100_000_000;

test('20 MB of any data neither use memory nor delay other pings', async (t) => {
  /** The floods that were cut off. */
  const stopped = new Set<string>();
  const pour = (name: string, first: string | Buffer, chunk: Buffer) => (socket: net.Socket) => {
    socket.on('close', () => stopped.add(name));
    socket.once('data', () => {
      let left = FLOOD_BYTES;
      const more = () => {
        while (left > 0 && socket.writable) {
          left -= chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on('drain', more);
      socket.write(first);
      more();
    });
  };
  const garbage = Buffer.alloc(CHUNK, 'A');
  const floods = {
    garbage: [pour('garbage', '', garbage), 'malformed'],
    header: [pour('header', 'SIP/2.0 200 OK\r\nEndless: ', garbage), 'malformed'],
    headers: [pour('headers', 'SIP/2.0 200 OK\r\n', Buffer.alloc(CHUNK, 'A: b\r\n')), 'malformed'],
    body: [pour('body', 'SIP/2.0 200 OK\r\nl: 20000000\r\n\r\n', garbage), 'malformed'],
    breaks: [pour('breaks', '', Buffer.alloc(CHUNK, '\r\n')), 'malformed'],
    nuls: [pour('nuls', '', Buffer.alloc(CHUNK)), 'malformed'],
    trying: [
      pour('trying', '', Buffer.from('SIP/2.0 100 Trying\r\nl: 0\r\n\r\n'.repeat(2000))),
      'malformed',
    ],
    strays: [
      pour('strays', '', Buffer.from('SIP/2.0 200 OK\r\nl: 0\r\n\r\n'.repeat(3000))),
      'malformed',
    ],
  } as const;
  const well = await startFarEnd(t, 'tcp', (_request, good) => [good]);
  const destinations = [
    { name: 'well', uri: `127.0.0.1:${well.port};transport=tcp`, ...intervalFor(UP) },
  ];
  for (const [name, [take]] of Object.entries(floods)) {
    const { port } = await startListener(t, take);
    destinations.push({ name, uri: `127.0.0.1:${port};transport=tcp` });
  }
  const exporter = await startFast(t, { destinations });
  const rss = () => exporter.metric('process_resident_memory_bytes');
  const before = (await rss()) ?? 0;
  for (const [name, [, reason]] of Object.entries(floods)) {
    await eventually(`${name} is down and stopped`, async () => {
      const found = await exporter.destination(name);
      return found.reason === reason && stopped.has(name);
    });
  }
  await eventually('three pings', async () => {
    const [target] = (await exporter.destination('well')).targets;
    return (target?.pings ?? 0) >= 3;
  });
  const grown = ((await rss()) ?? 0) - before;
  t.diagnostic(`${grown} bytes more than before`);
  assert.ok(grown < MAX_GROWTH_BYTES, `${grown} bytes more than before`);
  assert.equal(await exporter.isAlive('well'), 1);
  assert.equal(
    await exporter.metric('sip_keepalive_ping_failures_total', { destination: 'well' }),
    0,
  );
  assert.equal(exporter.crashes(), 0);
});

const REFUSING = 200;
const SILENT = 20;
const INTERVAL_S = 0.2;

test(
  `${REFUSING} refusing and ${SILENT} silent destinations with five pings per second leak no descriptor`,
  IS_LINUX,
  async (t) => {
    const silent = await startListener(t, (socket) => socket.resume());
    const transports = ['tcp', 'tls', 'ws', 'wss'];
    // Not an ephemeral port: a client could get that port as its source port, and connect to itself.
    const refusing = Array.from({ length: REFUSING }, (_, i) => ({
      name: `refusing ${i}`,
      uri: `127.1.0.${i + 1}:9;transport=${transports[i % transports.length]}`,
    }));
    const silentOnes = Array.from({ length: SILENT }, (_, i) => ({
      name: `silent ${i}`,
      uri: `127.1.1.${i + 1}:${silent.port};transport=${transports[i % transports.length]}`,
      route: `sip:127.0.0.1:${silent.port};transport=${transports[i % transports.length]}`,
    }));
    const exporter = await startExporter(t, {
      ping_interval: INTERVAL_S,
      ping_timeout: INTERVAL_S / 2,
      destinations: [...refusing, ...silentOnes],
    });
    const failures = (reason: string) =>
      exporter.metric('sip_keepalive_ping_failures_total', { reason });
    const descriptors = () => {
      const { pid, exitCode, signalCode } = exporter.child;
      const end = exitCode ?? signalCode;
      assert.equal(end, null, `the exporter ended: ${end} ${exporter.output().slice(-5000)}`);
      return readdirSync(`/proc/${pid}/fd`).length;
    };
    await eventually('all were pinged', async () => {
      return (await exporter.metric('sip_keepalive_up')) === 0;
    });
    const counts: number[] = [];
    await eventually('many pings', async () => {
      counts.push(descriptors());
      return ((await failures('refused')) ?? 0) >= REFUSING * 15;
    });
    t.diagnostic(`${Math.min(...counts)} to ${Math.max(...counts)} descriptors`);
    await eventually('many timeouts', async () => ((await failures('timeout')) ?? 0) >= SILENT * 5);
    assert.equal(await failures('local'), 0);
    await eventually('only descriptors of current pings', () => descriptors() <= 60 + SILENT);
    assert.ok(Math.max(...counts) < 60 + SILENT + REFUSING, `at most ${Math.max(...counts)}`);
    await eventually('the silent ones are closed', () => silent.open() <= SILENT);
  },
);

const STALLS = 5;

test('a connection that was being established when the exporter stalled is closed', async (t) => {
  const transports = ['tls', 'ws', 'wss'];
  const silent = await startListener(t, (socket) => socket.resume());
  const destinations = transports.map((transport) => ({
    name: transport,
    uri: `127.0.0.1:${silent.port};transport=${transport}`,
  }));
  const exporter = await startFast(t, { destinations });
  for (let stalls = 0; stalls < STALLS; stalls++) {
    const before = silent.accepted();
    await eventually('a connection is opened', () => silent.accepted() > before);
    exporter.child.kill('SIGSTOP');
    await sleep(TIMEOUT_MS + 100);
    exporter.child.kill('SIGCONT');
  }
  const pings = async () => (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
  const before = await pings();
  await eventually('pings as before', async () => (await pings()) >= before + transports.length);
  // Without destinations there are no pings.
  writeFileSync(exporter.configFile, '{}');
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  await eventually('no connection is open', () => silent.open() === 0);
});
