import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Authority } from '../support/certificates.js';
import { type Exporter, startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually, folder } from '../support/process.js';
import { startPrometheus } from '../support/prometheus.js';
import { needs } from '../support/tools.js';

async function namesOf(exporter: Exporter): Promise<string> {
  const { destinations } = JSON.parse(await exporter.get('/api/v1/destinations')) as {
    destinations: { destination: string; owners: string[] }[];
  };
  return destinations
    .map(({ destination, owners }) => `${destination} for ${owners.join(' and ')}`)
    .sort()
    .join(', ');
}

const isWatched = (exporter: Exporter, wanted: string) =>
  eventually(wanted, async () => (await namesOf(exporter)) === wanted).catch(async (error) => {
    throw new Error(`expected ${wanted}, got ${await namesOf(exporter)}`, { cause: error });
  });

const group = (targets: readonly string[], labels: object = {}) => [{ targets, labels }];

test('file_sd: added, changed, invalid and removed files take effect', async (t) => {
  const path = folder(t);
  const write = (name: string, text: string) => writeFileSync(join(path, name), text);
  write(
    'a.json',
    JSON.stringify(group(['127.0.0.1:9', '127.0.0.2:9'], { site: 'x', __owner: 'me' })),
  );
  const source = { files: [join(path, '*.json'), join(path, '*.yml')], refresh_interval: '200ms' };
  const exporter = await startExporter(t, {
    destinations: [{ uri: '127.0.0.1:9', labels: { site: 'home' } }],
    discovery: { file_sd: [{ ...source, labels: { from: 'file' } }] },
  });
  const [a, b, c] = ['sip:127.0.0.1:9', 'sip:127.0.0.2:9', 'sip:127.0.0.3:9'];
  await isWatched(exporter, `${a} for config and me, ${b} for me`);
  assert.equal(
    (await exporter.metric('sip_keepalive_is_alive', {
      destination: b,
      site: 'x',
      from: 'file',
    })) !== undefined,
    true,
  );
  const steer = '__name: third, __module: default, __ping_interval: 7, __owner: you, __meta_x: y';
  write('b.yml', `- targets: ['127.0.0.3:9']\n  labels: { ${steer}, rack: 4 }\n`);
  await isWatched(exporter, `${a} for config and me, ${b} for me, third for you`);
  const third = { destination: 'third', rack: '4' };
  assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', third), 7);

  write('a.json', '[{"targets": ["127.0.0.1');
  const name = { source: `file_sd ${source.files.join(' ')}` };
  await eventually(
    'it is reported',
    async () => (await exporter.metric('sip_keepalive_discovery_up', name)) === 0,
  );
  await exporter.logged(/a.json(?::\d+)?: invalid JSON/);
  assert.equal(await namesOf(exporter), `${a} for config and me, ${b} for me, third for you`);

  write('a.json', JSON.stringify(group(['127.0.0.3:9', 'http://x', '127.0.0.3:9'])));
  await isWatched(exporter, `${a} for config, ${c} for file_sd, third for you`);
  await eventually(
    'it is right',
    async () => (await exporter.metric('sip_keepalive_discovery_up', name)) === 1,
  );
  assert.equal(await exporter.metric('sip_keepalive_discovery_skipped', name), 2);
  assert.equal(await exporter.metric('sip_keepalive_discovery_destinations', name), 2);
  await exporter.logged(/a.json: \[0\].targets\[1\].*this is a URL/);
  rmSync(join(path, 'b.yml'));
  await isWatched(exporter, `${a} for config, ${c} for file_sd`);
});

test('file_sd: a file that is being written is read once it is complete', async (t) => {
  const path = join(folder(t), 'a.json');
  const whole = JSON.stringify(group(['127.0.0.1:9', '127.0.0.2:9']));
  writeFileSync(path, JSON.stringify(group(['127.0.0.1:9', '127.0.0.2:9', '127.0.0.3:9'])));
  const exporter = await startExporter(t, {
    discovery: { file_sd: [{ files: [path], refresh_interval: '3s' }] },
  });
  const all = ['sip:127.0.0.1:9 for file_sd', 'sip:127.0.0.2:9 for file_sd'].join(', ');
  await isWatched(exporter, `${all}, sip:127.0.0.3:9 for file_sd`);
  for (let end = 1; end < whole.length; end += 4) {
    writeFileSync(path, whole.slice(0, end));
    await sleep(100);
  }
  assert.doesNotMatch(exporter.output(), /expected JSON/, 'it grew faster than it is looked at');
  writeFileSync(path, whole);
  await isWatched(exporter, all);
});

