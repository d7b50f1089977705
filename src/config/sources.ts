/** `discovery` and `webhooks`, as the configuration has them. */

import { resolve } from 'node:path';
import { isMapping, show } from '../platform/values.js';
import { nearestOf } from '../shared/nearest.js';
import { readLabels } from './destinations.js';
import type { Format } from './expected.js';
import { itemsOf, type Read, readFields } from './fields.js';
import { FORMATS } from './formats.js';
import { entriesOf, type Report, readPing, tlsSettings } from './ping-settings.js';
import {
  type BasicAuth,
  EVENTS,
  type HttpSettings,
  SOURCE_KINDS,
  type SourceKind,
  type SourceSettings,
  type WebhookSettings,
} from './source-settings.js';

/** How often a source is looked at, unless it says otherwise. */
const FILE_REFRESH_MS = 5_000;
const HTTP_REFRESH_MS = 60_000;
const HTTP_TIMEOUT_MS = 10_000;

/** Sources that flags name, by their kind. */
export type FlaggedSources = Readonly<Partial<Record<SourceKind, readonly string[]>>>;

const anything: Format<unknown> = (given) => given;

const COMMON = {
  owner: FORMATS.owner,
  refresh_interval: FORMATS.interval,
  module: FORMATS.text,
  labels: anything,
} as const;
const HTTP = {
  url: FORMATS.url,
  timeout: FORMATS.interval,
  basic_auth: anything,
  tls_config: anything,
} as const;
const FIELDS = {
  file_sd: { ...COMMON, files: FORMATS.texts },
  http_sd: { ...COMMON, ...HTTP, follow_redirects: FORMATS.truth },
  dispatcher_list: { ...COMMON, file: FORMATS.text },
  kamailio_cfg: { ...COMMON, file: FORMATS.text },
} as const;
const WEBHOOK = { ...HTTP, name: FORMATS.owner, events: FORMATS.events, secret_file: FORMATS.text };

/** @param folder what names of files are relative to. */
export function readSources(
  given: unknown,
  flagged: FlaggedSources,
  folder: string,
  report: Report,
): readonly SourceSettings[] {
  const kinds = isMapping(given) ? given : {};
  for (const key of Object.keys(kinds)) {
    const isKind = SOURCE_KINDS.some((kind) => kind === key);
    if (isKind) continue;
    const wanted = `one of ${SOURCE_KINDS.join(', ')}${nearestOf(key, SOURCE_KINDS)}`;
    report(`discovery.${key}`, `expected ${wanted}, got ${show(key)}`);
  }
  const sources = SOURCE_KINDS.flatMap((kind) => [
    ...(flagged[kind] ?? []).map((file) =>
      readSource(kind, kind === 'file_sd' ? { files: [file] } : { file }, kind, '', report),
    ),
    ...itemsOf(kinds[kind], `discovery.${kind}`, report).map(([item, path]) =>
      readSource(kind, item, path, folder, report),
    ),
  ]);
  return withOwnNames(sources);
}

function readSource(
  kind: SourceKind,
  given: unknown,
  path: string,
  folder: string,
  report: Report,
): SourceSettings {
  const commonOf = (read: Read<typeof COMMON>) => ({
    owner: read.owner ?? kind,
    refreshMs: read.refresh_interval ?? (kind === 'http_sd' ? HTTP_REFRESH_MS : FILE_REFRESH_MS),
    module: read.module ?? '',
    labels: readLabels(read.labels ?? {}, path, report),
  });
  switch (kind) {
    case 'http_sd': {
      const read = readFields(given, FIELDS[kind], path, report);
      const { follow_redirects: followRedirects = true } = read;
      const http = { ...readHttp(read, path, folder, report), followRedirects };
      return { ...commonOf(read), kind, name: `${kind} ${bare(http.url)}`, http };
    }
    case 'file_sd': {
      const read = readFields(given, FIELDS[kind], path, report);
      const files = (read.files ?? []).map((file) => resolve(folder, file));
      if (files.length === 0) report(`${path}.files`, 'expected names of files, got none');
      return { ...commonOf(read), kind, name: `${kind} ${files.join(' ')}`, files };
    }
    case 'dispatcher_list':
    case 'kamailio_cfg': {
      const read = readFields(given, FIELDS[kind], path, report);
      if (!read.file) report(`${path}.file`, 'expected the name of a file, got none');
      const file = resolve(folder, read.file ?? '');
      return { ...commonOf(read), kind, name: `${kind} ${file}`, file };
    }
    default:
      return kind satisfies never;
  }
}

export function readWebhooks(
  given: unknown,
  folder: string,
  report: Report,
): readonly WebhookSettings[] {
  const webhooks = itemsOf(given, 'webhooks', report).map(([item, path]) => {
    const read = readFields(item, WEBHOOK, path, report);
    const http = readHttp(read, path, folder, report);
    return {
      name: read.name ?? hostOf(http.url),
      http,
      events: read.events ?? EVENTS,
      secretFile: read.secret_file ? resolve(folder, read.secret_file) : '',
    };
  });
  return withOwnNames(webhooks);
}

function readHttp(
  read: Read<typeof HTTP>,
  path: string,
  folder: string,
  report: Report,
): HttpSettings {
  if (read.url === undefined) report(`${path}.url`, 'expected a URL, got none');
  const tlsEntries = entriesOf({ tls_config: read.tls_config ?? {} }, `${path}.`, report);
  for (const [key, value] of tlsEntries) {
    if (key === 'tls_config') report(`${path}.${key}`, `expected a mapping, got ${show(value)}`);
  }
  const isFile = (key: string, value: unknown): value is string =>
    key.endsWith('_file') && typeof value === 'string' && value !== '';
  const tls = readPing(
    tlsEntries.map(([key, value]) => [key, isFile(key, value) ? resolve(folder, value) : value]),
    `${path}.`,
    report,
  );
  return {
    url: read.url ?? '',
    timeoutMs: read.timeout ?? HTTP_TIMEOUT_MS,
    tls: tlsSettings(tls, `${path}.`, report),
    basicAuth: readBasicAuth(read.basic_auth, `${path}.basic_auth`, folder, report),
    followRedirects: false,
  };
}

function readBasicAuth(
  given: unknown,
  path: string,
  folder: string,
  report: Report,
): BasicAuth | undefined {
  if (given === undefined || given === null) return undefined;
  const fields = {
    username: FORMATS.credential,
    password: FORMATS.credential,
    password_file: FORMATS.text,
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
  const passwordFile = password_file === '' ? '' : resolve(folder, password_file);
  return { username, password, passwordFile };
}

/** A URL without what may be secret in it. */
function bare(url: string): string {
  if (url === '') return '';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** Paths of webhooks are secrets as a rule. */
function hostOf(url: string): string {
  return url === '' ? '' : new URL(url).host;
}

/** Tells apart what has the same name. */
function withOwnNames<T extends { readonly name: string }>(list: readonly T[]): readonly T[] {
  const taken = new Set<string>();
  return list.map((item) => {
    let name = item.name;
    for (let count = 2; taken.has(name); count++) name = `${item.name} (${count})`;
    taken.add(name);
    return name === item.name ? item : { ...item, name };
  });
}
