/** Debug lines for SIP messages, DNS queries and connections. */

import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { address, fakeDns, reply } from '../support/dns-server.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';

interface Line {
  readonly level: string;
  readonly event?: string;
  readonly destination?: string;
  readonly [field: string]: unknown;
}

/** The log lines with one of these events. */
function lines(exporter: Exporter, ...events: readonly string[]): readonly Line[] {
  return exporter
    .output()
    .split('\n')
    .filter((text) => text.startsWith('{'))
    .map((text) => JSON.parse(text) as Line)
    .filter(({ event = '' }) => events.includes(event));
}

const CHALLENGE =
  'WWW-Authenticate: Digest realm="here", nonce="n1", algorithm=MD5, qop="auth"\r\n';
/** Challenges requests without credentials. */
const challenging = (request: string, good: string) =>
  /^Authorization:/m.test(request)
    ? [good]
    : [good.replace(/^SIP\/2\.0 200 OK\r\n/, `SIP/2.0 401 Unauthorized\r\n${CHALLENGE}`)];

test('at --log.level=debug each SIP message, DNS query and connection has a line', async (t) => {
  const udp = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const tcp = await startFarEnd(t, 'tcp', (_request, good) => [good]);
  const dns = await fakeDns(t, (query) => [
    reply(query, query.type === 'A' ? { answers: [address(query.name, '127.0.0.1')] } : {}),
  ]);
  const exporter = await startExporter(
    t,
    {
      ping_interval: 1,
      dns: { servers: [`127.0.0.1:${dns.port}`] },
      destinations: [
        { name: 'over-udp', uri: `sip:127.0.0.1:${udp.port}` },
        {
          name: 'over-tcp',
          uri: `sip:127.0.0.1:${tcp.port};transport=tcp`,
          connection: 'per_ping',
        },
        { name: 'named', uri: `sip:named.test:${udp.port};transport=udp` },
      ],
    },
    ['--log.level=debug'],
  );
  const [received] = await eventually('a response is logged', () => {
    const all = lines(exporter, 'sip_received').filter((one) => one.destination === 'over-udp');
    return all.length > 0 && all;
  });
  assert.equal(received?.['peer'], `127.0.0.1:${udp.port}`);
  assert.equal(received?.['transport'], 'udp');
  assert.equal(received?.['start_line'], 'SIP/2.0 200 OK');
  const sent = lines(exporter, 'sip_sent').find((one) => one['call_id'] === received?.['call_id']);
  assert.match(String(sent?.['start_line']), /^OPTIONS sip:127\.0\.0\.1/);
  assert.equal(sent?.['content'], undefined);

  await eventually('a connection is closed', () => lines(exporter, 'connection_closed').length > 0);
  const [opened] = lines(exporter, 'connection_opened');
  const [closed] = lines(exporter, 'connection_closed');
  assert.deepEqual(
    [opened?.destination, opened?.['peer'], closed?.['why']],
    ['over-tcp', `127.0.0.1:${tcp.port}`, 'it is for one ping only'],
  );
  await eventually('a DNS answer is logged', () => lines(exporter, 'dns_answer').length > 0);
  const [query] = lines(exporter, 'dns_query');
  const [answer] = lines(exporter, 'dns_answer');
  assert.deepEqual(
    [query?.['host'], query?.['server'], query?.['name']],
    ['named.test', `127.0.0.1:${dns.port}`, 'named.test'],
  );
  assert.equal(answer?.['rcode'], 'NOERROR');
  assert.equal(typeof answer?.['ms'], 'number');

  const [, port] =
    /^Via: SIP\/2\.0\/UDP 127\.0\.0\.1:(\d+)/m.exec(udp.callers[0]?.requests[0] ?? '') ?? [];
  const stranger = dgram.createSocket('udp4');
  t.after(() => stranger.close());
  stranger.send(
    'OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKs\r\nCall-ID: stray\r\n\r\n',
    Number(port),
    '127.0.0.1',
  );
  const stray = await eventually('a stray message is logged', () =>
    lines(exporter, 'sip_received').find((one) => one['call_id'] === 'stray'),
  );
  assert.equal(stray.destination, undefined);
});

test('log.destination selects one destination, at trace with whole messages without secrets; a reload changes it', async (t) => {
  const far = await startFarEnd(t, 'udp', challenging);
  const other = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const config = (log: object) => ({
    ping_interval: 1,
    log,
    destinations: [
      {
        ...{ name: 'trunk', uri: `sip:127.0.0.1:${far.port}` },
        auth: { username: 'alice', password: 'wonderland' },
      },
      { name: 'other', uri: `sip:127.0.0.1:${other.port}` },
    ],
  });
  const exporter = await startExporter(t, config({ level: 'trace', destination: ['trunk'] }));
  const answered = await eventually('a request with credentials is logged', () =>
    lines(exporter, 'sip_sent').find((one) => /^Authorization:/m.test(String(one['content']))),
  );
  await eventually('the other is pinged too', async () => (await exporter.isAlive('other')) === 1);
  assert.match(String(answered['content']), /username="alice".*response="<secret>"/s);
  assert.equal(answered.level, 'trace');
  assert.ok(!exporter.output().includes('wonderland'));
  assert.doesNotMatch(exporter.output(), /response=\\"[0-9a-f]{32}/);
  const names = new Set(lines(exporter, 'sip_sent', 'sip_received').map((l) => l.destination));
  assert.deepEqual([...names], ['trunk']);

  const uri = `127.0.0.1:${other.port}`;
  writeFileSync(exporter.configFile, JSON.stringify(config({ level: 'warn', destination: [uri] })));
  assert.equal((await exporter.post('/-/reload', '')).status, 200);
  const line = await eventually('the other is logged, by its URI, at log.level warn', () =>
    lines(exporter, 'sip_received').find((one) => one.destination === 'other'),
  );
  assert.deepEqual([line.level, line['content']], ['debug', undefined]);
  const from = lines(exporter, 'sip_sent').findIndex((one) => one.destination === 'other');
  await eventually('it has been pinged again', () => lines(exporter, 'sip_sent').length > from + 2);
  const later = lines(exporter, 'sip_sent').slice(from);
  assert.ok(later.every(({ destination }) => destination === 'other'));
});