test('a missing file is reported, and read once it exists', async (t) => {
  const path = join(folder(t), 'a.yml');
  const exporter = await startExporter(t, {}, [`--discovery.file-sd=${path}`]);
  await eventually('it is reported', () =>
    /a.yml: expected a readable file/.test(exporter.output()),
  );
  writeFileSync(path, "- targets: ['127.0.0.1:9']\n");
  await isWatched(exporter, 'sip:127.0.0.1:9 for file_sd');
});

/** A server whose answer the test changes. */
async function serve(t: TestContext, isSecure?: https.ServerOptions) {
  const requests: http.IncomingMessage[] = [];
  const reply = {
    ...{ status: 200, type: 'application/json', body: '[]', isSilent: false },
    /** Redirects by path. */
    redirects: new Map<string, string>(),
  };
  const handler: http.RequestListener = (request, response) => {
    requests.push(request);
    const to = reply.redirects.get(new URL(request.url ?? '', 'http://x').pathname);
    if (to !== undefined) return void response.writeHead(302, { Location: to }).end('elsewhere');
    if (reply.isSilent) return;
    response.writeHead(reply.status, { 'Content-Type': reply.type }).end(reply.body);
  };
  const server = isSecure ? https.createServer(isSecure, handler) : http.createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    reply,
    url: `${isSecure ? 'https' : 'http'}://127.0.0.1:${port}/targets?key=secret`,
  };
}

