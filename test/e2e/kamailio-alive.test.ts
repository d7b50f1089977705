import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { runKamailio } from '../support/kamailio.js';
import { freePort } from '../support/ports.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

/** The route of docs/kamailio.md. */
function route(): string {
  const [, text] =
    /```kamailio\n(.*?)```/s.exec(readFileSync('docs/kamailio.md', 'utf8')) ??
    assert.fail('docs/kamailio.md has no route');
  return text ?? '';
}

/** The status of Kamailio's response to an OPTIONS about a destination. */
async function ask(port: number, destination: string, call: string): Promise<string> {
  const socket = dgram.createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const lines = [
    `OPTIONS sip:127.0.0.1:${port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${socket.address().port};rport;branch=z9hG4bK${call}`,
    'From: <sip:test@127.0.0.1>;tag=1',
    'To: <sip:127.0.0.1>',
    ...[`Call-ID: ${call}`, 'CSeq: 1 OPTIONS', 'Max-Forwards: 70'],
    ...[`X-Destination: ${destination}`, 'Content-Length: 0', '', ''],
  ];
  const send = () => socket.send(lines.join('\r\n'), port, '127.0.0.1');
  send();
  // Kamailio names its sockets before it binds them.
  const again = setInterval(send, 500);
  try {
    const [answer] = await once(socket, 'message', { signal: AbortSignal.timeout(60_000) });
    return String(answer).split(' ')[1] ?? '';
  } finally {
    clearInterval(again);
    socket.close();
  }
}

test(
  'the route of docs/kamailio.md sees 1, 2 and -1, and -1 when there is no verdict or no exporter',
  needs('kamailio/http_client', 'kamailio/sl', 'kamailio/pv'),
  async (t) => {
    const alive = await startFarEnd(t, 'udp', (_request, good) => [good]);
    const silent = await startFarEnd(t, 'udp', () => []);
    const up = `127.0.0.1:${alive.port}`;
    const down = `127.0.0.1:${await freePort()}`;
    const pending = `127.0.0.1:${silent.port}`;
    const exporter = await startExporter(t, {
      ...{ ping_interval: 1, ping_timeout: 0.9 },
      destinations: [up, down, { uri: pending, ping_interval: 600, ping_timeout: 500 }],
    });
    await eventually('one is up', async () => (await exporter.isAlive(up)) === 1);
    await eventually('one is down', async () => (await exporter.isAlive(down)) === 2);

    const port = await freePort();
    const text = route();
    assert.ok(text.includes('http://127.0.0.1:10060/'));
    await runKamailio(
      t,
      [
        ...['debug=2', 'log_stderror=yes', 'children=1', 'auto_aliases=no', 'disable_tcp=yes'],
        `listen=udp:127.0.0.1:${port}`,
        ...['loadmodule "sl.so"', 'loadmodule "pv.so"'],
        text.replace('http://127.0.0.1:10060', exporter.url),
        'request_route { $var(destination) = $hdr(X-Destination); route(TO_GATEWAY); }',
        '',
      ].join('\n'),
    );
    assert.equal(await ask(port, up, 'up'), '200');
    assert.equal(await ask(port, `sip:${up};transport=udp`, 'spelled'), '200');
    assert.equal(await ask(port, down, 'down'), '503');
    assert.equal(await ask(port, '127.0.0.1:1', 'other'), '404');
    assert.equal(await ask(port, pending, 'pending'), '404');
    // The result of an earlier call in the worker's variable is not used again.
    assert.equal(await ask(port, up, 'again'), '200');
    await exporter.stop();
    assert.equal(await ask(port, up, 'gone'), '404');
  },
);
