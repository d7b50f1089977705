/** Data from peers: challenges and certificates. */

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { DigestClient } from '../../../src/pinger/sip/digest.js';
import { isFor } from '../../../src/pinger/transport/certificate.js';
import { type FuzzTarget, seedsOf } from '../target.js';

const ACCOUNT = { username: 'us"er', password: 'password' };

export const DIGEST: FuzzTarget = {
  seeds: seedsOf('digest', '.sip'),
  dictionary: [
    ...['Digest ', 'realm="', 'nonce="', 'qop="auth"', 'algorithm=', 'SHA-256', 'MD5-sess', '"'],
    ...[
      'stale=true',
      'opaque="',
      ', ',
      '\\"',
      '\\',
      '=',
      '\r\n ',
      'WWW-Authenticate: ',
      'userhash=',
    ],
    ...['auth-int', 'Basic ', '\xe9', '\r\nProxy-Authenticate: Digest '],
  ],
  run: (input) => {
    for (const source of ['server', 'proxy'] as const) {
      const client = new DigestClient(() => 'cnonce');
      const result = client.takeChallenge(source, input);
      if (result.kind === 'unsupported') {
        assert.ok(result.detail !== '' && result.detail.length < 500, 'the reason');
        continue;
      }
      const headers = client.headers(ACCOUNT, 'OPTIONS', 'sip:example.com');
      assert.equal(headers.length, 1);
      for (const [, value] of headers) {
        assert.doesNotMatch(value, /[\r\n\0]/, 'a line break of the peer in the request');
        assert.match(value, /^Digest username="us\\"er", realm="/);
      }
    }
  },
};

export const CERTIFICATE: FuzzTarget = {
  seeds: seedsOf('certificates', '.pem').map(derOf),
  dictionary: [
    'sip.example.com',
    'DNS:',
    'URI:sip:',
    '*.',
    '\x82',
    '\x86',
    '\0',
    '\x30\x82',
    '\x06\x03',
  ],
  run: (input) => {
    let certificate: X509Certificate;
    try {
      certificate = new X509Certificate(input);
    } catch {
      return;
    }
    for (const host of ['sip.example.com', '192.0.2.1', '2001:db8::1']) {
      for (const isStrict of [false, true]) isFor(certificate, host, isStrict);
    }
    for (const text of [certificate.subject, certificate.issuer, certificate.validTo]) {
      assert.ok(text === undefined || typeof text === 'string');
    }
  },
};

/** The bytes of a PEM file without its armour, so that mutations reach the content. */
function derOf(pem: Buffer): Buffer {
  const [, base64 = ''] = /-----BEGIN [^-]+-----([^-]+)/.exec(pem.toString('latin1')) ?? [];
  return Buffer.from(base64, 'base64');
}
