/**
 * Verifies a peer's certificate. Node.js is configured to accept any certificate, so that errors can be
 * reported; the decision is made here.
 */

import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { addressFamily } from '../../shared/address.js';
import type { TlsSettings } from '../../shared/destination.js';
import { printable } from '../../shared/text.js';
import type { ChainLink, TlsPeer } from '../../shared/tls-peer.js';
import { parseUri, UriError } from '../../shared/uri.js';

/**
 * The TLS parameters and the certificate of the peer; undefined without a certificate.
 *
 * @param isComplete the handshake is complete.
 */
export function tlsPeerOf(
  socket: TLSSocket,
  domain: string,
  settings: TlsSettings,
  isComplete: boolean,
): TlsPeer | undefined {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const fault = isComplete
    ? verificationError(socket, certificate, domain, settings)
    : 'the handshake was not completed';
  const chain = [...chainOf(certificate)].map(chainLink);
  return {
    version: isComplete ? versionOf(socket) : '',
    cipher: isComplete ? socket.getCipher().standardName : '',
    subject: distinguishedName(certificate.subject),
    issuer: distinguishedName(certificate.issuer),
    subjectAlternative: shortened(certificate.subjectAltName ?? ''),
    serialNumber: certificate.serialNumber.toLowerCase(),
    fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
    notBeforeMs: Date.parse(certificate.validFrom),
    notAfterMs: Date.parse(certificate.validTo),
    chainNotAfterMs: Math.min(...chain.map((at) => at.notAfterMs)),
    chain,
    isVerified: fault === '',
    fault,
  };
}

/** As blackbox_exporter writes it: `TLS 1.0`, `TLS 1.3`. */
function versionOf(socket: TLSSocket): string {
  const version = (socket.getProtocol() ?? '').replace(/^TLSv/, 'TLS ');
  return version === 'TLS 1' ? 'TLS 1.0' : version;
}

/** The certificate and the chain that the peer sent with it. */
function* chainOf(leaf: X509Certificate): Generator<X509Certificate> {
  let at: X509Certificate | undefined = leaf;
  for (let depth = 0; at !== undefined && depth < MAX_CHAIN_LENGTH; depth++) {
    yield at;
    at = at.issuerCertificate;
  }
}

function chainLink({ subject, validTo }: X509Certificate): ChainLink {
  return { subject: distinguishedName(subject), notAfterMs: Date.parse(validTo) };
}

/** Real chains are shorter; a peer may send any number of certificates. */
const MAX_CHAIN_LENGTH = 16;

/** Verification errors by OpenSSL's code. */
const VERIFY_ERRORS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'the certificate, or one of its chain, has expired',
  CERT_NOT_YET_VALID: 'the certificate is not yet valid',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'the certificate is self-signed and not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'the root of the chain is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'the chain is incomplete, or its root is unknown',
  UNABLE_TO_GET_ISSUER_CERT: 'the chain is incomplete, or its root is unknown',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'the chain is incomplete, or its root is unknown',
  CERT_REVOKED: 'the certificate is revoked',
  INVALID_PURPOSE: 'the certificate is not for servers',
  CERT_SIGNATURE_FAILURE: 'a signature in the certificate chain is invalid',
  UNABLE_TO_DECRYPT_CERT_SIGNATURE: 'a signature in the certificate chain is invalid',
  UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: 'a key in the certificate chain cannot be read',
  CERT_CHAIN_TOO_LONG: 'the certificate chain is too long',
  PATH_LENGTH_EXCEEDED: 'the certificate chain is longer than one of its authorities allows',
  INVALID_CA: 'a certificate in the chain is not an authority',
  CERT_UNTRUSTED: 'the root of the chain is not trusted',
  CERT_REJECTED: 'the root of the chain rejects such certificates',
};

const ALLOW_WEAK = 'tls_config.ciphers with @SECLEVEL=0 allows it';
/** Shorter RSA and DSA keys give less than 112 bits of security (NIST SP 800-57). */
const MIN_KEY_BITS = 2048;
/** The DER of the object identifiers of signatures with MD5 and SHA-1 (RFC 3279 2.2). */
const WEAK_SIGNATURES: readonly (readonly [hash: string, der: string])[] = [
  ['MD5', '06092a864886f70d010104'],
  ['SHA-1', '06092a864886f70d010105'],
  ['SHA-1', '06072a8648ce3d0401'],
  ['SHA-1', '06072a8648ce380403'],
];

