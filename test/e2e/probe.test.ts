import assert from 'node:assert/strict';
import * as dgram from 'node:dgram';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';
import { type Running, startFleet } from '../../demo/fleet.js';
import { buildOptionsResponse } from '../../src/pinger/sip/uas.js';
import { fakeDns, nxdomain } from '../support/dns-server.js';
import { type Exporter, startExporter, sum } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder } from '../support/process.js';

/** A peer that answers every request after this time, or never, and counts requests. */
async function farEnd(t: TestContext, afterMs: number | undefined) {
  const socket = dgram.createSocket('udp4');
  let requests = 0;
  let isOpen = true;
  socket.on('message', (request, from) => {
    requests++;
    const answer = buildOptionsResponse(request, from, 'far') ?? '';
    if (afterMs === undefined) return;
    setTimeout(() => {
      if (isOpen) socket.send(answer, from.port, from.address);
    }, afterMs);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => {
    isOpen = false;
    socket.close();
  });
  return { uri: `sip:127.0.0.1:${socket.address().port}`, requests: () => requests };
}

async function probe(
  exporter: Exporter,
  query: string,
  headers: Record<string, string> = {},
): Promise<readonly [status: number, body: string]> {
  const answer = await fetch(`${exporter.url}/probe${query}`, { headers });
  return [answer.status, await answer.text()];
}

const of = (uri: string, more = '') => `?target=${encodeURIComponent(uri)}${more}`;

/** The metric families that every probe has. */
const ALWAYS = [
  'probe_dns_lookup_time_seconds',
  'probe_duration_seconds',
  'probe_ip_addr_hash',
  'probe_ip_protocol',
  'probe_sip_duration_seconds',
  'probe_sip_retransmissions',
  'probe_sip_status_code',
  'probe_success',
  'probe_timeout_seconds',
];
const ON_FAILURE = ['probe_failure_info'];
const WITH_TLS = [
  'probe_ssl_earliest_cert_expiry',
  'probe_ssl_last_chain_expiry_timestamp_seconds',
  'probe_ssl_last_chain_info',
  'probe_tls_version_info',
];
const namesIn = (text: string) =>
  [...text.matchAll(/^# TYPE (\S+) gauge$/gm)].map(([, name]) => name ?? '').sort();

test('a probe of each member of the fleet has the same result as its pings', async (t) => {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const own = (member: Running) => ({
    [member.name]: { ping_timeout: member.reason === 'timeout' ? 1 : 20, ...member.settings },
  });
  const exporter = await startExporter(t, {
    modules: Object.assign({}, ...fleet.members.map(own)),
  });
  await Promise.all(
    fleet.members.map(async ({ name, uri, verdict, reason, transport = 'udp' }) => {
      if (verdict === 'flapping') return;
      const [status, text] = await probe(exporter, of(uri, `&module=${name}`));
      assert.equal(status, 200, name);
      const isUp = verdict === 'up';
      assert.equal(sum(text, 'probe_success'), isUp ? 1 : 0, `${name}\n${text}`);
      const info = sum(text, 'probe_failure_info', { reason: reason ?? '' });
      assert.equal(info, isUp ? undefined : 1, `${name} fails for ${reason}\n${text}`);
      const names = [...ALWAYS, ...(isUp ? [] : ON_FAILURE)];
      if (transport !== 'tls') assert.deepEqual(namesIn(text), names.sort(), name);
      else if (isUp) assert.deepEqual(namesIn(text), [...names, ...WITH_TLS].sort(), name);
      // The time of the request, which is what a ping measures, is without that of the connection.
      // A phase is absent only if the exporter was paused.
      const stalls = (await exporter.metric('sip_keepalive_pinger_stalls_total')) ?? 0;
      const tookOf = (phase: string) =>
        sum(text, 'probe_sip_duration_seconds', { phase }) ?? Math.sign(stalls);
      if (isUp) assert.ok(tookOf('request') > 0, `${name}\n${text}`);
      assert.equal(tookOf('tls') > 0, transport === 'tls', `${name}\n${text}`);
    }),
  );
});

test('an invalid request to /probe is rejected with a reason, and nothing is sent', async (t) => {
  const exporter = await startExporter(t, { modules: { carrier: { ping_timeout: 1 } } });
  const far = await farEnd(t, 0);
  for (const [query, wanted] of [
    ['', /^Target parameter is missing: expected target=URI or destination=NAME$/],
    ['?target=', /^Target parameter is missing: expected target=URI or destination=NAME$/],
    ['?module=carrier', /^Target parameter is missing: expected target=URI or destination=NAME$/],
    [`${of(far.uri)}&target=x`, /^target: expected one value, got several$/],
    [`${of(far.uri)}&module=a&module=b`, /^module: expected one value, got several$/],
    [of(far.uri, '&module=nope'), /^Unknown module "nope": expected one of default, carrier$/],
    [
      of(far.uri, '&module=__proto__'),
      /^Unknown module "__proto__": expected one of default, carrier$/,
    ],
    [
      of(far.uri, '&hostname=x'),
      /^hostname: expected one of target, module, destination, debug, got hostname$/,
    ],
    [of('javascript:alert(1)'), /^target: expected a SIP URI, got "javascript:alert\(1\)"/],
    [
      of('http://127.0.0.1/'),
      /^target: expected a SIP URI, got "http:\/\/127.0.0.1\/": this is a URL/,
    ],
    [of(far.uri, '&destination=a'), /^target: not allowed with destination/],
    ['?destination=a&module=carrier', /^module: not allowed with destination/],
    [of(far.uri, '&debug=maybe'), /^debug: expected true or false, got "maybe"$/],
    [of('sip:a.0x7f;transport=ws'), /^target: expected a SIP URI/],
    [of('sip:224.0.0.1'), /^target: expected the address of one host/],
    [
      of('sip:a.example;transport=sctp'),
      /^target: expected a URI with transport udp, tcp, tls, ws, wss/,
    ],
    [of('sip:a.example\r\nX: y'), /^target: expected a SIP URI/],
  ] as const) {
    const [status, text] = await probe(exporter, query);
    assert.equal(status, 400, query);
    assert.match(text.trimEnd(), wanted, query);
  }
  const nobody = await probe(exporter, '?destination=nobody');
  assert.deepEqual(nobody, [404, 'no such destination: nobody\n']);
  for (const seconds of ['0', '-1', 'soon', 'NaN', '']) {
    const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': seconds };
    const [status, text] = await probe(exporter, of(far.uri), headers);
    assert.equal(status, 400, seconds);
    assert.match(text, /^X-Prometheus-Scrape-Timeout-Seconds: expected seconds above 0, got/);
  }
  const post = await fetch(`${exporter.url}/probe${of(far.uri)}`, { method: 'POST' });
  assert.equal(post.status, 405);
  assert.equal(far.requests(), 0);
});

test("a probe ends half a second before Prometheus's timeout, or at the module's own", async (t) => {
  const exporter = await startExporter(t, { modules: { slow: { ping_timeout: 20 } } });
  const silent = await farEnd(t, undefined);
  for (const [seconds, module, wanted] of [
    ['1', 'slow', 0.5],
    ['2', 'slow', 1.5],
    ['0.4', 'slow', 0.2],
    ['60', 'default', 5],
  ] as const) {
    const headers = { 'X-Prometheus-Scrape-Timeout-Seconds': seconds };
    const [status, text] = await probe(exporter, of(silent.uri, `&module=${module}`), headers);
    assert.equal(status, 200);
    assert.equal(sum(text, 'probe_success'), 0);
    assert.equal(sum(text, 'probe_timeout_seconds'), wanted);
    assert.equal(sum(text, 'probe_failure_info', { reason: 'timeout' }), 1);
    const took = sum(text, 'probe_duration_seconds') ?? 0;
    assert.ok(took > wanted - 0.1, `${took} s instead of ${wanted} s`);
    // RFC 3261 17.1.2.2: retransmissions after 0.5, 1.5 and 3.5 s, whatever the timeout.
    const most = [0.5, 1.5, 3.5].filter((at) => at <= wanted).length;
    const again = sum(text, 'probe_sip_retransmissions') ?? 9;
    assert.ok(again <= most, `sent again ${again} times`);
  }
});

test('a name that does not resolve fails the probe, with status 200', async (t) => {
  const { label } = await fakeDns(t, nxdomain);
  const exporter = await startExporter(t, { dns: { servers: [label] } });
  const [status, text] = await probe(exporter, of('sip:nowhere.invalid'));
  assert.equal(status, 200);
  assert.equal(sum(text, 'probe_success'), 0);
  assert.equal(sum(text, 'probe_failure_info', { reason: 'resolution' }), 1);
  assert.equal(sum(text, 'probe_ip_protocol'), 0);
});

test('debug=true shows every message with its time, the metrics and the module, with secrets masked', async (t) => {
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const uri = fleet.members.find(({ name }) => name === 'password')?.uri ?? '';
  const auth = { username: 'monitor', password: 'demo' };
  const exporter = await startExporter(t, {
    modules: { secret: { auth }, wrong: { auth: { ...auth, password: 'not-the-right-one' } } },
  });
  const [status, text] = await probe(exporter, of(uri, '&module=secret&debug=true'));
  assert.equal(status, 200);
  const parts = [
    'Logs for the probe:',
    'Metrics that would have been returned:',
    'Module configuration:',
  ];
  const places = parts.map((part) => text.indexOf(part));
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  );
  assert.ok(!places.includes(-1));
  const steps = [...text.matchAll(/^\d{4}-\d\d-\d\dT[\d:.]+Z (sent|received) \d+ bytes$/gm)];
  assert.deepEqual(
    steps.map(([, step]) => step),
    ['sent', 'received', 'sent', 'received'],
  );
  assert.match(text, /^ {4}Authorization: Digest username="monitor".*response="<secret>"/m);
  assert.doesNotMatch(text, /response="[0-9a-f]/);
  assert.match(text, /^probe_success 1$/m);
  assert.match(text, /"password": "<secret>"/);
  const id = /"id":(\d+)/.exec(await exporter.get('/api/v1/probes'))?.[1];
  const kept = await exporter.get(`/logs?id=${id}`);
  assert.match(kept, /401 Unauthorized/);

  const json = { accept: 'application/json' };
  const [, answer] = await probe(exporter, of(uri, '&module=secret&debug=true'), json);
  const { state, steps: told } = JSON.parse(answer) as {
    state: string;
    steps: { text: string; message: string | null }[];
  };
  assert.equal(state, 'up');
  const messages = told.map(({ message }) => message).filter((message) => message !== null);
  assert.equal(messages.length, 4);
  assert.match(messages[2] ?? '', /Authorization: Digest username="monitor".*response="<secret>"/);
  assert.doesNotMatch(answer, /response=\\"[0-9a-f]/);

  const [, refused] = await probe(exporter, of(uri, '&module=wrong&debug=1'));
  assert.match(refused, /not alive: auth, the credentials were rejected/);
  const everything = [
    refused,
    kept,
    await exporter.get('/config'),
    await exporter.get('/api/v1/probes'),
    exporter.output(),
  ];
  for (const shown of everything) assert.ok(!shown.includes('not-the-right-one'));
});

const SEVERAL = 500;

test('hundreds of probes run at the same time, independently of each other', async (t) => {
  const patient = { ping_interval: 120, ping_timeout: 100 };
  const exporter = await startExporter(t, { modules: { patient } });
  // The peer answers once it has every request: probes one after the other would never end.
  const waiting: (() => void)[] = [];
  const calls = new Set<string>();
  const far = await startFarEnd(t, 'udp', (request, good, caller) => {
    const [, call = ''] = /^Call-ID: (.*)\r$/m.exec(request) ?? [];
    if (!calls.has(call)) waiting.push(() => void caller.act([good]));
    calls.add(call);
    if (calls.size === SEVERAL) for (const answer of waiting.splice(0)) answer();
    return [];
  });
  const uri = `sip:127.0.0.1:${far.port}`;
  const texts = await Promise.all(
    Array.from({ length: SEVERAL }, () => probe(exporter, of(uri, '&module=patient'))),
  );
  for (const [status, text] of texts) {
    assert.equal(status, 200);
    assert.equal(sum(text, 'probe_success'), 1);
  }
});

test('a probe is cancelled when its client disconnects', async (t) => {
  const exporter = await startExporter(t, { modules: { long: { ping_timeout: 20 } } });
  const silent = await farEnd(t, undefined);
  const gone = new AbortController();
  const probe = fetch(`${exporter.url}/probe${of(silent.uri, '&module=long')}`, {
    signal: gone.signal,
  });
  await eventually('it was sent', () => silent.requests() === 1);
  gone.abort();
  await assert.rejects(probe);
  const atOnce = silent.requests();
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  assert.ok(
    silent.requests() <= atOnce + 1,
    'nothing is retransmitted after the client has disconnected',
  );
});

test('probe.allow applies to addresses and domains, and to the addresses that a name resolves to', async (t) => {
  const far = await farEnd(t, 0);
  const port = new URL(far.uri.replace('sip:', 'http://')).port;
  const elsewhere = await startExporter(t, { probe: { allow: ['192.0.2.0/24', 'example.com'] } });
  for (const target of [far.uri, `sip:localhost:${port}`, 'sip:[::1]', 'sip:notexample.com']) {
    const [status, text] = await probe(elsewhere, of(target));
    // A name that does not resolve fails before its addresses are checked.
    if (target === 'sip:notexample.com') assert.equal(sum(text, 'probe_success') ?? 0, 0);
    else assert.deepEqual([status, /may not be probed/.test(text)], [403, true], target);
  }
  const onlyDomains = await startExporter(t, { probe: { allow: ['example.com'] } });
  assert.equal((await probe(onlyDomains, of('sip:notexample.com')))[0], 403);
  assert.equal(far.requests(), 0);
  const here = await startExporter(t, { probe: { allow: ['127.0.0.0/8'] } });
  for (const target of [far.uri, `sip:localhost:${port}`]) {
    assert.equal(sum((await probe(here, of(target)))[1], 'probe_success'), 1, target);
  }
  const byName = await startExporter(t, { probe: { allow: ['localhost'] } });
  assert.equal(sum((await probe(byName, of(`sip:localhost:${port}`)))[1], 'probe_success'), 1);
  const off = await startExporter(t, { probe: { enabled: false } });
  assert.equal((await probe(off, of(far.uri)))[0], 403);
});

test('probe.allow applies behind the proxy of a module', async (t) => {
  const proxy = await farEnd(t, 0);
  const exporter = await startExporter(t, {
    probe: { allow: ['192.0.2.0/24', 'example.com'] },
    modules: { via: { route: proxy.uri } },
  });
  for (const target of ['sip:198.51.100.1', 'sip:a.example', 'sip:example.com.evil.test']) {
    assert.equal((await probe(exporter, of(target, '&module=via')))[0], 403, target);
  }
  assert.equal(proxy.requests(), 0);
  for (const target of ['sip:192.0.2.1', 'sip:sip.example.com']) {
    const [, text] = await probe(exporter, of(target, '&module=via'));
    assert.equal(sum(text, 'probe_success'), 1, target);
  }
});

test('a closed port is refused, by ICMP or by TCP', async (t) => {
  const exporter = await startExporter(t, {});
  const port = await freePort();
  for (const uri of [`sip:127.0.0.1:${port}`, `sip:127.0.0.1:${port};transport=tcp`]) {
    const [, text] = await probe(exporter, of(uri));
    assert.equal(sum(text, 'probe_failure_info', { reason: 'refused' }), 1, uri);
  }
});
