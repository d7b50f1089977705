/** Settings of pings, as they are laid over one another: top level, module, destination. */

import { show } from '../platform/values.js';
import {
  type Credentials,
  type PingSettings,
  TLS_VERSIONS,
  type TlsSettings,
} from '../shared/destination.js';
import { pingableUri, UriError } from '../shared/uri.js';
import { Expected } from './expected.js';
import { FORMATS } from './formats.js';
import { PING_SETTINGS } from './ping-schema.js';

type Key = keyof typeof PING_SETTINGS;

/** The settings that one level gives, in the form in which they are used. */
export type PingGiven = {
  readonly [K in Key]?: ReturnType<(typeof FORMATS)[(typeof PING_SETTINGS)[K]['format']]>;
};

/** Collects what is wrong, each with its path. */
export type Report = (path: string, fault: string) => void;

const DEFAULT_TIMEOUT_MS = 5000;

/** The keys of settings of pings, for suggestions. */
export const PING_KEYS: readonly string[] = Object.keys(PING_SETTINGS);

export function isPingKey(key: string): key is Key {
  return Object.hasOwn(PING_SETTINGS, key);
}

/**
 * The entries of a module or a destination: `{auth: {username: x}}` as `auth.username` and x, a
 * mapping of headers as the pairs of it.
 */
export function entriesOf(
  given: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): [string, unknown][] {
  return Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    // A dot is a level; a name that has one is none, here as at the top level.
    if (key.includes('.')) {
      report(`${path}${key}`, `expected a setting of pings, got ${show(key)}`);
      return [];
    }
    if (value === null) return GROUPS.has(key) ? [] : [[key, value]];
    if (typeof value !== 'object' || Array.isArray(value)) return [[key, value]];
    if (key === 'headers') {
      return [[key, Object.entries(value).filter(([, inner]) => inner !== null)]];
    }
    if (!GROUPS.has(key)) return [[key, value]];
    return Object.entries(value).map(([name, inner]) => [`${key}.${name}`, inner]);
  });
}

const GROUPS = new Set(
  Object.keys(PING_SETTINGS).flatMap((key) => (key.includes('.') ? [key.split('.')[0]] : [])),
);

/**
 * Reads the settings of pings among the entries of a mapping; others are left alone. A key with
 * nothing behind it is as good as none.
 */
export function readPing(
  entries: readonly (readonly [key: string, given: unknown])[],
  path: string,
  report: Report,
): PingGiven {
  const read: Record<string, unknown> = {};
  for (const [key, given] of entries) {
    if (!isPingKey(key) || given === null) continue;
    try {
      read[key] = FORMATS[PING_SETTINGS[key].format](given);
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      report(`${path}${key}`, error.message);
    }
  }
  return read;
}

/** What the levels come to; a later level goes before an earlier one. */
export function pingSettings(
  levels: readonly PingGiven[],
  version: string,
  path: string,
  report: Report,
): PingSettings {
  const given: PingGiven = Object.assign({}, ...levels);
  const intervalMs = given.ping_interval ?? PING_SETTINGS.ping_interval.default * 1000;
  const timeoutMs = given.ping_timeout ?? Math.min(DEFAULT_TIMEOUT_MS, 0.9 * intervalMs);
  if (timeoutMs >= intervalMs) {
    const wanted = `less than ping_interval (${intervalMs / 1000} s)`;
    report(`${path}ping_timeout`, `expected ${wanted}, got ${timeoutMs / 1000} s`);
  }
  return {
    intervalMs,
    timeoutMs,
    rise: given.rise ?? PING_SETTINGS.rise.default,
    fall: given.fall ?? PING_SETTINGS.fall.default,
    deleteCounter: given.delete_counter ?? PING_SETTINGS.delete_counter.default,
    maxBackoffMs: given.max_backoff ?? PING_SETTINGS.max_backoff.default * 1000,
    aliveCodes: given.alive_codes ?? PING_SETTINGS.alive_codes.default,
    method: given.method ?? PING_SETTINGS.method.default,
    identity: {
      pingFrom: given.ping_from ?? '',
      user: given.user ?? '',
      to: given.to ?? '',
      contact: given.contact ?? '',
      viaHost: given.via_host ?? '',
      userAgent: given.user_agent || `sip-keepalive-exporter/${version}`,
      route: route(given, path, report),
      headers: given.headers ?? [],
    },
    auth: credentials(given, path, report),
    transport: given.transport ?? PING_SETTINGS.transport.default,
    connection: given.connection ?? PING_SETTINGS.connection.default,
    wsPath: given.ws_path ?? PING_SETTINGS.ws_path.default,
    wsOrigin: given.ws_origin ?? PING_SETTINGS.ws_origin.default,
    maxForwards: given.max_forwards ?? PING_SETTINGS.max_forwards.default,
    tls: tlsSettings(given, path, report),
    sourceAddress: given.source_address ?? '',
    sourcePort: given.source_port ?? PING_SETTINGS.source_port.default,
    dscp: given.dscp ?? PING_SETTINGS.dscp.default,
    ipProtocol: given.ip_protocol ?? PING_SETTINGS.ip_protocol.default,
    resolve: given.resolve ?? PING_SETTINGS.resolve.default,
    aliveWhen: given.alive_when ?? PING_SETTINGS.alive_when.default,
    maxTargets: given.max_targets ?? PING_SETTINGS.max_targets.default,
  };
}

