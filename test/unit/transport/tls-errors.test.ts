import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isTlsError, tlsFailure } from '../../../src/pinger/transport/tls-errors.js';

const error = (code?: string): NodeJS.ErrnoException =>
  Object.assign(new Error('x'), code === undefined ? {} : { code });

describe('a handshake that failed', () => {
  for (const [code, detail, withoutOurs = detail] of [
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'the peer requires a client certificate'],
    [
      'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
      'the peer rejected the client certificate',
      'the peer requires a client certificate',
    ],
    [
      'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
      'the peer refused the handshake; maybe no common cipher',
      'the peer requires a client certificate',
    ],
    [
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED',
      'the peer rejected the client certificate: expired',
    ],
    [
      'ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED',
      'the peer rejected the client certificate: revoked',
    ],
    ['ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE', 'the peer rejected the client certificate'],
    [
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'the peer rejected the client certificate: unknown authority',
    ],
    [
      'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED',
      'the peer rejected the client certificate: access denied',
    ],
    ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'no common TLS version'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'no common TLS version'],
    ['ERR_SSL_TLSV1_UNRECOGNIZED_NAME', 'the peer does not know the requested server name'],
    ['ERR_SSL_WRONG_VERSION_NUMBER', 'the peer does not speak TLS'],
    ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'the peer does not speak TLS'],
    ['ECONNRESET', 'the connection was closed during the handshake'],
    ['EPIPE', 'the connection was closed during the handshake'],
    ['ERR_SSL_UNSUPPORTED_PROTOCOL', 'no common TLS version'],
    [
      'ERR_SSL_DH_KEY_TOO_SMALL',
      'the Diffie-Hellman key of the peer is too short; tls_config.ciphers with @SECLEVEL=0 allows it',
    ],
    [
      'ERR_SSL_UNSAFE_LEGACY_RENEGOTIATION_DISABLED',
      'the peer does not support secure renegotiation (RFC 5746); tls_config.legacy_renegotiation allows it',
    ],
    ['ERR_SSL_NO_SHARED_CIPHER', 'no common cipher; see tls_config.ciphers'],
    ['ERR_SSL_SOMETHING_NEW', 'something new (ERR_SSL_SOMETHING_NEW)'],
    ['ESOMETHING', 'ESOMETHING'],
    ['', 'the handshake failed'],
    [undefined, 'the handshake failed'],
  ] as const satisfies readonly (readonly [string | undefined, string, string?])[]) {
    test(`with ${code === '' ? 'an empty code' : (code ?? 'no code')} has a detail for people`, () => {
      assert.deepEqual(tlsFailure(error(code), false), { reason: 'tls', detail });
      assert.deepEqual(tlsFailure(error(code), true), { reason: 'tls', detail: withoutOurs });
    });
  }
});

for (const alert of ['HANDSHAKE_FAILURE', 'BAD_CERTIFICATE', 'CERTIFICATE_EXPIRED']) {
  test(`the alert ${alert} has the same detail by its name in OpenSSL 3.5`, () => {
    for (const isClientMissing of [false, true]) {
      assert.deepEqual(
        tlsFailure(error(`ERR_SSL_SSL/TLS_ALERT_${alert}`), isClientMissing),
        tlsFailure(error(`ERR_SSL_SSLV3_ALERT_${alert}`), isClientMissing),
      );
    }
  });
}

for (const [code, isOne] of [
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', true],
  ['ERR_SSL_', true],
  ['ECONNRESET', false],
  ['ERR_TLS_CERT_ALTNAME_INVALID', false],
  ['', false],
  [undefined, false],
] as const) {
  test(`the error ${code} of an open connection is ${isOne ? '' : 'not '}a TLS error`, () => {
    assert.equal(isTlsError(error(code)), isOne);
  });
}
