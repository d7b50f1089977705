/** Reads ping settings and merges their levels: top level, module, destination. */

import { show } from '../platform/values.js';
import {
  type Credentials,
  type PingSettings,
  TLS_VERSIONS,
  type TlsSettings,
} from '../shared/destination.js';
import type { TransportChoice } from '../shared/outcome.js';
import { responseCodes } from '../shared/status-codes.js';
import { pingableUri, UriError } from '../shared/uri.js';
import { Expected } from './expected.js';
import { FORMATS } from './formats.js';
import { PING_SETTINGS } from './ping-schema.js';
import { type Report, unknownKey } from './problems.js';
import { objectOf, type Values } from './setting.js';

type PingValues = Values<typeof PING_SETTINGS>;

/** The ping settings of one level. */
export type PingGiven = Partial<PingValues>;

const DEFAULT_TIMEOUT_MS = 5000;

/** The keys of ping settings, for suggestions. */
export const PING_KEYS: readonly string[] = Object.keys(PING_SETTINGS);

const GROUPS = new Set(PING_KEYS.flatMap((key) => (key.includes('.') ? [key.split('.')[0]] : [])));

const DEFAULTS = Object.fromEntries(
  Object.entries(PING_SETTINGS).map(([key, setting]) => [
    key,
    FORMATS[setting.format](setting.default),
  ]),
) as PingValues;

export function isPingKey(key: string): key is keyof PingValues {
  return Object.hasOwn(PING_SETTINGS, key);
}

/**
 * The entries of a module or a destination by their paths: `{auth: {username: x}}` becomes `auth.username`
 * and x. A mapping of headers becomes pairs of name and value.
 */
export function entriesOf(
  given: Readonly<Record<string, unknown>>,
  path: string,
  report: Report,
): [string, unknown][] {
  return Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    // A dot separates levels, so a key cannot contain one.
    if (key.includes('.')) {
      report(`${path}${key}`, unknownKey(key, PING_KEYS));
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

/** Reads the ping settings among the entries of a mapping; a key without a value is skipped. */
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

/** Merges the levels; a later level overrides an earlier one. */
export function pingSettings(
  levels: readonly PingGiven[],
  version: string,
  path: string,
  report: Report,
): PingSettings {
  const given: PingValues = Object.assign({}, DEFAULTS, ...levels);
  const { timeoutMs: givenMs, identity, auth, ...rest } = objectOf(PING_SETTINGS, given);
  const intervals = intervalsOf(rest);
  checkCodes(rest, path, report);
  checkTls(rest.tls, path, report);
  return {
    ...rest,
    ...intervals,
    timeoutMs: timeoutMs(givenMs, intervals, path, report),
    identity: {
      ...identity,
      userAgent: identity.userAgent || `sip-keepalive-exporter/${version}`,
      route: route(identity.route, rest.transport, path, report),
    },
    auth: credentials(auth, path, report),
  };
}

interface Intervals {
  readonly intervalMs: number;
  readonly retryIntervalMs: number;
  readonly downIntervalMs: number;
}

/** The intervals in use. @param given with 0 for the same as `ping_interval`. */
function intervalsOf({ intervalMs, retryIntervalMs, downIntervalMs }: Intervals): Intervals {
  return {
    intervalMs,
    retryIntervalMs: Math.min(retryIntervalMs || intervalMs, intervalMs),
    downIntervalMs: downIntervalMs || intervalMs,
  };
}

/** The timeout, which must be less than each interval, so that a ping ends before the next is due. */
function timeoutMs(
  givenMs: number | undefined,
  { intervalMs, retryIntervalMs, downIntervalMs }: Intervals,
  path: string,
  report: Report,
): number {
  const shortestMs = Math.min(retryIntervalMs, downIntervalMs);
  const usedMs = givenMs ?? Math.min(DEFAULT_TIMEOUT_MS, 0.9 * shortestMs);
  if (usedMs >= shortestMs) {
    const other = shortestMs === retryIntervalMs ? 'retry_interval' : 'down_interval';
    const key = shortestMs === intervalMs ? 'ping_interval' : other;
    const expected = `less than ${key} (${shortestMs / 1000} s)`;
    report(`${path}ping_timeout`, `expected ${expected}, got ${usedMs / 1000} s`);
  }
  return usedMs;
}

/** The TLS settings of one level; contradictions are reported. */
export function tlsSettings(given: PingGiven, path: string, report: Report): TlsSettings {
  const { tls } = objectOf(PING_SETTINGS, { ...DEFAULTS, ...given });
  checkTls(tls, path, report);
  return tls;
}

/** Reads `route`, which is last because the transport determines its default port. */
function route(given: string, transport: TransportChoice, path: string, report: Report): string {
  if (given === '') return '';
  try {
    return pingableUri(given, transport);
  } catch (error) {
    if (!(error instanceof UriError)) throw error;
    report(`${path}route`, error.message);
    return '';
  }
}

function credentials(auth: Credentials, path: string, report: Report): Credentials | undefined {
  const { username, password, passwordFile } = auth;
  if (username === '' && password === '' && passwordFile === '') return undefined;
  if (username === '') {
    report(`${path}auth.username`, 'expected a user name for the password, got none');
  }
  if ((password === '') === (passwordFile === '')) {
    const got = password === '' ? 'neither' : 'both';
    report(`${path}auth`, `expected either password or password_file, got ${got}`);
  }
  return auth;
}

/** A code cannot count as alive and as draining. */
function checkCodes(
  settings: Pick<PingSettings, 'aliveCodes' | 'drainingCodes'>,
  path: string,
  report: Report,
): void {
  const { alive, draining } = responseCodes(settings);
  const both = [...draining].filter((code) => alive.has(code));
  if (both.length === 0) return;
  const expected = `codes that alive_codes (${settings.aliveCodes}) does not include`;
  report(`${path}draining_codes`, `expected ${expected}, got ${both[0]}`);
}

function checkTls(tls: TlsSettings, path: string, report: Report): void {
  const missing = (key: string, expected: string) =>
    report(`${path}tls_config.${key}`, `expected ${expected}, got none`);
  if (tls.certFile !== '' && tls.keyFile === '') missing('key_file', 'the key of cert_file');
  if (tls.keyFile !== '' && tls.certFile === '') {
    missing('cert_file', 'the certificate of key_file');
  }
  if (tls.keyPassphraseFile !== '' && tls.keyFile === '') {
    missing('key_file', 'the key of key_passphrase_file');
  }
  if (TLS_VERSIONS.indexOf(tls.minVersion) > TLS_VERSIONS.indexOf(tls.maxVersion)) {
    const expected = `at most max_version (${tls.maxVersion})`;
    report(`${path}tls_config.min_version`, `expected ${expected}, got ${show(tls.minVersion)}`);
  }
}
