/** The section `tls_server_config` of the file of `--web.config.file`. */

import { DEFAULT_CIPHERS, type SecureContextOptions, type SecureVersion } from 'node:tls';
import { TLS_VERSIONS } from '../../shared/destination.js';
import { certificatesIn, isKeyOf, SECURE_VERSIONS } from '../../shared/tls-options.js';
import {
  CLIENT_AUTH_TYPES,
  type ClientPolicy,
  isCertificateRequested,
} from './client-certificate.js';
import { CIPHER_SUITES, CURVES, TLS13_SUITES } from './tls-names.js';
import { WebConfigError } from './web-config-error.js';
import { Values } from './web-config-values.js';

const KEYS = [
  ...['cert', 'cert_file', 'key', 'key_file', 'client_ca', 'client_ca_file'],
  ...['client_auth_type', 'client_allowed_sans', 'min_version', 'max_version'],
  ...['cipher_suites', 'prefer_server_cipher_suites', 'curve_preferences'],
];

export interface ServerTls {
  readonly context: SecureContextOptions;
  readonly clients: ClientPolicy;
}

const VERSIONS: ReadonlyMap<string, SecureVersion> = new Map(
  TLS_VERSIONS.map((name) => [name, SECURE_VERSIONS[name]]),
);
const CLIENT_AUTH: ReadonlyMap<string, ClientPolicy['type']> = new Map([
  ...CLIENT_AUTH_TYPES.map((type) => [type, type] as const),
  ['', 'NoClientCert'],
  // The former name, which the exporters still accept.
  ['RequireClientCert', 'RequireAnyClientCert'],
]);

/**
 * Reads the section; undefined when nothing in it turns TLS on.
 *
 * @param read returns the content of a file. @throws WebConfigError
 */
export function readTlsConfig(
  given: unknown,
  path: string,
  read: (file: string) => string,
): ServerTls | undefined {
  const values = new Values(given, KEYS, path);
  const cert = pem(values, 'cert', read);
  const key = pem(values, 'key', read);
  const ca = pem(values, 'client_ca', read);
  const clients = readClients(values, ca);
  if (cert === '' && key === '' && ca === '' && !values.has('client_auth_type')) return undefined;
  for (const [name, text] of [
    ['cert', cert],
    ['key', key],
  ] as const) {
    if (text !== '') continue;
    throw new WebConfigError(`${path}.${name}_file: expected a file name, or ${name}, got neither`);
  }
  checkKey(cert, key, path);
  const minVersion = values.oneOf('min_version', VERSIONS, 'TLSv1.2');
  const maxVersion = values.oneOf('max_version', VERSIONS, 'TLSv1.3');
  const context = {
    ...{ cert, key, minVersion, maxVersion },
    ...readCiphers(values, minVersion === 'TLSv1' || minVersion === 'TLSv1.1'),
    ...(isCertificateRequested(clients) && ca !== '' ? { ca: authorities(ca, path) } : {}),
  };
  return { context, clients };
}

/** The PEM text of a key, or of the file that `KEY_file` names; empty without both. */
function pem(values: Values, key: string, read: (file: string) => string): string {
  const [inline, file] = [values.text(key), values.text(`${key}_file`)];
  if (inline !== '' && file !== '') {
    throw new WebConfigError(`${values.path}: expected ${key} or ${key}_file, got both`);
  }
  return file === '' ? inline : read(file);
}

function readClients(values: Values, ca: string): ClientPolicy {
  const type = values.oneOf('client_auth_type', CLIENT_AUTH, 'NoClientCert');
  if (ca !== '' && type === 'NoClientCert') {
    throw values.error('client_auth_type', 'another type, because client_ca is given', type);
  }
  const allowedSans = values.has('client_allowed_sans')
    ? values.list('client_allowed_sans')
    : undefined;
  if (allowedSans !== undefined && !type.startsWith('Require')) {
    const expected = 'RequireAndVerifyClientCert or RequireAnyClientCert for client_allowed_sans';
    throw values.error('client_auth_type', expected, type);
  }
  return { type, allowedSans };
}

function readCiphers(values: Values, isOld: boolean): SecureContextOptions {
  const suites = values.someOf('cipher_suites', CIPHER_SUITES);
  const curves = values.someOf('curve_preferences', CURVES);
  const list = [...new Set([...suites, ...(suites.length === 0 ? [] : TLS13_SUITES)])].join(':');
  const hasOldSuites = suites.length === 0 || suites.some((suite) => !suite.startsWith('TLS_'));
  // OpenSSL 3 allows TLS 1.0 and 1.1 only at its lowest security level, and no level without their ciphers.
  const ciphers = isOld && hasOldSuites ? `${list || DEFAULT_CIPHERS}:@SECLEVEL=0` : list;
  return {
    honorCipherOrder: values.flag('prefer_server_cipher_suites') ?? true,
    ...(ciphers === '' ? {} : { ciphers }),
    ...(curves.length === 0 ? {} : { ecdhCurve: curves.join(':') }),
  };
}

/** @throws WebConfigError when the key does not match the certificate. */
function checkKey(certificate: string, key: string, path: string): void {
  const expected = `${path}.key_file: expected the key of the certificate in cert_file`;
  try {
    if (isKeyOf(certificate, key)) return;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new WebConfigError(`${expected}, got ${why}`, { cause: error });
  }
  throw new WebConfigError(`${expected}, got another key`);
}

function authorities(pem: string, path: string): string[] {
  try {
    return certificatesIn(pem);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const message = `${path}.client_ca_file: expected certificates, got ${why}`;
    throw new WebConfigError(message, { cause: error });
  }
}
