import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import * as https from 'node:https';
import * as net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { hashSync } from 'bcryptjs';
import { MAIN, startExporter } from '../support/exporter.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

test('/alive answers 1, 2 and -1 with the status of each, by name and by the URI in any spelling', async (t) => {
  const { startFleet } = await import('../../demo/fleet.js');
  const fleet = await startFleet(folder(t));
  t.after(() => fleet.close());
  const uri = (name: string) => fleet.members.find((m) => m.name === name)?.uri ?? '';
  const exporter = await startExporter(t, {
    ping_interval: 6,
    ping_timeout: 5,
    destinations: [
      { name: 'good', uri: uri('fast') },
      { name: 'bad', uri: uri('closed') },
      { name: 'a/b c?', uri: uri('fast') },
      { name: 'phone', uri: uri('fast').replace('sip:', 'sip:+4930@') },
      { name: 'never', uri: uri('silent'), ping_interval: 60, ping_timeout: 50 },
    ],
  });
  const ask = async (query: string, accept = 'text/plain') => {
    const answer = await fetch(`${exporter.url}/alive${query}`, { headers: { accept } });
    return [answer.status, await answer.text()] as const;
  };
  const by = (destination: string) => `?destination=${encodeURIComponent(destination)}`;
  assert.deepEqual(await ask(by('never')), [503, '-1\n'], 'no ping has ended: unknown is never up');
  await eventually('verdicts', async () => (await ask(by('bad')))[1] === '2\n');

  assert.deepEqual(await ask(by('good')), [200, '1\n']);
  assert.deepEqual(await ask(by(uri('fast'))), [200, '1\n']);
  assert.deepEqual(await ask(by(uri('fast').replace('sip:', 'SIP:'))), [200, '1\n']);
  assert.deepEqual(await ask(by(uri('fast').replace('sip:', ''))), [200, '1\n']);
  assert.deepEqual(await ask(by('a/b c?')), [200, '1\n']);
  const plus = uri('fast').replace('sip:', 'sip:+4930@');
  assert.deepEqual(await ask(`?destination=${plus}`), [200, '1\n'], 'a + is a plus');
  assert.deepEqual(await ask(by('bad')), [200, '2\n']);
  assert.deepEqual(await ask(`${by('bad')}&fail_on_down=1`), [503, '2\n']);
  assert.deepEqual(await ask(`${by('bad')}&fail_on_down=maybe`), [400, '-1\n']);
  assert.deepEqual(await ask(`${by('good')}&fail_on_down=1`), [200, '1\n']);
  assert.deepEqual(await ask(by('127.0.0.1:1')), [404, '-1\n']);
  assert.deepEqual(await ask(''), [400, '-1\n']);
  assert.deepEqual(await ask('?destination='), [400, '-1\n']);
  assert.deepEqual(await ask('?destination=good&destination=bad'), [400, '-1\n']);
  assert.deepEqual(await ask(by('http://x')), [400, '-1\n']);
  const [status, body] = await ask(by('bad'), 'application/json');
  assert.equal(status, 200);
  const json = JSON.parse(body) as Record<string, unknown>;
  assert.equal(json['code'], 2);
  assert.equal(json['reason'], 'refused');
  const refused = JSON.parse((await ask(by('http://x'), 'application/json'))[1]) as {
    error: string;
  };
  assert.match(refused.error, /expected a SIP URI, got "http:\/\/x"/);

  const one = await (await fetch(`${exporter.url}/api/v1/destinations/a%2Fb%20c%3F`)).json();
  assert.equal((one as { destination: string }).destination, 'a/b c?');
  const list = (await (await fetch(`${exporter.url}/api/v1/destinations`)).json()) as {
    destinations: unknown[];
  };
  assert.equal(list.destinations.length, 5);
  const missing = await fetch(`${exporter.url}/api/v1/destinations/nobody`);
  assert.equal(missing.status, 404);
});

test('paths that do not exist, methods that are not allowed and requests that are too long are refused', async (t) => {
  const exporter = await startExporter(t, {});
  const status = async (path: string, method = 'GET') =>
    (await fetch(`${exporter.url}${path}`, { method })).status;
  assert.equal(await status('/nothing'), 404);
  assert.equal(await status('/metrics', 'POST'), 405);
  assert.equal(await status('/alive', 'DELETE'), 405);
  assert.equal(await status('/metrics', 'HEAD'), 200);
  assert.equal(await status('/api/v1/destinations/%E0%A4%A'), 400);
  assert.equal(await status(`/alive?destination=${'x'.repeat(100_000)}`), 431);
  assert.equal(await status('/-/ready'), 200);
  assert.equal(await status('/'), 200);
  const config = (await (await fetch(`${exporter.url}/config`)).json()) as Record<string, unknown>;
  assert.equal(config['ping_interval'], '30000ms');
});

