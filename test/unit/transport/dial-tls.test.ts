import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import type * as net from 'node:net';
import { after, describe, type TestContext, test } from 'node:test';
import type * as tls from 'node:tls';
import { Authority } from '../../support/certificates.js';
import { CONNECT_MS, dialLoopback, TLS_MS, type TlsWish } from '../../support/dial-rig.js';
import { startListener } from '../../support/far-end.js';
import { needs } from '../../support/tools.js';
import { turnsUntil } from '../../support/turns.js';

const CONNECTED = `connect ${CONNECT_MS * 1000}`;
const SECURED = `tls ${TLS_MS * 1000}`;
const DAY_MS = 86_400_000;
/** Of a handshake without certificates, which only TLS 1.2 and before have. */
const ANONYMOUS = 'AECDH-AES128-SHA:@SECLEVEL=0';

/** How a dial over TLS to such a peer ends. */
async function dialTls(
  t: TestContext,
  server: tls.TlsOptions | ((tcp: net.Socket) => void),
  tls: TlsWish,
  domain = 'a.example',
) {
  const names: unknown[] = [];
  const listener =
    typeof server === 'function'
      ? await startListener(t, server)
      : await startListener(
          t,
          (socket) => names.push('servername' in socket && socket.servername),
          server,
        );
  const dialed = dialLoopback(t, { port: listener.port, domain, tls });
  await turnsUntil('it ended', () => dialed.socket() !== undefined || dialed.failures.length > 0);
  return { ...dialed, names, listener };
}