/** Read only now: which port is the default one depends on the wire. */
function route({ route = '', transport }: PingGiven, path: string, report: Report): string {
  if (route === '') return '';
  try {
    return pingableUri(route, transport ?? PING_SETTINGS.transport.default);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    report(`${path}route`, error.message);
    return '';
  }
}

function credentials(given: PingGiven, path: string, report: Report): Credentials | undefined {
  const username = given['auth.username'] ?? '';
  const password = given['auth.password'] ?? '';
  const passwordFile = given['auth.password_file'] ?? '';
  if (username === '' && password === '' && passwordFile === '') return undefined;
  if (username === '') {
    report(`${path}auth.username`, 'expected a user name beside the password, got none');
  }
  if ((password === '') === (passwordFile === '')) {
    const got = password === '' ? 'neither' : 'both';
    report(`${path}auth`, `expected either password or password_file, got ${got}`);
  }
  return { username, password, passwordFile };
}

/** The TLS settings among those that are given; what contradicts itself is reported. */
export function tlsSettings(given: PingGiven, path: string, report: Report): TlsSettings {
  const tls: TlsSettings = {
    caFile: given['tls_config.ca_file'] ?? '',
    certFile: given['tls_config.cert_file'] ?? '',
    keyFile: given['tls_config.key_file'] ?? '',
    keyPassphraseFile: given['tls_config.key_passphrase_file'] ?? '',
    serverName: given['tls_config.server_name'] ?? '',
    minVersion: given['tls_config.min_version'] ?? PING_SETTINGS['tls_config.min_version'].default,
    maxVersion: given['tls_config.max_version'] ?? PING_SETTINGS['tls_config.max_version'].default,
    ciphers: given['tls_config.ciphers'] ?? '',
    legacyRenegotiation: given['tls_config.legacy_renegotiation'] ?? false,
    insecureSkipVerify: given['tls_config.insecure_skip_verify'] ?? false,
    strictRfc5922: given['tls_config.strict_rfc5922'] ?? false,
  };
  const lacks = (key: string, wanted: string) =>
    report(`${path}tls_config.${key}`, `expected ${wanted}, got none`);
  if (tls.certFile !== '' && tls.keyFile === '') lacks('key_file', 'the key of cert_file');
  if (tls.keyFile !== '' && tls.certFile === '') lacks('cert_file', 'the certificate of key_file');
  if (tls.keyPassphraseFile !== '' && tls.keyFile === '') {
    lacks('key_file', 'the key of key_passphrase_file');
  }
  if (TLS_VERSIONS.indexOf(tls.minVersion) > TLS_VERSIONS.indexOf(tls.maxVersion)) {
    const wanted = `at most max_version (${tls.maxVersion})`;
    report(`${path}tls_config.min_version`, `expected ${wanted}, got ${show(tls.minVersion)}`);
  }
  return tls;
}
