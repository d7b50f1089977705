import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { answerOptions } from '../../src/pinger/uas.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';

type Answers = (request: string, good: string) => readonly (string | Buffer)[];

/** A far end on loopback that answers each request with these datagrams, in this order. */
async function farEnd(t: TestContext, answers: Answers, host = '127.0.0.1'): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (request, from) => {
    const good = answerOptions(request, from, 'far')?.toString() ?? '';
    for (const answer of answers(request.toString(), good)) {
      socket.send(answer, from.port, from.address);
    }
  });
  socket.bind(0, host);
  await once(socket, 'listening');
  t.after(() => socket.close());
  return socket.address().port;
}

const pingsOf = (exporter: Exporter, destination: string) =>
  exporter.metric('sip_keepalive_pings_total', { destination });

test('what is hostile, malformed or not ours is counted and dropped, and the good answer still counts', async (t) => {
  const blanks = ' '.repeat(10_000);
  const keepalives = ['', Buffer.alloc(60_000, '\r\n')];
  const strays = (good: string): (string | Buffer)[] => [
    '\0\xff\xfe\0',
    Buffer.alloc(60_000, 0x20),
    'SIP/2.0 200 OK\nVia: x\n\n',
    `SIP/2.0 200${blanks}\r\n\r\n`,
    good.slice(0, 30),
    good.replace('Content-Length: 0', 'Content-Length: 500'),
    good.replace(/branch=z9hG4bK[0-9a-f]{8}[0-9a-f]{8}/, 'branch=z9hG4bK0000000000000000'),
    good.replace(/branch=z9hG4bK[0-9a-f]{8}/, 'branch=z9hG4bKffffffff'),
    good.replace('1 OPTIONS', '1 INVITE'),
    good.replace(/Via: [^\r]+/, (via) => `${via}\r\n${via}`),
    good.replace(/UDP 127\.0\.0\.1:/, 'UDP 127.0.0.9:'),
    good.replace('branch=', '__proto__;constructor=x;toString;xbranch='),
    'INVITE sip:x SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK1\r\nCSeq: 1 INVITE\r\n\r\n',
  ];
  const hostile = await farEnd(t, (_request, good) => [
    ...keepalives,
    ...strays(good),
    good.replace(
      '\r\n\r\n',
      '\r\n__proto__: x\r\nconstructor: y\r\nHuge: '.concat('h'.repeat(50_000), '\r\n\r\n'),
    ),
  ]);
  const exporter = await startExporter(t, {
    ping_interval: 1,
    destinations: [{ name: 'hostile', uri: `127.0.0.1:${hostile}` }],
  });
  await eventually('three pings', async () => ((await pingsOf(exporter, 'hostile')) ?? 0) >= 3);
  assert.equal(await exporter.isAlive('hostile'), 1);
  assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
  const unmatched = (await exporter.metric('sip_keepalive_unmatched_messages_total')) ?? 0;
  const pings = (await pingsOf(exporter, 'hostile')) ?? 0;
  assert.equal(unmatched, pings * strays('').length);
  const kept = await exporter.metric('sip_keepalive_nat_keepalives_total');
  assert.equal(kept, pings * keepalives.length);
  assert.equal(await exporter.metric('sip_keepalive_pinger_restarts_total'), 0);
});

test('an answer with our branch that is not well-formed ends the ping as malformed', async (t) => {
  const broken: Record<string, (good: string) => string> = {
    status: (good) => good.replace('200 OK', '4294967301 Better'),
    version: (good) => good.replace('SIP/2.0 200', 'SIP/7.0 200'),
    torn: (good) => good.slice(0, good.indexOf('CSeq')),
    lengths: (good) => good.replace('Content-Length: 0', 'Content-Length: 0\r\nl: 7'),
    nul: (good) => good.replace('Allow: OPTIONS', 'Allow: \0'),
  };
  const destinations = await Promise.all(
    Object.entries(broken).map(async ([name, spoil]) => {
      const port = await farEnd(t, (_request, good) => [spoil(good)]);
      return { name, uri: `127.0.0.1:${port}` };
    }),
  );
  const exporter = await startExporter(t, { ping_interval: 1, destinations });
  for (const { name } of destinations) {
    await eventually(`a verdict for ${name}`, async () => (await exporter.isAlive(name)) === 2);
    assert.equal((await exporter.destination(name)).reason, 'malformed', name);
    const [{ detail } = { detail: '' }] = (await exporter.destination(name)).targets;
    assert.match(detail ?? '', /^an answer came that is not well-formed: /, name);
  }
});

test('an answer from another address is ours when its branch is (RFC 3261 17.1.3)', async (t) => {
  const other = dgram.createSocket('udp4');
  other.bind(0, '127.0.0.1');
  await once(other, 'listening');
  t.after(() => other.close());
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  socket.on('message', (request, from) => {
    other.send(answerOptions(request, from, 'x') ?? '', from.port, from.address);
  });
  const exporter = await startExporter(t, { destinations: [`127.0.0.1:${socket.address().port}`] });
  await eventually('it is up', async () => (await exporter.metric('sip_keepalive_up')) === 1);
});