test('/metrics is text or OpenMetrics, plain or gzip, as the client accepts', async (t) => {
  const exporter = await startExporter(t, { destinations: ['127.0.0.1:9'] });
  const get = (headers: Record<string, string>) =>
    new Promise<{ type: string; encoding: string; body: Buffer }>((resolve, reject) => {
      const request = new URL(`${exporter.url}/metrics`);
      const socket = net.connect(Number(request.port), request.hostname);
      const lines = Object.entries({ ...headers, Host: request.host, Connection: 'close' });
      socket.write(
        `GET /metrics HTTP/1.0\r\n${lines.map(([k, v]) => `${k}: ${v}\r\n`).join('')}\r\n`,
      );
      const chunks: Buffer[] = [];
      socket.on('data', (data: Buffer) => chunks.push(data));
      socket.on('error', reject);
      socket.on('end', () => {
        const all = Buffer.concat(chunks);
        const split = all.indexOf('\r\n\r\n');
        const head = all.subarray(0, split).toString();
        const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'mi').exec(head)?.[1] ?? '';
        resolve({
          type: header('content-type'),
          encoding: header('content-encoding'),
          body: all.subarray(split + 4),
        });
      });
    });
  const text = await get({});
  assert.match(text.type, /^text\/plain; version=0\.0\.4/);
  assert.match(text.body.toString(), /# TYPE sip_keepalive_pings_total counter/);
  const open = await get({
    Accept: 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5',
    'Accept-Encoding': 'gzip',
  });
  assert.match(open.type, /^application\/openmetrics-text; version=1\.0\.0/);
  assert.equal(open.encoding, 'gzip');
  const body = gunzipSync(open.body).toString();
  assert.match(body, /# TYPE sip_keepalive_pings counter/);
  assert.match(body, /\n# EOF\n$/);
  const again = await get({});
  assert.match(again.body.toString(), /# TYPE sip_keepalive_pinger_restarts_total counter/);
});

test('clients that read a byte per second do not delay others, and free their places when they leave', async (t) => {
  const destinations = Array.from({ length: 3000 }, (_, i) => `127.1.${i >> 8}.${i & 255}:9`);
  const exporter = await startExporter(t, { ping_interval: 60, destinations });
  await eventually('all have targets', async () => {
    return (await exporter.metric('sip_keepalive_targets')) === 3000;
  });
  const { port, hostname } = new URL(exporter.url);
  const slow = Array.from({ length: 12 }, () => {
    const socket = net.connect({ port: Number(port), host: hostname, onread: undefined });
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    const reading = setInterval(() => socket.read(1), 1000);
    t.after(() => {
      clearInterval(reading);
      socket.destroy();
    });
    return socket;
  });
  assert.equal(await exporter.get('/-/healthy'), 'Healthy\n');
  assert.match(await exporter.get('/metrics'), /sip_keepalive_pings_total/);
  for (const socket of slow) socket.destroy();
  await eventually('there is room for many again', async () => {
    const all = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const answer = await fetch(`${exporter.url}/metrics`);
        await answer.text();
        return answer.status;
      }),
    );
    return all.every((status) => status === 200);
  });
});

test(
  '--web.config.file enables TLS and basic authentication, as in the Prometheus exporters',
  needs('openssl'),
  async (t) => {
    const path = folder(t);
    const certificate = (name: string) => {
      const args = [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
      ];
      const files = ['-keyout', join(path, 'key.pem'), '-out', join(path, 'cert.pem')];
      const subject = ['-subj', `/CN=${name}`, '-days', '2'];
      const { status, stderr } = runToEnd('openssl', [...args, ...files, ...subject]);
      assert.equal(status, 0, stderr);
    };
    certificate('first');
    const file = join(path, 'web.yml');
    writeFileSync(
      file,
      `tls_server_config: { cert_file: cert.pem, key_file: key.pem }\nbasic_auth_users: { alice: '${hashSync('secret', 4)}' }\n`,
    );
    const exporterUrl = await startTls(t, file);
    const ask = (auth?: string) =>
      new Promise<{ status: number; subject: string }>((resolve, reject) => {
        const options = {
          rejectUnauthorized: false,
          agent: false,
          ...(auth === undefined ? {} : { auth }),
        };
        https
          .get(`${exporterUrl}/-/healthy`, options, (response) => {
            const socket = response.socket as import('node:tls').TLSSocket;
            const subject = socket.getPeerCertificate().subject.CN;
            response
              .resume()
              .on('end', () =>
                resolve({ status: response.statusCode ?? 0, subject: String(subject) }),
              );
          })
          .on('error', reject);
      });
    assert.deepEqual(await ask('alice:secret'), { status: 200, subject: 'first' });
    assert.equal((await ask('alice:wrong')).status, 401);
    assert.equal((await ask('bob:secret')).status, 401);
    assert.equal((await ask()).status, 401);
    certificate('second');
    await eventually('the new certificate is shown', async () => {
      return (await ask('alice:secret')).subject === 'second';
    });
  },
);

async function startTls(t: Parameters<typeof startExporter>[0], file: string): Promise<string> {
  const args = [MAIN, '--web.listen-address=127.0.0.1:0', `--web.config.file=${file}`];
  const running = run(t, process.execPath, args);
  return eventually('it listens', () => /url=(https:\S+)\//.exec(running.output())?.[1]);
}
