/** Reads the settings of HTTP requests to one server. */

import { resolve } from 'node:path';
import type { Authorization, BasicAuth, HttpSettings } from '../platform/http.js';
import { isMapping, kindOf } from '../platform/values.js';
import type { TlsSettings } from '../shared/destination.js';
import { resolveFiles } from './config-file.js';
import { Expected, type Format } from './expected.js';
import { type Read, readFields } from './fields.js';
import { FORMATS } from './formats.js';
import { entriesOf, isPingKey, PING_KEYS, readPing, tlsSettings } from './ping-settings.js';
import { type Report, unknownKey } from './problems.js';

const HTTP_TIMEOUT_MS = 10_000;

const anything: Format<unknown> = (given) => given;

export const HTTP = {
  url: FORMATS.url,
  timeout: FORMATS.interval,
  basic_auth: anything,
  authorization: anything,
  tls_config: anything,
} as const;
/** @param directory that relative file names refer to. */
export function readHttp(
  given: unknown,
  read: Read<typeof HTTP>,
  path: string,
  { directory, report }: { readonly directory: string; readonly report: Report },
): HttpSettings {
  const lacksUrl = isMapping(given) && (given['url'] ?? null) === null;
  if (lacksUrl) report(`${path}.url`, 'expected a URL, got none');
  if (read.basic_auth != null && read.authorization != null) {
    report(path, 'expected either basic_auth or authorization, got both');
  }
  return {
    url: read.url ?? '',
    timeoutMs: read.timeout ?? HTTP_TIMEOUT_MS,
    tls: readTls(read.tls_config ?? {}, `${path}.`, directory, report),
    basicAuth: readBasicAuth(read.basic_auth, `${path}.basic_auth`, directory, report),
    authorization: readAuthorization(
      read.authorization,
      `${path}.authorization`,
      directory,
      report,
    ),
    followRedirects: false,
  };
}

function readTls(given: unknown, path: string, directory: string, report: Report): TlsSettings {
  if (!isMapping(given)) {
    report(`${path}tls_config`, `expected a mapping, got ${kindOf(given)}`);
    return tlsSettings({}, path, report);
  }
  const entries = entriesOf({ tls_config: resolveFiles(given, directory) }, path, report);
  for (const [key] of entries) {
    if (!isPingKey(key)) report(`${path}${key}`, unknownKey(key, PING_KEYS));
  }
  return tlsSettings(readPing(entries, path, report), path, report);
}

function readBasicAuth(
  given: unknown,
  path: string,
  directory: string,
  report: Report,
): BasicAuth | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = {
    username: FORMATS.credential,
    password: FORMATS.credential,
    password_file: FORMATS.string,
  };
  const {
    username = '',
    password = '',
    password_file = '',
  } = readFields(given, fields, path, report);
  if (username === '') report(`${path}.username`, 'expected a user name, got none');
  if ((password === '') === (password_file === '')) {
    const got = password === '' ? 'neither' : 'both';
    report(path, `expected either password or password_file, got ${got}`);
  }
  const passwordFile = password_file === '' ? '' : resolve(directory, password_file);
  return { username, password, passwordFile };
}

/** The format of Prometheus. */
function readAuthorization(
  given: unknown,
  path: string,
  directory: string,
  report: Report,
): Authorization | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = {
    type: authorizationType,
    credentials: FORMATS.credential,
    credentials_file: FORMATS.string,
  };
  const read = readFields(given, fields, path, report);
  const { type = 'Bearer', credentials = '', credentials_file = '' } = read;
  if ((credentials === '') === (credentials_file === '')) {
    const got = credentials === '' ? 'neither' : 'both';
    report(path, `expected either credentials or credentials_file, got ${got}`);
  }
  const credentialsFile = credentials_file === '' ? '' : resolve(directory, credentials_file);
  return { type, credentials, credentialsFile };
}

/** `auth-scheme` of RFC 9110 11.1. */
const authorizationType: Format<string> = (given) => {
  if (typeof given !== 'string' || !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(given)) {
    throw new Expected('a type such as Bearer', given);
  }
  if (given.toLowerCase() === 'basic') throw new Expected('basic_auth for the type Basic', given);
  return given;
};

/** A URL without the parts that may be secret. */
export function withoutSecrets(url: string): string {
  if (url === '') return '';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}
