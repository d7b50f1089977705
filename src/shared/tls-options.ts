/** Converts TLS settings to options of Node.js, for SIP and HTTP. */

import { constants, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { DEFAULT_CIPHERS, type SecureContextOptions, type SecureVersion } from 'node:tls';
import type { TlsSettings, TlsVersion } from './destination.js';
import { secretIn } from './secret-file.js';

/** TLS versions by the names of Node.js. */
export const SECURE_VERSIONS: Readonly<Record<TlsVersion, SecureVersion>> = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
};

const CERTIFICATE =
  /-----BEGIN (?:TRUSTED )?CERTIFICATE-----.*?-----END (?:TRUSTED )?CERTIFICATE-----/gs;

/**
 * The certificates in a PEM text. Node.js accepts one without certificates, and then trusts no peer.
 *
 * @throws Error without a certificate, or with an invalid one.
 */
export function certificatesIn(text: string): string[] {
  const certificates = text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) throw new Error('no certificate');
  for (const certificate of certificates) new X509Certificate(certificate);
  return certificates;
}

/** @throws Error that names the file. */
function authoritiesIn(path: string, text: TextOf): string[] {
  const pem = text(path);
  try {
    return certificatesIn(pem);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${path}: ${why}`, { cause: error });
  }
}

/**
 * Checks that the key matches the certificate. Node.js accepts a key of another type, and then uses neither.
 *
 * @throws Error when it does not match.
 */
function checkKey({ certFile, keyFile, keyPassphraseFile }: TlsSettings, text: TextOf): void {
  if (certFile === '' || keyFile === '') return;
  const passphrase = keyPassphraseFile === '' ? undefined : secretIn(text(keyPassphraseFile));
  if (isKeyOf(text(certFile), text(keyFile), passphrase)) return;
  throw new Error(`${keyFile} is not the key of the certificate in ${certFile}`);
}

/**
 * Whether the private key matches the first certificate; both are PEM.
 *
 * @throws Error when one of them cannot be read.
 */
export function isKeyOf(certificate: string, key: string, passphrase?: string): boolean {
  return new X509Certificate(certificate).checkPrivateKey(readKey(key, passphrase));
}

/** @throws Error when the PEM text is not a private key, or not with this passphrase. */
export function readKey(key: string, passphrase?: string): KeyObject {
  return createPrivateKey(passphrase === undefined ? { key } : { key, passphrase });
}

/** Returns the contents of the file with this path. */
type TextOf = (path: string) => string;

/**
 * @param text returns the contents of a file.
 * @throws Error when a file is invalid.
 */
export function secureContextOptions(settings: TlsSettings, text: TextOf): SecureContextOptions {
  const { caFile, certFile, keyFile, keyPassphraseFile, minVersion, maxVersion } = settings;
  const { ciphers, legacyRenegotiation } = settings;
  checkKey(settings, text);
  const isOld = minVersion === 'TLS10' || minVersion === 'TLS11';
  return {
    minVersion: SECURE_VERSIONS[minVersion],
    maxVersion: SECURE_VERSIONS[maxVersion],
    // OpenSSL 3 allows TLS 1.0 and 1.1 only at its lowest security level.
    ...(isOld ? { ciphers: `${ciphers || DEFAULT_CIPHERS}:@SECLEVEL=0` } : {}),
    ...(ciphers !== '' && !isOld ? { ciphers } : {}),
    ...(legacyRenegotiation ? { secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT } : {}),
    ...(caFile === '' ? {} : { ca: authoritiesIn(caFile, text) }),
    ...(certFile === '' ? {} : { cert: text(certFile) }),
    ...(keyFile === '' ? {} : { key: text(keyFile) }),
    ...(keyPassphraseFile === '' ? {} : { passphrase: secretIn(text(keyPassphraseFile)) }),
  };
}