/** Which key or signature of the chain is weak; undefined when none is. */
function weaknessOf(leaf: X509Certificate): string | undefined {
  for (const certificate of chainOf(leaf)) {
    const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength ?? MIN_KEY_BITS;
    if (bits < MIN_KEY_BITS) return `has a key of ${bits} bits, too short`;
    const isRoot = certificate.checkIssued(certificate);
    const [hash] = WEAK_SIGNATURES.find(([, der]) => certificate.raw.includes(der, 'hex')) ?? [];
    if (hash !== undefined && !isRoot) return `is signed with ${hash}, too weak`;
  }
  return undefined;
}

function unknownError(certificate: X509Certificate, code: string): string {
  const weakness = weaknessOf(certificate);
  if (weakness === undefined) {
    return `the certificate is rejected: ${code}`;
  }
  return `the certificate, or one of its chain, ${weakness}; ${ALLOW_WEAK}`;
}

function verificationError(
  socket: TLSSocket,
  certificate: X509Certificate,
  domain: string,
  settings: TlsSettings,
): string {
  // Typed as an Error, but it is the code of one.
  const code = socket.authorizationError as unknown;
  if (!socket.authorized && code !== undefined && code !== null) {
    return VERIFY_ERRORS[String(code)] ?? unknownError(certificate, String(code));
  }
  const name = settings.serverName || domain;
  if (isFor(certificate, name, settings.strictRfc5922)) return '';
  const names = certificate.subjectAltName ?? distinguishedName(certificate.subject);
  return `the certificate is for ${shortened(names)}, not for ${name}`;
}

/**
 * Whether the certificate is for this host (RFC 5922 7.1 and 7.2): the host is one of its SIP URIs or DNS
 * names, or its common name if it has no alternative names. With `isStrict`, wildcards do not match, and
 * DNS names match only if there is no SIP URI. An IP address must be listed as one.
 */
export function isFor(certificate: X509Certificate, host: string, isStrict: boolean): boolean {
  // Contrary to its types, Node.js returns null for alternative names that it cannot read.
  const names: string | null | undefined = certificate.subjectAltName;
  const uris = typeof names === 'string' ? sipDomains(names) : [];
  if (uris.includes(host)) return true;
  if (isStrict && uris.length > 0) return false;
  if (addressFamily(host) !== undefined) return isNamed(() => certificate.checkIP(host));
  return isNamed(() =>
    certificate.checkHost(host, {
      subject: names === undefined ? 'always' : 'never',
      wildcards: !isStrict,
      partialWildcards: false,
    }),
  );
}

/** Also false where OpenSSL cannot read the names, for which Node.js throws. */
function isNamed(check: () => string | undefined): boolean {
  try {
    return check() !== undefined;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === OPERATION_FAILED) return false;
    throw error;
  }
}

const OPERATION_FAILED = 'ERR_CRYPTO_OPERATION_FAILED';

/** The domains of the SIP URIs in `DNS:a, URI:sip:b`, as Node.js writes names. */
function sipDomains(names: string): string[] {
  return [...names.matchAll(/(?:^|, )URI:("(?:[^"\\]|\\.)*"|[^,]*)/g)].flatMap(([, value = '']) => {
    try {
      const text: unknown = value.startsWith('"') ? JSON.parse(value) : value;
      const uri = parseUri(String(text));
      return /^sip:/i.test(String(text)) && uri.user === '' ? [uri.host] : [];
    } catch (error) {
      if (error instanceof UriError || error instanceof SyntaxError) return [];
      throw error;
    }
  });
}

/**
 * RFC 4514 2.1 has the most specific part first; Node.js has one line per part, the most specific last.
 *
 * @param lines undefined for an empty name, contrary to the types of Node.js.
 */
function distinguishedName(lines: string | undefined): string {
  return shortened((lines ?? '').split('\n').reverse().join(','));
}

const MAX_TEXT_LENGTH = 512;

function shortened(text: string): string {
  return printable(text, MAX_TEXT_LENGTH);
}