describe('a TLS connection', needs('openssl'), () => {
  const root = Authority.root({ after });
  const { ca } = root;
  const issued = root.issue({ name: 'far end', alternative: 'DNS:a.example,IP:127.0.0.1' });

  test('is reported with the certificate of the peer once that is verified', async (t) => {
    const { events, peers, failures } = await dialTls(t, issued, { ca });
    assert.deepEqual(events, [CONNECTED, SECURED, 'secured', 'opened']);
    assert.deepEqual(failures, []);
    const certificate = new X509Certificate(issued.cert);
    const [peer] = peers;
    assert.match(peer?.cipher ?? '', /^TLS_AES_/);
    assert.deepEqual(peer, {
      ...{ version: 'TLS 1.3', cipher: peer?.cipher },
      ...{ subject: 'CN=far end', issuer: 'CN=Test Root' },
      subjectAlternative: 'DNS:a.example, IP Address:127.0.0.1',
      serialNumber: certificate.serialNumber.toLowerCase(),
      fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
      notBeforeMs: Date.parse(certificate.validFrom),
      notAfterMs: Date.parse(certificate.validTo),
      chainNotAfterMs: Date.parse(certificate.validTo),
      chain: [{ subject: 'CN=far end', notAfterMs: Date.parse(certificate.validTo) }],
      ...{ isVerified: true, fault: '' },
    });
  });

  test('to an old peer has the TLS version of the peer', async (t) => {
    const old = {
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
    } as const;
    const { peers } = await dialTls(t, { ...issued, ...old }, { ca, minVersion: 'TLS10' });
    assert.equal(peers[0]?.version, 'TLS 1.0');
  });

  test('requests the server name of the destination, or that of the settings', async (t) => {
    const byDomain = await dialTls(t, issued, { ca });
    const bySetting = await dialTls(t, issued, { ca, serverName: 'a.example' }, 'b.example');
    for (const { names } of [byDomain, bySetting]) {
      assert.equal(await turnsUntil('the peer is done too', () => names[0]), 'a.example');
    }
    assert.deepEqual([byDomain.failures, bySetting.failures], [[], []]);
  });

  test('requests no server name if the destination is an address (RFC 6066 3)', async (t) => {
    const { names, failures } = await dialTls(t, issued, { ca }, '127.0.0.1');
    await turnsUntil('the peer is done too', () => names.length > 0);
    assert.deepEqual([names, failures], [[false], []]);
  });

  test('with a certificate for another name is closed, and the certificate is reported', async (t) => {
    const { events, peers, failures, listener } = await dialTls(t, issued, { ca }, 'b.example');
    const detail = 'the certificate is for DNS:a.example, IP Address:127.0.0.1, not for b.example';
    assert.deepEqual(events, [CONNECTED, SECURED, 'secured', 'failed tls_certificate']);
    assert.deepEqual(failures, [{ reason: 'tls_certificate', detail }]);
    assert.deepEqual([peers[0]?.isVerified, peers[0]?.fault], [false, detail]);
    assert.ok((peers[0]?.notAfterMs ?? 0) > Date.now());
    await turnsUntil('it is closed', () => listener.open() === 0);
  });

  for (const [title, spec, fault] of [
    [
      'that has expired',
      { fromDays: -10, untilDays: -1 },
      'the certificate, or one of its chain, has expired',
    ],
    ['that is not yet valid', { fromDays: 1 }, 'the certificate is not yet valid'],
  ] as const) {
    test(`with a certificate ${title} is closed, unless certificates are not verified`, async (t) => {
      const far = root.issue({ name: 'far', alternative: 'DNS:a.example', ...spec });
      const strict = await dialTls(t, far, { ca });
      assert.deepEqual(strict.failures, [{ reason: 'tls_certificate', detail: fault }]);
      const { events, peers } = await dialTls(t, far, { ca, insecureSkipVerify: true });
      assert.deepEqual(events, [CONNECTED, SECURED, 'secured', 'opened']);
      assert.equal(peers[0]?.fault, fault);
    });
  }

  test('with a certificate of an unknown authority is closed', async (t) => {
    const { failures } = await dialTls(t, issued, {});
    const detail = 'the chain is incomplete, or its root is unknown';
    assert.deepEqual(failures, [{ reason: 'tls_certificate', detail }]);
  });

  test('has the earliest expiry in the chain', async (t) => {
    const below = root.intermediate('Test Intermediate', { untilDays: 10 });
    const far = below.issue({ name: 'far', alternative: 'DNS:a.example', untilDays: 100 });
    const { peers } = await dialTls(t, { ...far, cert: far.cert + below.ca }, { ca });
    const inDays = (ms = 0) => Math.round((ms - Date.now()) / DAY_MS);
    assert.equal(peers[0]?.isVerified, true);
    assert.deepEqual([inDays(peers[0]?.notAfterMs), inDays(peers[0]?.chainNotAfterMs)], [100, 10]);
    assert.deepEqual(
      peers[0]?.chain.map(({ notAfterMs }) => inDays(notAfterMs)),
      [100, 10],
    );
  });

  test('to a peer that requires a client certificate fails, and its certificate is reported', async (t) => {
    const demanding = { requestCert: true, rejectUnauthorized: true, ca } as const;
    const old = { ...issued, ...demanding, maxVersion: 'TLSv1.2' } as const;
    const { events, peers, failures } = await dialTls(t, old, { ca });
    assert.deepEqual(events, [CONNECTED, 'secured', 'failed tls']);
    assert.deepEqual(failures, [
      { reason: 'tls', detail: 'the peer requires a client certificate' },
    ]);
    const [peer] = peers;
    assert.deepEqual(
      [peer?.isVerified, peer?.fault, peer?.version, peer?.subject],
      [false, 'the handshake was not completed', '', 'CN=far end'],
    );
    assert.equal(peer?.chainNotAfterMs, Date.parse(new X509Certificate(issued.cert).validTo));
    const client = root.issue({ name: 'exporter' });
    const accepted = await dialTls(t, old, { ca, cert: client.cert, key: client.key });
    assert.deepEqual(accepted.failures, []);
  });

  test('to a peer without a certificate is closed, unless certificates are not verified', async (t) => {
    const server = { ciphers: ANONYMOUS, maxVersion: 'TLSv1.2' } as const;
    const client = { ca, ciphers: ANONYMOUS, maxVersion: 'TLS12' } as const;
    const strict = await dialTls(t, server, client);
    assert.deepEqual(strict.events, [CONNECTED, SECURED, 'failed tls_certificate']);
    assert.equal(strict.failures[0]?.detail, 'the certificate cannot be read');
    const lenient = await dialTls(t, server, { ...client, insecureSkipVerify: true });
    assert.deepEqual(lenient.events, [CONNECTED, SECURED, 'opened']);
  });

  for (const [title, act, detail] of [
    ['closes', (tcp: net.Socket) => tcp.end(), 'the connection was closed during the handshake'],
    [
      'resets',
      (tcp: net.Socket) => tcp.resetAndDestroy(),
      'the connection was closed during the handshake',
    ],
    [
      'answers in SIP',
      (tcp: net.Socket) => tcp.write('SIP/2.0 400 Bad Request\r\n\r\n'),
      'the peer does not speak TLS',
    ],
  ] as const) {
    test(`to a peer that ${title} during the handshake fails`, async (t) => {
      const { events, failures } = await dialTls(t, (tcp) => tcp.once('data', () => act(tcp)), {
        ca,
      });
      assert.deepEqual(events, [CONNECTED, 'failed tls']);
      assert.deepEqual(failures, [{ reason: 'tls', detail }]);
    });
  }

  test('that is cancelled during the handshake reports nothing more, and is closed', async (t) => {
    const listener = await startListener(t, (tcp) => tcp.resume());
    const dialed = dialLoopback(t, { port: listener.port, tls: { ca } });
    await turnsUntil('it is connected', () => dialed.events.length > 0 && listener.open() === 1);
    dialed.cancel();
    await turnsUntil('it is closed', () => listener.open() === 0);
    assert.deepEqual(dialed.events, [CONNECTED]);
  });
});
