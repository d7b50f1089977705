import assert from 'node:assert/strict';
import type { X509Certificate } from 'node:crypto';
import { describe, test } from 'node:test';
import {
  alternativeNames,
  CLIENT_AUTH_TYPES,
  clientProblem,
} from '../../../src/http/server/client-certificate.js';

const certificate = { subjectAltName: 'DNS:a.example, IP Address:192.0.2.1' } as X509Certificate;

function socket(change: { certificate?: X509Certificate; authorized?: boolean }) {
  return {
    authorized: change.authorized ?? false,
    authorizationError: new Error('self-signed'),
    getPeerX509Certificate: () => change.certificate,
  };
}

describe('a client', () => {
  const none = socket({});
  const invalid = socket({ certificate });
  const valid = socket({ certificate, authorized: true });
  const allowed = [none, invalid, valid];

  test('may connect as crypto/tls of Go lets it', () => {
    const table = CLIENT_AUTH_TYPES.map((type) => [
      type,
      ...allowed.map((one) => clientProblem(one, { type, allowedSans: undefined }) === undefined),
    ]);
    assert.deepEqual(table, [
      ['NoClientCert', true, true, true],
      ['RequestClientCert', true, true, true],
      ['RequireAnyClientCert', false, true, true],
      ['VerifyClientCertIfGiven', true, false, true],
      ['RequireAndVerifyClientCert', false, false, true],
    ]);
  });

  test('must have one of the allowed names', () => {
    const problem = (allowedSans: string[]) =>
      clientProblem(valid, { type: 'RequireAndVerifyClientCert', allowedSans });
    assert.equal(problem(['b.example', '192.0.2.1']), undefined);
    assert.equal(
      problem(['A.EXAMPLE']),
      'the certificate of the client has none of client_allowed_sans',
    );
    assert.match(problem([]) ?? '', /none of client_allowed_sans/);
  });
});

test('alternative names are read as Go writes them', () => {
  const names = (subjectAltName: string) => alternativeNames({ subjectAltName } as X509Certificate);
  assert.deepEqual(
    names(
      'DNS:a.example, email:x@y.example, IP Address:2001:DB8:0:0:0:0:0:1, URI:"sip:a,b\\u0022"',
    ),
    ['a.example', 'x@y.example', '2001:db8::1', 'sip:a,b"'],
  );
  assert.deepEqual(names('othername:<unsupported>'), []);
  assert.deepEqual(alternativeNames({} as X509Certificate), []);
});
