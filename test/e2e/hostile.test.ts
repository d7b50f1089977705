import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import { type Exporter, startExporter, sum } from '../support/exporter.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { EACH_UDP_IO } from '../support/udp-io.js';

type Answers = (request: string, good: string) => readonly (string | Buffer)[];

/** A far end on loopback that answers each request with these datagrams, in order. */
async function farEnd(t: TestContext, answers: Answers, host = '127.0.0.1'): Promise<number> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (request, from) => {
    const good = buildOptionsResponse(request, from, 'far')?.toString() ?? '';
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

const FLOOD = 250_000;
const MONITORED = 1_000;

for (const [io, options] of EACH_UDP_IO) {
  const start = (t: TestContext, config: object) => startExporter(t, config, [`--udp.io=${io}`]);

  describe(`UDP by ${io}:`, options, () => {
    test('hostile, malformed and unrelated messages are counted and dropped, and the correct response still counts', async (t) => {
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
      // Retransmissions (RFC 3261 17.1.2.2) are not answered again.
      const requests = new Set<string>();
      const answers = (good: string) => [
        ...keepalives,
        ...strays(good),
        good.replace(
          '\r\n\r\n',
          '\r\n__proto__: x\r\nconstructor: y\r\nHuge: '.concat('h'.repeat(50_000), '\r\n\r\n'),
        ),
      ];
      const hostile = await farEnd(t, (request, good) => {
        if (requests.has(request)) return [];
        requests.add(request);
        return answers(good);
      });
      const exporter = await start(t, {
        ping_interval: 4,
        destinations: [{ name: 'hostile', uri: `127.0.0.1:${hostile}` }],
      });
      await eventually('three pings', async () => ((await pingsOf(exporter, 'hostile')) ?? 0) >= 3);
      assert.equal(await exporter.isAlive('hostile'), 1);
      assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
      await eventually('each is counted once', async () => {
        const text = await exporter.get('/metrics');
        const unmatched = sum(text, 'sip_keepalive_unmatched_messages_total');
        const keepAlives = sum(text, 'sip_keepalive_nat_keepalives_total');
        return (
          unmatched === requests.size * strays('').length &&
          keepAlives === requests.size * keepalives.length
        );
      });
      assert.equal(exporter.crashes(), 0);
    });

    test('a malformed response with the branch of the ping ends it as malformed', async (t) => {
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
      const exporter = await start(t, { ping_interval: 5, destinations });
      for (const { name } of destinations) {
        await eventually(`${name} is down`, async () => (await exporter.isAlive(name)) === 2);
        assert.equal((await exporter.destination(name)).reason, 'malformed', name);
        const [{ detail } = { detail: '' }] = (await exporter.destination(name)).targets;
        assert.match(detail ?? '', /^malformed response: /, name);
      }
    });

    test('a response from another address is matched by its branch (RFC 3261 17.1.3)', async (t) => {
      const other = dgram.createSocket('udp4');
      other.bind(0, '127.0.0.1');
      await once(other, 'listening');
      t.after(() => other.close());
      const socket = dgram.createSocket('udp4');
      socket.bind(0, '127.0.0.1');
      await once(socket, 'listening');
      t.after(() => socket.close());
      socket.on('message', (request, from) => {
        other.send(buildOptionsResponse(request, from, 'x') ?? '', from.port, from.address);
      });
      const exporter = await start(t, { destinations: [`127.0.0.1:${socket.address().port}`] });
      await eventually('it is up', async () => (await exporter.metric('sip_keepalive_up')) === 1);
    });

    test('an OPTIONS to the socket of the exporter is answered with 200, and other requests are not answered', async (t) => {
      const sourcePort = await freePort();
      const far = await farEnd(t, (_request, good) => [good]);
      const exporter = await start(t, {
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
      assert.match(
        answer.toString(),
        new RegExp(`rport=${peer.address().port};received=127.0.0.1`),
      );
    });

    test(`${FLOOD} stray messages beside the pings of ${MONITORED} destinations: no ping is lost and every counter is right`, {
      skip: process.platform === 'linux' ? false : 'reads /proc',
    }, async (t) => {
      const sourcePort = await freePort();
      const far = await farEnd(t, (_request, good) => [good], '0.0.0.0');
      const destinations = Array.from(
        { length: MONITORED },
        (_, i) => `127.1.${Math.floor(i / 250)}.${(i % 250) + 1}:${far}`,
      );
      const exporter = await start(t, {
        ping_interval: 8,
        ping_timeout: 7.5,
        source_port: sourcePort,
        destinations,
      });
      const up = () => exporter.metric('sip_keepalive_up');
      await eventually('all are up', async () => (await up()) === MONITORED);
      const rss = () => exporter.metric('process_resident_memory_bytes');
      const pings = async () => (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
      const before = { rss: (await rss()) ?? 0, pings: await pings() };

      await flood(sourcePort);
      t.diagnostic(`${(await pings()) - before.pings} pings meanwhile`);
      assert.equal(await dropped(sourcePort), 0, 'the socket buffer never overflows');
      await eventually('every stray message is counted once', async () => {
        const text = await exporter.get('/metrics');
        const unmatched = sum(text, 'sip_keepalive_unmatched_messages_total') ?? 0;
        // A retransmitted request has two responses, and the second belongs to no ping.
        const retransmissions = sum(text, 'sip_keepalive_retransmissions_total') ?? 0;
        return unmatched >= FLOOD && unmatched <= FLOOD + retransmissions;
      });
      const after = await pings();
      await eventually(
        'every destination is pinged again',
        async () => (await pings()) >= after + MONITORED,
      );
      assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
      assert.equal(await up(), MONITORED);
      const grown = ((await rss()) ?? 0) - before.rss;
      assert.ok(grown < 150e6, `${grown} bytes more than before`);
    });
  });
}

/** Sends the stray messages from a thread, as fast as the receiver reads them. */
async function flood(port: number): Promise<void> {
  const code = `
    const { workerData: { port, count }, parentPort } = require('node:worker_threads');
    const { readFileSync } = require('node:fs');
    const socket = require('node:dgram').createSocket({ type: 'udp4', lookup: (h, o, c) => c(null, h, 4) });
    const stray = Buffer.from('SIP/2.0 200 OK\\r\\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK'
      + '0'.repeat(40) + '\\r\\nCSeq: 1 OPTIONS\\r\\n\\r\\n');
    const place = ':' + port.toString(16).toUpperCase().padStart(4, '0') + ' 00000000:0000';
    const waiting = () => {
      const line = readFileSync('/proc/net/udp', 'utf8').split('\\n').find((l) => l.includes(place));
      // The kernel may leave a line out while other sockets come and go.
      return line === undefined ? Infinity : parseInt(line.trim().split(/\\s+/)[4].split(':')[1], 16);
    };
    const send = () => new Promise((resolve) => socket.send(stray, resolve));
    socket.connect(port, '127.0.0.1', async () => {
      for (let sent = 0; sent < count; ) {
        while (waiting() > 50_000) await new Promise((resolve) => setTimeout(resolve, 1));
        const some = Array.from({ length: Math.min(50, count - sent) }, send);
        await Promise.all(some);
        sent += some.length;
      }
      socket.close();
      parentPort.postMessage('sent');
    });`;
  await once(new Worker(code, { eval: true, workerData: { port, count: FLOOD } }), 'message');
}

/** Datagrams that the kernel dropped because the socket's buffer was full. */
async function dropped(port: number): Promise<number> {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  // The kernel may leave a line out while other sockets come and go.
  const line = await eventually('the line of the socket', () =>
    readFileSync('/proc/net/udp', 'utf8')
      .split('\n')
      .find((text) => text.includes(`00000000:${hex} 00000000:0000`)),
  );
  return Number(line.trim().split(/\s+/).at(-1));
}