test('http_sd: the last good response stays in use while the server sends errors, or nothing', async (t) => {
  const { requests, reply, url } = await serve(t);
  reply.body = JSON.stringify(group(['127.0.0.1:9']));
  const http_sd = [
    {
      url,
      refresh_interval: '200ms',
      timeout: '1s',
      basic_auth: { username: 'u', password: 'p' },
    },
  ];
  const exporter = await startExporter(t, { discovery: { http_sd } });
  await isWatched(exporter, 'sip:127.0.0.1:9 for http_sd');
  const headers = requests[0]?.headers;
  assert.equal(headers?.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`);
  assert.equal(headers?.['x-prometheus-refresh-interval-seconds'], '0.2');
  const source = { source: `http_sd ${url.replace(/\?.*/, '')}` };
  for (const [change, why] of [
    [{ status: 503 }, /expected status 200, got 503/],
    [
      { type: 'text/html', body: '<html>' },
      /expected Content-Type application\/json, got \\?"text\/html/,
    ],
    [{ body: '<html>' }, /invalid JSON/],
    [{ body: '{"targets": []}' }, /expected a list, got/],
    [{ body: '[{"targets": "127.0.0.1"}]' }, /\[0\].targets: expected a list of strings/],
    [{ body: '[null]' }, /\[0\]: expected a mapping, got null/],
    [{ isSilent: true }, /no response within 1 s/],
  ] as const) {
    Object.assign(reply, change);
    await eventually(String(why), () => why.test(exporter.output()));
    assert.equal(await exporter.metric('sip_keepalive_discovery_up', source), 0);
    assert.equal(await namesOf(exporter), 'sip:127.0.0.1:9 for http_sd');
    Object.assign(reply, { status: 200, type: 'application/json', body: '[]', isSilent: false });
    reply.body = JSON.stringify(group(['127.0.0.1:9']));
  }
  reply.body = JSON.stringify(group(['127.0.0.2:9']));
  await isWatched(exporter, 'sip:127.0.0.2:9 for http_sd');
  assert.doesNotMatch(exporter.output(), /key=secret/);
  reply.status = 503;
  const [only] = http_sd;
  const labelled = { discovery: { http_sd: [{ ...only, labels: { site: 'a' } }] } };
  writeFileSync(exporter.configFile, JSON.stringify(labelled));
  await exporter.post('/-/reload', '');
  const labels = { destination: 'sip:127.0.0.2:9', site: 'a' };
  await eventually('the reload', async () => {
    return (await exporter.metric('sip_keepalive_is_alive', labels)) !== undefined;
  });
  assert.equal(await exporter.metric('sip_keepalive_discovery_destinations', source), 1);
});

test('http_sd: a redirect is followed, and the password is not sent to another server', async (t) => {
  const [first, other] = [await serve(t), await serve(t)];
  const { origin } = new URL(other.url);
  first.reply.redirects.set('/targets', '/moved').set('/moved', `${origin}/there`);
  other.reply.body = JSON.stringify(group(['127.0.0.1:9']));
  const source = { refresh_interval: '200ms', basic_auth: { username: 'u', password: 'p' } };
  const http_sd = [
    { ...source, url: first.url },
    { ...source, url: first.url.replace('targets', 'moved'), follow_redirects: false },
  ];
  const exporter = await startExporter(t, { discovery: { http_sd } });
  await isWatched(exporter, 'sip:127.0.0.1:9 for http_sd');
  const isSent = ({ headers }: http.IncomingMessage) => headers.authorization !== undefined;
  assert.ok(first.requests.some(({ url }) => url === '/moved') && first.requests.every(isSent));
  assert.ok(other.requests.length > 0 && !other.requests.some(isSent));
  await eventually('the other error is logged', () =>
    /got 302, a redirect that is not followed/.test(exporter.output()),
  );
  first.reply.redirects.set('/moved', '/targets');
  await eventually('a redirect loop is reported', () =>
    /at most 10 redirects/.test(exporter.output()),
  );
  first.reply.redirects.set('/moved', 'file:///etc/passwd');
  await eventually('the other scheme is logged', () =>
    /to file:, expected http/.test(exporter.output()),
  );
  assert.equal(await namesOf(exporter), 'sip:127.0.0.1:9 for http_sd');
});

test('http_sd: a list that is too long is rejected, and the last good response stays in use', async (t) => {
  const { reply, url } = await serve(t);
  reply.body = JSON.stringify(group(['127.0.0.1:9']));
  const http_sd = [{ url, refresh_interval: '200ms' }];
  const exporter = await startExporter(t, { discovery: { http_sd } });
  await isWatched(exporter, 'sip:127.0.0.1:9 for http_sd');
  for (const [count, of, why] of [
    [200_000, (i: number) => `10.0.0.${i % 200}:${1024 + i}`, /at most 131072 entries, got more/],
    [4_500_000, () => '127.0.0.1', /at most 4000000 values in the JSON, got more/],
    [
      1_500_000,
      (i: number) => `gateway-number-${i}.a-rather-long-name.example`,
      /more than 67108864 bytes/,
    ],
  ] as const) {
    reply.body = JSON.stringify(group(Array.from({ length: count }, (_, i) => of(i))));
    await eventually(String(why), () => why.test(exporter.output()));
    assert.equal(await exporter.metric('sip_keepalive_discovery_up'), 0);
    assert.equal(await namesOf(exporter), 'sip:127.0.0.1:9 for http_sd');
  }
  reply.body = JSON.stringify(
    group(Array.from({ length: 3_000 }, (_, i) => `127.0.1.${i % 250}:${i + 1}`)),
  );
  await eventually('the next good answer is used', async () => {
    return (await exporter.metric('sip_keepalive_exporter_destinations')) === 3_000;
  });
  assert.equal(await exporter.metric('sip_keepalive_discovery_up'), 1);
});

test('file_sd: file names that are not UTF-8 and other encodings are read, and directories are errors', async (t) => {
  const path = folder(t);
  const yaml = (host: string) => `- targets: ['127.0.0.${host}:9']\n`;
  writeFileSync(
    Buffer.concat([Buffer.from(`${path}/M`), Buffer.from([0xfc]), Buffer.from('.yml')]),
    yaml('1'),
  );
  writeFileSync(join(path, 'marked.yml'), `\ufeff${yaml('2')}`);
  const latin1 = "- targets: ['127.0.0.3:9']\n  labels: { city: K\u00f6ln, module: x }\n";
  writeFileSync(join(path, 'old.yml'), Buffer.from(latin1, 'latin1'));
  symlinkSync('/dev/zero', join(path, 'endless.yml'));
  const file_sd = [{ files: [join(path, '*.yml')], refresh_interval: '200ms' }];
  const exporter = await startExporter(t, { discovery: { file_sd } });
  await isWatched(exporter, [1, 2, 3].map((n) => `sip:127.0.0.${n}:9 for file_sd`).join(', '));
  const labels = { destination: 'sip:127.0.0.3:9', city: 'K\u00f6ln', exported_module: 'x' };
  assert.notEqual(await exporter.metric('sip_keepalive_is_alive', labels), undefined);
  await exporter.logged(
    /endless\.yml: expected a readable file, got something that is not a regular/,
  );
  await exporter.logged(/old\.yml:2.*not UTF-8; it is read as ISO-8859-1/);
  await exporter.logged(/"label":"module","exposed":"exported_module","msg":"label is renamed/);
});

test(
  'http_sd works over TLS with a private authority and a client certificate',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const { cert, key } = authority.issue({ name: 'server', alternative: 'IP:127.0.0.1' });
    const client = authority.issue({ name: 'client' });
    const { reply, url } = await serve(t, {
      ...{ cert, key, ca: authority.ca, requestCert: true, rejectUnauthorized: true },
    });
    reply.body = JSON.stringify(group(['127.0.0.1:9']));
    const tls = { ca_file: authority.caFile, cert_file: client.certFile, key_file: client.keyFile };
    const exporter = await startExporter(t, {
      discovery: {
        http_sd: [
          { url, tls_config: tls },
          { url: url.replace('targets', 'untrusted'), owner: 'nobody' },
        ],
      },
    });
    await isWatched(exporter, 'sip:127.0.0.1:9 for http_sd');
    await eventually('the other error is logged', () =>
      /untrusted: expected a response, got/.test(exporter.output()),
    );
  },
);

test('a reload adds and removes sources, with their destinations', async (t) => {
  const path = folder(t);
  for (const name of ['a', 'b']) {
    const number = name === 'a' ? 1 : 2;
    writeFileSync(join(path, `${name}.json`), JSON.stringify(group([`127.0.0.${number}:9`])));
  }
  const config = (name: string, labels = {}) => ({
    discovery: { file_sd: [{ files: [join(path, `${name}.json`)], labels }] },
  });
  const exporter = await startExporter(t, config('a'));
  await isWatched(exporter, 'sip:127.0.0.1:9 for file_sd');
  writeFileSync(exporter.configFile, JSON.stringify(config('a', { site: 'x' })));
  await exporter.post('/-/reload', '');
  await eventually(
    'labels',
    async () => (await exporter.metric('sip_keepalive_is_alive', { site: 'x' })) !== undefined,
  );
  writeFileSync(exporter.configFile, JSON.stringify(config('b')));
  await exporter.post('/-/reload', '');
  await isWatched(exporter, 'sip:127.0.0.2:9 for file_sd');
});

test('all shards together monitor every destination exactly once', async (t) => {
  const destinations = Array.from({ length: 40 }, (_, i) => ({
    uri: `127.0.0.1:${i + 1}`,
    name: `d${i}`,
  }));
  const all: string[] = [];
  for (const shard of [0, 1, 2]) {
    const args = [`--shard=${shard}`, '--total-shards=3'];
    const exporter = await startExporter(t, { destinations }, args);
    const names = (await namesOf(exporter)).split(', ');
    assert.ok(names.length > 5 && names.length < 25, `${names.length} in shard ${shard}`);
    all.push(...names);
    const labels = { ordinal: String(shard), total: '3' };
    assert.equal(await exporter.metric('sip_keepalive_exporter_shard', labels), 1);
  }
  assert.equal(new Set(all).size, 40);
  assert.equal(all.length, 40);
});

test(
  'a real Prometheus and the exporter read the same file_sd file',
  needs('prometheus'),
  async (t) => {
    const path = join(folder(t), 'targets.yml');
    const exporter = await startExporter(t, { probe: { allow: ['127.0.0.1'] } }, [
      `--discovery.file-sd=${path}`,
    ]);
    const { host } = new URL(exporter.url);
    writeFileSync(
      path,
      "- targets: ['127.0.0.1:9', '127.0.0.1:10']\n  labels: { carrier: acme, __ping_interval: 1, __owner: me }\n",
    );
    const wanted = 'sip:127.0.0.1:10 for me, sip:127.0.0.1:9 for me';
    await isWatched(exporter, wanted);
    const prometheus = await startPrometheus(t, [
      { job_name: 'exporter', static_configs: [{ targets: [host] }] },
      {
        job_name: 'probe',
        metrics_path: '/probe',
        file_sd_configs: [{ files: [path], refresh_interval: '1s' }],
        relabel_configs: [
          { source_labels: ['__address__'], target_label: '__param_target' },
          { source_labels: ['__address__'], target_label: 'instance' },
          { target_label: '__address__', replacement: host },
        ],
      },
    ]);
    await eventually('both tell of both', async () => {
      const watched = await prometheus.query(
        'sip_keepalive_is_alive{carrier="acme"}',
        'destination',
      );
      const probed = await prometheus.query('probe_success{carrier="acme"}', 'instance');
      return watched.size === 2 && probed.size === 2;
    });
  },
);

test('a kamailio.cfg can be the only configuration, and its changes take effect', async (t) => {
  const path = join(folder(t), 'kamailio.cfg');
  const write = (interval: number, ...destinations: readonly string[]) =>
    writeFileSync(
      path,
      [
        '#!define GW "127.0.0.1:9"',
        'loadmodule "tm.so"\nloadmodule "keepalive.so"',
        `modparam("keepalive", "ping_interval", ${interval})`,
        'modparam("keepalive", "ping_from", "sip:monitor@example.com")',
        'modparam("keepalive", "delete_counter", 5) # of no use here',
        ...destinations.map((d) => `modparam("keepalive", "destination", ${d})`),
        'request_route { sl_send_reply("200", "OK"); }\n',
      ].join('\n'),
    );
  write(7, 'GW', '"127.0.0.2:9"', '"http://x"');
  const exporter = await startExporter(t, {}, [`--discovery.kamailio-cfg=${path}`]);
  const both = 'sip:127.0.0.1:9 for kamailio_cfg, sip:127.0.0.2:9 for kamailio_cfg';
  await isWatched(exporter, both);
  const [one, other] = [{ destination: 'sip:127.0.0.1:9' }, { destination: 'sip:127.0.0.2:9' }];
  for (const labels of [one, other]) {
    assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', labels), 7);
  }
  await exporter.logged(/kamailio.cfg:9.*this is a URL/);
  write(9, 'GW', '"127.0.0.3:9"');
  await isWatched(exporter, both.replace('127.0.0.2', '127.0.0.3'));
  assert.equal(await exporter.metric('sip_keepalive_ping_interval_seconds', one), 9);
});

test('a dispatcher.list gives its sets as labels, and its flags are respected', async (t) => {
  const path = join(folder(t), 'dispatcher.list');
  writeFileSync(
    path,
    '1 sip:127.0.0.1:9 0 0 duid=a;weight=50\n2 sip:127.0.0.1:9\n2 sip:127.0.0.2:9 4\n2 sip:127.0.0.3:9 8 0 socket=udp:192.0.2.77:5060\n',
  );
  const exporter = await startExporter(t, {}, [`--discovery.dispatcher-list=${path}`]);
  await isWatched(
    exporter,
    'a for dispatcher_list, sip:127.0.0.3:9 via udp:192.0.2.77 for dispatcher_list',
  );
  const labels = { destination: 'a', setid: '1,2', duid: 'a' };
  assert.notEqual(await exporter.metric('sip_keepalive_is_alive', labels), undefined);
  await exporter.logged(/dispatcher.list:3.*disabled/);
  await exporter.logged(/192.0.2.77:5060: not an address of this machine/);
});

test('destinations have the names that people know, and the modules of their sets', async (t) => {
  const path = join(folder(t), 'dispatcher.list');
  const write = (...lines: readonly string[]) => writeFileSync(path, lines.join('\n'));
  const [one, two] = ['1 sip:127.0.0.1:9 0 0 duid=gw # Carrier A', '2 sip:127.0.0.2:9 0 0 duid=gw'];
  write(one, '1 sip:127.0.0.1:9 0 0 duid=gw', '3 sip:127.0.0.3:9 # Carrier B');
  const exporter = await startExporter(t, {
    modules: { slow: { ping_interval: 45 } },
    discovery: {
      dispatcher_list: [
        {
          ...{ file: path, refresh_interval: '200ms' },
          ...{ name_from: ['duid', 'description'], modules: { setid: { 3: 'slow' } } },
        },
      ],
    },
  });
  await isWatched(exporter, 'Carrier B for dispatcher_list, gw for dispatcher_list');
  const interval = (destination: string) =>
    exporter.metric('sip_keepalive_ping_interval_seconds', { destination });
  assert.deepEqual([await interval('gw'), await interval('Carrier B')], [30, 45]);
  // By name and by URI, as Kamailio asks.
  for (const asked of ['gw', '127.0.0.1:9']) {
    await eventually(asked, async () => (await exporter.isAlive(asked)) === 2);
  }
  write(two, one);
  await isWatched(exporter, 'Carrier A for dispatcher_list, sip:127.0.0.2:9 for dispatcher_list');
  await exporter.logged(/another one has too.*"msg":"entry is not used as written/);
  await exporter.logged(/"event":"destination_renamed".*"destination":"Carrier A","previous":"gw"/);
  assert.equal(await interval('gw'), undefined);
});

test('a source whose files are renamed in the configuration keeps its destinations', async (t) => {
  const peer = await startFarEnd(t, 'udp', (_request, good) => [good]);
  const uri = `sip:127.0.0.1:${peer.port}`;
  const path = folder(t);
  writeFileSync(join(path, 'a.json'), JSON.stringify(group([uri])));
  const config = (...files: readonly string[]) => ({
    ping_interval: 0.5,
    discovery: { file_sd: [{ files: files.map((name) => join(path, name)) }] },
  });
  const exporter = await startExporter(t, config('a.json'));
  const pings = async () => (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
  await eventually('some pings', async () => (await pings()) >= 3);
  const before = await pings();
  writeFileSync(exporter.configFile, JSON.stringify(config('a.json', 'b*.json')));
  await exporter.post('/-/reload', '');
  await isWatched(exporter, `${uri} for file_sd`);
  assert.ok((await pings()) >= before);
  assert.equal(await exporter.isAlive(uri), 1);
  const source = { source: `file_sd ${join(path, 'a.json')} ${join(path, 'b*.json')}` };
  await eventually(
    'the new one',
    async () => (await exporter.metric('sip_keepalive_discovery_destinations', source)) === 1,
  );
});

test('a directory that cannot be read is reported, and its destinations are kept', async (t) => {
  const [path, moved] = [join(folder(t), 'targets'), join(folder(t), 'moved')];
  mkdirSync(path);
  writeFileSync(join(path, 'a.json'), JSON.stringify(group(['127.0.0.1:9'])));
  const file_sd = [{ files: [join(path, '*.json')], refresh_interval: '200ms' }];
  const exporter = await startExporter(t, { discovery: { file_sd } });
  await isWatched(exporter, 'sip:127.0.0.1:9 for file_sd');
  renameSync(path, moved);
  await eventually('it is reported', () => /expected a readable directory/.test(exporter.output()));
  assert.equal(await exporter.metric('sip_keepalive_discovery_up'), 0);
  assert.equal(await namesOf(exporter), 'sip:127.0.0.1:9 for file_sd');
  renameSync(moved, path);
  await eventually(
    'it is right',
    async () => (await exporter.metric('sip_keepalive_discovery_up')) === 1,
  );
});