test('an OPTIONS to our own socket is answered with 200, other requests with silence', async (t) => {
  const sourcePort = await freePort();
  const far = await farEnd(t, (_request, good) => [good]);
  const exporter = await startExporter(t, {
    source_address: '127.0.0.1',
    source_port: sourcePort,
    destinations: [`127.0.0.1:${far}`],
  });
  await eventually('it is up', async () => (await exporter.metric('sip_keepalive_up')) === 1);
  const peer = dgram.createSocket('udp4');
  t.after(() => peer.close());
  peer.bind(0, '127.0.0.1');
  const request = (method: string) =>
    `${method} sip:127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bKx;rport\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: ${method}\r\nCSeq: 7 ${method}\r\nMax-Forwards: 70\r\n\r\n`;
  peer.send(request('MESSAGE'), sourcePort, '127.0.0.1');
  peer.send(request('OPTIONS'), sourcePort, '127.0.0.1');
  const [answer] = (await once(peer, 'message')) as [Buffer];
  assert.match(answer.toString(), /^SIP\/2\.0 200 OK\r\n/);
  assert.match(answer.toString(), /CSeq: 7 OPTIONS\r\n/);
  assert.match(answer.toString(), new RegExp(`rport=${peer.address().port};received=127.0.0.1`));
});

const FLOOD_SECONDS = 5;
const FLOOD_PER_SECOND = 50_000;

test('50,000 strays a second beside 1,000 pings a second: no ping is lost and every counter is right', {
  skip: process.platform === 'linux' ? false : 'reads /proc',
}, async (t) => {
  const sourcePort = await freePort();
  const far = await farEnd(t, (_request, good) => [good], '0.0.0.0');
  const destinations = Array.from(
    { length: 1000 },
    (_, i) => `127.1.${Math.floor(i / 250)}.${(i % 250) + 1}:${far}`,
  );
  const exporter = await startExporter(t, {
    ping_interval: 1,
    source_port: sourcePort,
    destinations,
  });
  const up = () => exporter.metric('sip_keepalive_up');
  await eventually('all are up', async () => (await up()) === 1000);
  const rss = () => exporter.metric('process_resident_memory_bytes');
  const before = {
    rss: (await rss()) ?? 0,
    pings: await exporter.metric('sip_keepalive_pings_total'),
  };

  const sent = await flood(sourcePort);
  await eventually('the socket is drained', async () => {
    const unmatched = await exporter.metric('sip_keepalive_unmatched_messages_total');
    return (unmatched ?? 0) + dropped(sourcePort) === sent;
  });

  const pings = ((await exporter.metric('sip_keepalive_pings_total')) ?? 0) - (before.pings ?? 0);
  t.diagnostic(
    `${sent} strays, ${dropped(sourcePort)} dropped by the kernel, ${pings} pings meanwhile`,
  );
  assert.ok(sent >= FLOOD_PER_SECOND * FLOOD_SECONDS * 0.9, `only ${sent} strays were sent`);
  assert.ok(pings >= 1000 * (FLOOD_SECONDS - 1), `only ${pings} pings ended`);
  assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
  assert.equal(await up(), 1000);
  const grown = ((await rss()) ?? 0) - before.rss;
  assert.ok(grown < 100e6, `${grown} bytes more than before`);
});

/** Sends strays from a thread of its own; returns how many. */
async function flood(port: number): Promise<number> {
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    const socket = require('node:dgram').createSocket({ type: 'udp4', lookup: (h, o, c) => c(null, h, 4) });
    const { port, perSecond, seconds } = workerData;
    const stray = Buffer.from('SIP/2.0 200 OK\\r\\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK'
      + '0'.repeat(40) + '\\r\\nCSeq: 1 OPTIONS\\r\\n\\r\\n');
    let sent = 0;
    const start = performance.now();
    socket.connect(port, '127.0.0.1', function tick() {
      const ms = performance.now() - start;
      if (ms > seconds * 1000) { socket.close(); parentPort.postMessage(sent); return; }
      for (const due = ms * perSecond / 1000; sent < due; sent++) socket.send(stray);
      setTimeout(tick, 1);
    });`;
  const worker = new Worker(code, {
    eval: true,
    workerData: { port, perSecond: FLOOD_PER_SECOND, seconds: FLOOD_SECONDS },
  });
  const [sent] = (await once(worker, 'message')) as [number];
  return sent;
}

/** Datagrams that the kernel dropped because the socket's buffer was full. */
function dropped(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const lines = readFileSync('/proc/net/udp', 'utf8').split('\n');
  const line = lines.find((text) => text.includes(`00000000:${hex} 00000000:0000`));
  return Number(line?.trim().split(/\s+/).at(-1) ?? 0);
}
