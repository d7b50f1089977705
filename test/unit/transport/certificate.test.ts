import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { after, describe, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { isFor, tlsPeerOf } from '../../../src/pinger/transport/certificate.js';
import { Authority, type CertificateSpec } from '../../support/certificates.js';
import { settings } from '../../support/settings.js';
import { needs } from '../../support/tools.js';

const OURS = 'a.example';

describe('a certificate', needs('openssl'), () => {
  const root = Authority.root({ after });

  for (const [what, spec, host, isLenient, isStrict] of [
    ['its SIP URI', { alternative: 'URI:sip:a.example' }, OURS, true, true],
    ['its DNS name', { alternative: 'DNS:a.example' }, OURS, true, true],
    ['its DNS name in capitals', { alternative: 'DNS:A.Example' }, OURS, true, true],
    ['another DNS name', { alternative: 'DNS:b.example' }, OURS, false, false],
    ['a name below its own', { alternative: 'DNS:example' }, OURS, false, false],
    ['its common name, without others', { name: OURS }, OURS, true, true],
    [
      'its common name and other names',
      { name: OURS, alternative: 'DNS:b.example' },
      OURS,
      false,
      false,
    ],
    [
      'its common name and a SIP URI',
      { name: OURS, alternative: 'URI:sip:b.example' },
      OURS,
      false,
      false,
    ],
    ['a wildcard for a top-level domain', { alternative: 'DNS:*.example' }, OURS, false, false],
    ['a wildcard', { alternative: 'DNS:*.a.example' }, 'sip.a.example', true, false],
    [
      'a wildcard two levels up',
      { alternative: 'DNS:*.a.example' },
      'x.sip.a.example',
      false,
      false,
    ],
    ['a wildcard in its common name', { name: '*.a.example' }, 'sip.a.example', true, false],
    [
      'a DNS name and the SIP URI of another',
      { alternative: 'URI:sip:b.example,DNS:a.example' },
      OURS,
      true,
      false,
    ],
    ['a SIP URI with a user', { alternative: 'URI:sip:u@a.example' }, OURS, false, false],
    ['a sips URI', { alternative: 'URI:sips:a.example' }, OURS, false, false],
    ['an https URI', { alternative: 'URI:https://a.example' }, OURS, false, false],
    ['an address among its names', { alternative: 'IP:192.0.2.1' }, '192.0.2.1', true, true],
    [
      'an IPv6 address among its names',
      { alternative: 'IP:2001:db8::1' },
      '2001:db8::1',
      true,
      true,
    ],
    ['an address as its common name', { name: '192.0.2.1' }, '192.0.2.1', false, false],
    ['an address as a DNS name', { alternative: 'DNS:192.0.2.1' }, '192.0.2.1', false, false],
    ['its SIP URI in capitals', { alternative: 'URI:SIP:A.EXAMPLE' }, OURS, true, true],
    ['its SIP URI with a port', { alternative: 'URI:sip:a.example:5061' }, OURS, true, true],
    [
      'the second of its SIP URIs',
      { alternative: 'URI:sip:b.example,URI:sip:a.example' },
      OURS,
      true,
      true,
    ],
    ['a SIP URI of a subdomain', { alternative: 'URI:sip:x.a.example' }, OURS, false, false],
    [
      'a SIP URI with a wildcard',
      { alternative: 'URI:sip:*.a.example' },
      'x.a.example',
      false,
      false,
    ],
    ['a URI without a scheme', { alternative: 'URI:a.example' }, OURS, false, false],
    ['an email address', { alternative: 'email:sip@a.example' }, OURS, false, false],
    [
      'its common name and an email address',
      { name: OURS, alternative: 'email:x@b.example' },
      OURS,
      false,
      false,
    ],
    [
      'its common name and an address',
      { name: OURS, alternative: 'IP:192.0.2.1' },
      OURS,
      false,
      false,
    ],
    ['its common name in capitals', { name: 'A.EXAMPLE' }, OURS, true, true],
    [
      'a wildcard for a part of a label',
      { alternative: 'DNS:s*.a.example' },
      'sip.a.example',
      false,
      false,
    ],
    ['a wildcard for the name itself', { alternative: 'DNS:*.a.example' }, OURS, false, false],
    ['another address', { alternative: 'IP:192.0.2.1' }, '192.0.2.11', false, false],
    ['an address as a SIP URI', { alternative: 'URI:sip:192.0.2.1' }, '192.0.2.1', true, true],
    [
      'a name that looks like several',
      { alternative: 'DNS:b.example,URI:sip:x%2C URI:sip:a.example' },
      OURS,
      false,
      false,
    ],
  ] as const satisfies readonly (readonly [
    string,
    Partial<CertificateSpec>,
    string,
    boolean,
    boolean,
  ])[]) {
    test(`is ${isLenient ? '' : 'not '}for ${host} by ${what}${isLenient === isStrict ? '' : ', but not with strict_rfc5922'}`, () => {
      const { cert } = root.issue({ name: 'x', ...spec });
      const certificate = new X509Certificate(cert);
      assert.equal(isFor(certificate, host, false), isLenient);
      assert.equal(isFor(certificate, host, true), isStrict);
    });
  }

  // A certificate that was issued for one kind of name must not be valid for other kinds.
  for (const field of ['DNS', 'URI', 'email', 'dirName']) {
    for (const value of [
      'b.example, URI:sip:a.example, DNS:c.example',
      'b.example,URI:sip:a.example,',
      'b.example", URI:sip:a.example, DNS:"',
      'b.example\\", URI:sip:a.example, DNS:\\"',
      'b.example, DNS:a.example, URI:sip:c.example',
      'sip:a.example, x',
      ', URI:sip:a.example',
    ]) {
      test(`is not for ${OURS} by a name of type ${field} with the value ${value}`, () => {
        const name = escaped(value);
        const section = field === 'dirName' ? `person\n[person]\nO = ${name}` : name;
        const spec = { name: 'x', alternative: `@names\n[names]\n${field}.1 = ${section}` };
        const certificate = new X509Certificate(root.issue(spec).cert);
        assert.match(certificate.subjectAltName ?? '', /a\.example/);
        for (const isStrict of [false, true]) {
          assert.equal(isFor(certificate, OURS, isStrict), false, certificate.subjectAltName);
        }
      });
    }
  }
});

describe('a peer', needs('openssl'), () => {
  const root = Authority.root({ after });
  const issued = root.issue({ name: OURS });

  /** What a peer with this certificate has shown, where OpenSSL says this of it. */
  function peerOf(cert: string | undefined, error?: string, isComplete = true) {
    const socket = {
      getPeerX509Certificate: () => (cert === undefined ? undefined : new X509Certificate(cert)),
      getProtocol: () => 'TLSv1.2',
      getCipher: () => ({ standardName: 'TLS_AES_128_GCM_SHA256' }),
      authorized: error === undefined,
      authorizationError: error,
    } as unknown as TLSSocket;
    return tlsPeerOf(socket, OURS, settings().tls, isComplete);
  }

  for (const [code, fault] of [
    ['CERT_HAS_EXPIRED', 'the certificate, or one of its chain, has expired'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'the certificate is self-signed and not trusted'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'the root of the chain is not trusted'],
    ['CERT_REVOKED', 'the certificate is revoked'],
    ['A_CODE_OF_A_LATER_OPENSSL', 'the certificate is rejected: A_CODE_OF_A_LATER_OPENSSL'],
  ] as const) {
    test(`is not verified after ${code}: ${fault}`, () => {
      const peer = peerOf(issued.cert, code);
      assert.deepEqual([peer?.isVerified, peer?.fault], [false, fault]);
    });
  }

  for (const [title, spec, code, weakness] of [
    ['a short key', { rsaBits: 1024 }, 'EE_KEY_TOO_SMALL', 'has a key of 1024 bits, too short'],
    ['a weak hash', { digest: 'sha1' }, 'CA_MD_TOO_WEAK', 'is signed with SHA-1, too weak'],
  ] as const) {
    test(`with ${title} is not verified, and the setting that allows it is named`, () => {
      const peer = peerOf(root.issue({ name: OURS, ...spec }).cert, code);
      const allowed = 'tls_config.ciphers with @SECLEVEL=0 allows it';
      const fault = `the certificate, or one of its chain, ${weakness}; ${allowed}`;
      assert.deepEqual([peer?.isVerified, peer?.fault], [false, fault]);
    });
  }

  test('whose handshake broke off has shown its certificate, and no version', () => {
    const peer = peerOf(issued.cert, undefined, false);
    assert.deepEqual(
      [peer?.subject, peer?.version, peer?.cipher, peer?.isVerified, peer?.fault],
      [`CN=${OURS}`, '', '', false, 'the handshake was not completed'],
    );
  });

  test('without a certificate has shown nothing', () => {
    assert.equal(peerOf(undefined), undefined);
  });
});

/** As openssl's configuration takes it for the text itself. */
function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}
