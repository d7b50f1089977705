/** Valid and invalid certificates and handshakes, each with its own reason. */

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import * as net from 'node:net';
import { basename, dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import type * as tls from 'node:tls';
import { Authority } from '../support/certificates.js';
import { type Exporter, MAIN, startExporter } from '../support/exporter.js';
import { type FarEnd, startFarEnd, startListener } from '../support/far-end.js';
import { freePort } from '../support/ports.js';
import { eventually, folder, run, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

const DAY_S = 86_400;
const NOT_AFTER = 'sip_keepalive_tls_certificate_not_after_timestamp_seconds';
const VERIFIED = 'sip_keepalive_tls_certificate_verified';

const EXPIRED = 'the certificate, or one of its chain, has expired';
const INCOMPLETE = 'the chain is incomplete, or its root is unknown';
const DEMANDED = 'the peer requires a client certificate';
const REFUSED = 'the peer rejected the client certificate';

interface Case {
  /** The host in the URI; by default `localhost`, which is 127.0.0.1 as are the far ends. */
  readonly host?: string;
  /** The TLS settings of the peer; by default with a valid certificate for the host. */
  readonly peer?: tls.TlsOptions;
  /** Days until the certificate expires, negative for the past; by default 365. */
  readonly untilDays?: number;
  readonly tlsConfig?: object;
  readonly transport?: 'tls' | 'wss';
  /** Up without a reason. */
  readonly reason?: 'tls' | 'tls_certificate';
  readonly detail?: string | RegExp;
  /** `error` of the certificate. */
  readonly error?: string | RegExp;
}

const answering = (t: TestContext, peer: tls.TlsOptions, transport: 'tls' | 'wss' = 'tls') =>
  startFarEnd(t, transport, (_request, good) => [good], { tls: peer });

/** Starts a far end for each case and one exporter for all, and checks the results. */
async function checkAll(
  t: TestContext,
  authority: Authority,
  cases: Readonly<Record<string, Case>>,
): Promise<{ readonly exporter: Exporter; readonly farEnds: ReadonlyMap<string, FarEnd> }> {
  const farEnds = new Map<string, FarEnd>();
  const destinations = [];
  for (const [name, { host = 'localhost', peer, tlsConfig = {}, transport }] of Object.entries(
    cases,
  )) {
    const right = () => authority.issue({ name: host, alternative: `DNS:${host}` });
    const farEnd = await answering(t, peer ?? right(), transport);
    farEnds.set(name, farEnd);
    const uri = `sips:${host}:${farEnd.port}${transport === 'wss' ? ';transport=ws' : ''}`;
    destinations.push({ name, uri, tls_config: tlsConfig });
  }
  const exporter = await startExporter(t, {
    ping_interval: 8,
    ping_timeout: 7.5,
    tls_config: { ca_file: authority.caFile },
    destinations,
  });
  for (const [name, wanted] of Object.entries(cases)) await check(exporter, name, wanted);
  return { exporter, farEnds };
}

async function check(exporter: Exporter, name: string, wanted: Case): Promise<void> {
  const { reason = null, detail = null, error = null, untilDays = 365 } = wanted;
  // Details arrive from the pinger thread a moment after the verdict.
  const found = await eventually(`a verdict for ${name}`, async () => {
    const destination = await exporter.destination(name);
    const [target] = destination.targets;
    const hasDetail = reason === null || target?.detail !== null;
    const hasCertificate = reason === 'tls' || target?.tls?.verified === (error === null);
    return destination.state !== 'unknown' && hasDetail && hasCertificate && destination;
  });
  const [target] = found.targets;
  assert.deepEqual([found.reason, target?.reason], [reason, reason], `${name}: ${target?.detail}`);
  matches(target?.detail, detail, name);
  assert.equal(found.state, reason === null ? 'up' : 'down', name);
  // A handshake that fails before the peer has presented a certificate has none to report.
  if (reason === 'tls') return;
  matches(target?.tls?.error, error, name);
  assert.equal(target?.tls?.verified, error === null, name);
  assert.equal(await exporter.metric(VERIFIED, { destination: name }), error === null ? 1 : 0);
  const notAfter = (await exporter.metric(NOT_AFTER, { destination: name })) ?? Number.NaN;
  const days = (notAfter - Date.now() / 1000) / DAY_S;
  assert.ok(Math.abs(days - untilDays) < 0.01, `${name} expires in ${days} days`);
}

function matches(text: string | null | undefined, wanted: string | RegExp | null, name: string) {
  if (wanted instanceof RegExp) assert.match(text ?? '', wanted, name);
  else assert.equal(text, wanted, name);
}

/** A self-signed certificate that may not issue others. */
function selfSigned(t: TestContext, host: string): tls.TlsOptions {
  const path = folder(t);
  const [certFile, keyFile] = [join(path, 'cert.pem'), join(path, 'key.pem')];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const { status, stderr } = runToEnd('openssl', [
    ...['req', '-x509', ...key, '-keyout', keyFile, '-out', certFile, '-days', '365'],
    ...['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  assert.equal(status, 0, stderr);
  return { cert: readFileSync(certFile), key: readFileSync(keyFile) };
}

test(
  'each problem of a certificate has its own detail, and the expiry is always reported',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const stranger = Authority.root(t, 'Another Root');
    const between = authority.intermediate();
    const issue = (alternative: string, rest: object = {}) =>
      authority.issue({ name: 'far end', alternative, ...rest });
    const below = between.issue({ name: 'far end', alternative: 'DNS:localhost' });
    const foreign = stranger.issue({ name: 'far end', alternative: 'DNS:localhost' });
    const wildcard = () => issue('DNS:*.wild.localhost');
    const strict = { strict_rfc5922: true };
    const notFor = (names: string, host: string) =>
      `the certificate is for ${names}, not for ${host}`;
    const refusedFor = (error: string | RegExp) =>
      ({ reason: 'tls_certificate', detail: error, error }) as const;

    const { exporter } = await checkAll(t, authority, {
      right: {},
      expired: {
        peer: issue('DNS:localhost', { fromDays: -20, untilDays: -3 }),
        untilDays: -3,
        ...refusedFor(EXPIRED),
      },
      early: {
        peer: issue('DNS:localhost', { fromDays: 2, untilDays: 90 }),
        untilDays: 90,
        ...refusedFor('the certificate is not yet valid'),
      },
      'self-signed': {
        peer: selfSigned(t, 'localhost'),
        ...refusedFor('the certificate is self-signed and not trusted'),
      },
      'another name': {
        peer: issue('DNS:a.example,DNS:b.example'),
        ...refusedFor(notFor('DNS:a.example, DNS:b.example', 'localhost')),
      },
      'another name, only in the subject': {
        peer: authority.issue({ name: 'a.example' }),
        ...refusedFor(notFor('CN=a.example', 'localhost')),
      },
      'an incomplete chain': { peer: below, ...refusedFor(INCOMPLETE) },
      'a complete chain': { peer: { cert: below.cert + between.ca, key: below.key } },
      'an unknown root': { peer: foreign, ...refusedFor(INCOMPLETE) },
      'an unknown root that is sent': {
        peer: { cert: foreign.cert + stranger.ca, key: foreign.key },
        ...refusedFor('the root of the chain is not trusted'),
      },
      'a wildcard': { host: 'a.wild.localhost', peer: wildcard() },
      'a wildcard, strictly': {
        host: 'a.wild.localhost',
        peer: wildcard(),
        tlsConfig: strict,
        ...refusedFor(notFor('DNS:*.wild.localhost', 'a.wild.localhost')),
      },
      'a wildcard two levels up': {
        host: 'a.b.wild.localhost',
        peer: wildcard(),
        ...refusedFor(notFor('DNS:*.wild.localhost', 'a.b.wild.localhost')),
      },
      'a SIP URI': { host: 'sip.localhost', peer: issue('URI:sip:sip.localhost') },
      'a SIP URI, strictly': {
        host: 'sip.localhost',
        peer: issue('URI:sip:sip.localhost'),
        tlsConfig: strict,
      },
      // RFC 5922 7.1: such a name is for a user, not for a domain.
      'a SIP URI with a user': {
        host: 'sip.localhost',
        peer: issue('URI:sip:user@sip.localhost'),
        ...refusedFor(notFor('URI:sip:user@sip.localhost', 'sip.localhost')),
      },
      'a SIP URI and a DNS name': {
        peer: issue('URI:sip:a.example,DNS:localhost'),
      },
      'a SIP URI and a DNS name, strictly': {
        peer: issue('URI:sip:a.example,DNS:localhost'),
        tlsConfig: strict,
        ...refusedFor(notFor('URI:sip:a.example, DNS:localhost', 'localhost')),
      },
      'only a common name': { peer: authority.issue({ name: 'localhost' }) },
      'a common name and other names': {
        peer: authority.issue({ name: 'localhost', alternative: 'DNS:a.example' }),
        ...refusedFor(notFor('DNS:a.example', 'localhost')),
      },
      'an address': { host: '127.0.0.1', peer: issue('IP:127.0.0.1') },
      'an address as a common name': {
        host: '127.0.0.1',
        peer: authority.issue({ name: '127.0.0.1' }),
        ...refusedFor(notFor('CN=127.0.0.1', '127.0.0.1')),
      },
      'an address with a server_name': {
        host: '127.0.0.1',
        peer: issue('DNS:carrier.example'),
        tlsConfig: { server_name: 'carrier.example' },
      },
      'upper case': { host: 'localhost', peer: issue('DNS:LocalHost') },
      'expired, over WebSocket': {
        transport: 'wss',
        peer: issue('DNS:localhost', { fromDays: -20, untilDays: -3 }),
        untilDays: -3,
        ...refusedFor(EXPIRED),
      },
      'skipped: expired': {
        peer: issue('DNS:localhost', { fromDays: -20, untilDays: -3 }),
        untilDays: -3,
        tlsConfig: { insecure_skip_verify: true },
        error: EXPIRED,
      },
      'skipped: self-signed and another name': {
        peer: selfSigned(t, 'a.example'),
        tlsConfig: { insecure_skip_verify: true },
        error: 'the certificate is self-signed and not trusted',
      },
      'skipped: valid': { tlsConfig: { insecure_skip_verify: true } },
    });

    await t.test('no request is sent to a peer whose certificate is rejected', async () => {
      const labels = { destination: 'expired' };
      assert.equal(await exporter.metric('sip_keepalive_rtt_seconds_count', labels), 0);
      const byReason = (reason: string) =>
        exporter.metric('sip_keepalive_ping_failures_total', { ...labels, reason });
      const pings = await exporter.metric('sip_keepalive_pings_total', labels);
      assert.ok(((await byReason('tls_certificate')) ?? 0) >= (pings ?? 0));
    });

    await t.test('the details of a rejected certificate are reported', async () => {
      const { targets } = await exporter.destination('expired');
      const { version, subject } = targets[0]?.tls ?? {};
      assert.deepEqual([version, subject], ['TLS 1.3', 'CN=far end']);
      await exporter.logged(/"reason":"tls_certificate","why":"[^"]*has expired/);
    });
  },
);

test(
  'a handshake that fails has the reason, and what the peer requires',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const stranger = Authority.root(t, 'Another Root');
    const { cert, key } = authority.issue({ name: 'far end', alternative: 'DNS:localhost' });
    const ours = authority.issue({ name: 'monitor' });
    const foreign = stranger.issue({ name: 'monitor' });
    const path = folder(t);
    const [lockedFile, passphraseFile] = [join(path, 'locked.pem'), join(path, 'passphrase')];
    const locked = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc' } as const;
    writeFileSync(lockedFile, createPrivateKey(ours.key).export({ ...locked, passphrase: 'open' }));
    writeFileSync(passphraseFile, 'open\n');
    const mutual = (rest: tls.TlsOptions) =>
      ({
        cert,
        key,
        ca: authority.ca,
        requestCert: true,
        rejectUnauthorized: true,
        ...rest,
      }) as const;
    const old = mutual({ maxVersion: 'TLSv1.2' });
    const modern = mutual({ minVersion: 'TLSv1.3' });
    const withOurs = { cert_file: ours.certFile, key_file: ours.keyFile };
    const withLocked = {
      cert_file: ours.certFile,
      key_file: lockedFile,
      key_passphrase_file: passphraseFile,
    };
    const demanded = { reason: 'tls', detail: DEMANDED } as const;
    const noVersion = {
      reason: 'tls',
      detail: 'no common TLS version',
    } as const;

    const { exporter } = await checkAll(t, authority, {
      'demanded by TLS 1.2': { peer: old, ...demanded },
      'demanded by TLS 1.3': { peer: modern, ...demanded },
      'demanded by TLS 1.2 over WebSocket': { peer: old, transport: 'wss', ...demanded },
      'demanded by TLS 1.3 over WebSocket': { peer: modern, transport: 'wss', ...demanded },
      'ours by TLS 1.2': { peer: old, tlsConfig: withOurs },
      'ours by TLS 1.3': { peer: modern, tlsConfig: withOurs },
      'ours by TLS 1.3 over WebSocket': { peer: modern, transport: 'wss', tlsConfig: withOurs },
      'ours with an encrypted key': { peer: modern, tlsConfig: withLocked },
      'a peer that is too old': {
        peer: { cert, key, maxVersion: 'TLSv1.2' },
        tlsConfig: { min_version: 'TLS13' },
        ...noVersion,
      },
      'a peer that is too new': {
        peer: { cert, key, minVersion: 'TLSv1.3' },
        tlsConfig: { max_version: 'TLS12' },
        ...noVersion,
      },
      'a peer with the oldest allowed version': {
        peer: { cert, key, maxVersion: 'TLSv1.2' },
        tlsConfig: { max_version: 'TLS12' },
      },
    });
    const versionOf = async (name: string) =>
      (await exporter.destination(name)).targets[0]?.tls?.version;
    assert.equal(await versionOf('ours by TLS 1.2'), 'TLS 1.2');
    assert.equal(await versionOf('ours by TLS 1.3'), 'TLS 1.3');

    await t.test('by OpenSSL itself, to a certificate whose authority is unknown', async (t) => {
      const ports = { 'TLS 1.2': await freePort(), 'TLS 1.3': await freePort() };
      for (const [version, port] of Object.entries(ports)) {
        const certificate = authority.issue({ name: 'far end', alternative: 'DNS:localhost' });
        run(t, 'openssl', [
          ...['s_server', '-accept', `127.0.0.1:${port}`, '-CAfile', authority.caFile, '-quiet'],
          ...['-cert', certificate.certFile, '-key', certificate.keyFile],
          ...['-Verify', '1', '-verify_return_error'],
          version === 'TLS 1.2' ? '-tls1_2' : '-tls1_3',
        ]);
        await eventually(`openssl listens on ${port}`, () => isTaken(port));
      }
      const withForeign = { cert_file: foreign.certFile, key_file: foreign.keyFile };
      const exporter = await startExporter(t, {
        ping_interval: 4,
        tls_config: { ca_file: authority.caFile },
        destinations: Object.entries(ports).flatMap(([version, port]) => [
          { name: version, uri: `sips:localhost:${port}`, tls_config: withForeign },
          { name: `${version}, none`, uri: `sips:localhost:${port}` },
        ]),
      });
      for (const version of Object.keys(ports)) {
        await check(exporter, version, {
          reason: 'tls',
          detail: `${REFUSED}: unknown authority`,
        });
        await check(exporter, `${version}, none`, demanded);
      }
    });
  },
);

/** Whether something listens on the port. */
async function isTaken(port: number): Promise<boolean> {
  const socket = net.connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

test('a peer of a TLS destination that does not speak TLS is reported as such', async (t) => {
  const says = (text: string) =>
    startListener(t, (socket) => socket.once('data', () => socket.write(text)));
  const peers = {
    sip: await says('SIP/2.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    http: await says('HTTP/1.1 400 Bad Request\r\n\r\n'),
    ssh: await startListener(t, (socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n')),
  };
  const exporter = await startExporter(t, {
    ping_interval: 4,
    destinations: Object.entries(peers).flatMap(([name, { port }]) => [
      { name, uri: `sips:localhost:${port}` },
      { name: `${name} wss`, uri: `sips:localhost:${port};transport=ws` },
    ]),
  });
  for (const name of Object.keys(peers)) {
    await check(exporter, name, { reason: 'tls', detail: 'the peer does not speak TLS' });
    await check(exporter, `${name} wss`, { reason: 'tls', detail: 'the peer does not speak TLS' });
    const { targets } = await exporter.destination(name);
    assert.equal(targets[0]?.tls, null, 'no certificate was shown');
  }
});

test(
  'the handshake has server_name or else the host as the server name, and never an address',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const issue = (alternative: string) => authority.issue({ name: 'far end', alternative });
    const { farEnds } = await checkAll(t, authority, {
      host: { host: 'sip.localhost', peer: issue('DNS:sip.localhost') },
      address: { host: '127.0.0.1', peer: issue('IP:127.0.0.1') },
      named: {
        host: '127.0.0.1',
        peer: issue('DNS:carrier.example'),
        tlsConfig: { server_name: 'carrier.example' },
      },
      both: {
        host: 'sip.localhost',
        peer: issue('DNS:carrier.example'),
        tlsConfig: { server_name: 'carrier.example' },
      },
      wss: { host: 'sip.localhost', peer: issue('DNS:sip.localhost'), transport: 'wss' },
    });
    const names = [...farEnds].map(([name, { callers }]) => [name, callers[0]?.serverName]);
    assert.deepEqual(Object.fromEntries(names), {
      host: 'sip.localhost',
      address: undefined,
      named: 'carrier.example',
      both: 'carrier.example',
      wss: 'sip.localhost',
    });
  },
);

// These tests mostly wait, because the files are checked every five seconds.
test('a certificate with an empty subject is read like any other', needs('openssl'), async (t) => {
  const path = folder(t);
  const [cert, key] = [join(path, 'cert.pem'), join(path, 'key.pem')];
  const made = runToEnd('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/', '-addext', 'subjectAltName=critical,DNS:localhost', '-days', '9'],
    ...['-keyout', key, '-out', cert],
  ]);
  assert.equal(made.status, 0, made.stderr);
  const farEnd = await startFarEnd(t, 'tls', (_request, good) => [good], {
    tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') },
  });
  const exporter = await startExporter(t, {
    ping_interval: 4,
    tls_config: { ca_file: cert },
    destinations: [{ name: 'nobody', uri: `sips:localhost:${farEnd.port}` }],
  });
  await eventually('it is up', async () => (await exporter.isAlive('nobody')) === 1);
  assert.equal(exporter.crashes(), 0);
  assert.equal((await exporter.destination('nobody')).targets[0]?.tls?.subject, '');
});

describe('files of tls_config', { concurrency: true }, () => {
  test(
    'that change are used without a restart, also for existing connections',
    needs('openssl'),
    async (t) => {
      const [authority, stranger] = [Authority.root(t), Authority.root(t, 'Another Root')];
      const { exporter, caFile } = await startTrusting(t, authority, stranger.ca);
      const distrusted = {
        reason: 'tls_certificate',
        detail: INCOMPLETE,
        error: INCOMPLETE,
      } as const;
      await check(exporter, 'far', distrusted);
      writeFileSync(caFile, authority.ca);
      await eventually('the new authority counts', async () => {
        return (await exporter.isAlive('far')) === 1;
      });
      await check(exporter, 'far', {});
      // The certificate of the open connection is from an authority that is no longer trusted.
      writeFileSync(caFile, stranger.ca);
      await eventually('it counts no more', async () => (await exporter.isAlive('far')) === 2);
      await check(exporter, 'far', distrusted);
    },
  );

  test(
    'that become invalid are logged, and their previous contents stay in use',
    needs('openssl'),
    async (t) => {
      const authority = Authority.root(t);
      const { exporter, farEnd, caFile } = await startTrusting(t, authority, authority.ca);
      await check(exporter, 'far', {});
      writeFileSync(caFile, 'this is no certificate');
      await eventually('the error is logged', () => {
        return /file_invalid/.test(exporter.output());
      });
      await eventually('two more pings', morePings(exporter, 2));
      await check(exporter, 'far', {});
      assert.equal(farEnd.connections, 1);
      assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
    },
  );

  test(
    'that are renewed one after the other are used once they fit together',
    needs('openssl'),
    async (t) => {
      const authority = Authority.root(t);
      const [before, after] = [authority.issue({ name: 'a' }), authority.issue({ name: 'b' })];
      const path = folder(t);
      const [certFile, keyFile] = [join(path, 'cert.pem'), join(path, 'key.pem')];
      writeFileSync(certFile, before.cert);
      writeFileSync(keyFile, before.key);
      const ours = { cert_file: certFile, key_file: keyFile };
      const { exporter, farEnd } = await startTrusting(t, authority, authority.ca, ours);
      await check(exporter, 'far', {});
      writeFileSync(certFile, after.cert);
      await eventually('the error is logged', () => {
        return /file_invalid/.test(exporter.output());
      });
      await eventually('a ping', morePings(exporter, 1));
      assert.equal(farEnd.connections, 1);
      writeFileSync(keyFile, after.key);
      await eventually('another connection', () => farEnd.callers.length === 2);
      await eventually('a ping', morePings(exporter, 1));
      await check(exporter, 'far', {});
      assert.equal(await exporter.metric('sip_keepalive_ping_failures_total'), 0);
    },
  );

  test('that can no longer be read change nothing', needs('openssl'), async (t) => {
    const authority = Authority.root(t);
    const { exporter, caFile } = await startTrusting(t, authority, authority.ca);
    await check(exporter, 'far', {});
    // The folder is now a link to itself: ELOOP, even for root.
    rmSync(dirname(caFile), { recursive: true });
    symlinkSync(basename(dirname(caFile)), dirname(caFile));
    await eventually('the error is logged', () => {
      return /file_invalid/.test(exporter.output());
    });
    await eventually('two more pings', morePings(exporter, 2));
    await check(exporter, 'far', {});
  });

  test('that have no certificate stop the start', async (t) => {
    const caFile = join(folder(t), 'ca.pem');
    for (const text of ['this is no certificate', '']) {
      writeFileSync(caFile, text);
      const flags = ['--config.check', '--destination=sips:localhost'];
      const { child, output } = run(t, process.execPath, [
        MAIN,
        ...flags,
        `--tls_config.ca_file=${caFile}`,
      ]);
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 2, `"${text}": ${output()}`);
      assert.match(output(), /tls_config\.ca_file: expected PEM certificates/);
    }
  });
});

/** A far end, and an exporter with `ca` in its own file as the trusted authorities. */
async function startTrusting(t: TestContext, authority: Authority, ca: string, rest: object = {}) {
  const { cert, key } = authority.issue({ name: 'far end', alternative: 'DNS:localhost' });
  const isMutual = Object.keys(rest).length > 0;
  const mutual = { ca: authority.ca, requestCert: true, rejectUnauthorized: true };
  const farEnd = await answering(t, { cert, key, ...(isMutual ? mutual : {}) });
  const caFile = join(folder(t), 'ca.pem');
  writeFileSync(caFile, ca);
  const exporter = await startExporter(t, {
    ping_interval: 4,
    tls_config: { ca_file: caFile, ...rest },
    destinations: [{ name: 'far', uri: `sips:localhost:${farEnd.port}` }],
  });
  return { exporter, farEnd, caFile };
}

/** Whether there were this many more pings than at the first call. */
function morePings(exporter: Exporter, wanted: number): () => Promise<boolean> {
  let first: number | undefined;
  return async () => {
    const pings = (await exporter.metric('sip_keepalive_pings_total')) ?? 0;
    first ??= pings;
    return pings >= first + wanted;
  };
}

test(
  'a certificate that the peer has renewed is reported once the connection is reopened',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const issue = (untilDays: number, alternative = 'DNS:localhost') => {
      const { cert, key } = authority.issue({ name: 'far end', alternative, untilDays });
      return { cert, key };
    };
    const farEnd = await answering(t, issue(10));
    const exporter = await startExporter(t, {
      ping_interval: 4,
      tls_config: { ca_file: authority.caFile },
      destinations: [{ name: 'far', uri: `sips:localhost:${farEnd.port}` }],
    });
    await check(exporter, 'far', { untilDays: 10 });
    const fingerprint = async () =>
      /sip_keepalive_tls_info\{.*fingerprint_sha256="([0-9a-f]{64})"/.exec(
        await exporter.get('/metrics'),
      )?.[1];
    const first = await fingerprint();
    assert.ok(first !== undefined);

    await farEnd.stop();
    await farEnd.start({ tls: issue(90) });
    await eventually('another certificate', async () => ((await fingerprint()) ?? first) !== first);
    await eventually('it is up', async () => (await exporter.isAlive('far')) === 1);
    await check(exporter, 'far', { untilDays: 90 });
    const info = (await exporter.get('/metrics')).match(/^sip_keepalive_tls_info\{/gm);
    assert.equal(info?.length, 1, 'the old one is no longer exported');

    await farEnd.stop();
    await farEnd.start({ tls: issue(80, 'DNS:a.example') });
    const error = 'the certificate is for DNS:a.example, not for localhost';
    await eventually('the invalid one is noticed', async () => {
      return (await exporter.destination('far')).reason === 'tls_certificate';
    });
    await check(exporter, 'far', {
      untilDays: 80,
      reason: 'tls_certificate',
      detail: error,
      error,
    });
  },
);
