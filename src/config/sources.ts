/** Reads the sections `discovery` and `webhooks` of the configuration. */

import { resolve } from 'node:path';
import { isMapping, kindOf } from '../platform/values.js';
import type { TlsSettings } from '../shared/destination.js';
import { resolveFiles } from './config-file.js';
import type { Format } from './expected.js';
import { itemsOf, type Read, readFields } from './fields.js';
import { FORMATS } from './formats.js';
import { readLabels } from './labels.js';
import type { Modules } from './modules.js';
import { entriesOf, isPingKey, PING_KEYS, readPing, tlsSettings } from './ping-settings.js';
import { type Report, unknownKey, unknownModule } from './problems.js';
import {
  type BasicAuth,
  EVENTS,
  type HttpSettings,
  SOURCE_KINDS,
  type SourceKind,
  type SourceSettings,
  type WebhookSettings,
} from './source-settings.js';

/** Default intervals between two reads of a source. */
const FILE_REFRESH_MS = 5_000;
const HTTP_REFRESH_MS = 60_000;
const HTTP_TIMEOUT_MS = 10_000;

/** Files of sources that flags name, by kind. */
export type FlaggedSources = Readonly<Partial<Record<SourceKind, readonly string[]>>>;

const anything: Format<unknown> = (given) => given;

const COMMON = {
  owner: FORMATS.owner,
  refresh_interval: FORMATS.interval,
  module: FORMATS.string,
  labels: anything,
} as const;
const HTTP = {
  url: FORMATS.url,
  timeout: FORMATS.interval,
  basic_auth: anything,
  tls_config: anything,
} as const;
const FIELDS = {
  file_sd: { ...COMMON, files: FORMATS.stringList },
  http_sd: { ...COMMON, ...HTTP, follow_redirects: FORMATS.boolean },
  dispatcher_list: { ...COMMON, file: FORMATS.string },
  kamailio_cfg: { ...COMMON, file: FORMATS.string },
} as const;
const WEBHOOK = {
  ...HTTP,
  name: FORMATS.owner,
  events: FORMATS.events,
  secret_file: FORMATS.string,
};

const FLAGS = {
  file_sd: 'discovery.file-sd',
  dispatcher_list: 'discovery.dispatcher-list',
  kamailio_cfg: 'discovery.kamailio-cfg',
  http_sd: '',
} as const satisfies Readonly<Record<SourceKind, string>>;

/** What is needed to read a section. */
export interface SectionReading {
  /** Directory that relative file names refer to. */
  readonly directory: string;
  readonly modules: Modules;
  readonly report: Report;
}

/** Reads the sources of flags and of the section `discovery`, grouped by kind. */
export function readSources(
  given: unknown,
  flagged: FlaggedSources,
  reading: SectionReading,
): readonly SourceSettings[] {
  const { report } = reading;
  const kinds = isMapping(given) ? given : {};
  for (const key of Object.keys(kinds)) {
    const isKind = SOURCE_KINDS.some((kind) => kind === key);
    if (!isKind) report(`discovery.${key}`, unknownKey(key, SOURCE_KINDS));
  }
  const sources = SOURCE_KINDS.flatMap((kind) => [
    ...(flagged[kind] ?? []).map((file, index) => {
      const entry = kind === 'file_sd' ? { files: [file] } : { file };
      return readSource(kind, entry, `${FLAGS[kind]}[${index}]`, { ...reading, directory: '' });
    }),
    ...itemsOf(kinds[kind], `discovery.${kind}`, report).map(([item, path]) =>
      readSource(kind, item, path, reading),
    ),
  ]);
  return withUniqueNames(sources);
}

function readSource(
  kind: SourceKind,
  given: unknown,
  path: string,
  reading: SectionReading,
): SourceSettings {
  const { directory, report } = reading;
  switch (kind) {
    case 'http_sd': {
      const read = readFields(given, FIELDS[kind], path, report);
      const { follow_redirects: followRedirects = true } = read;
      const http = { ...readHttp(given, read, path, reading), followRedirects };
      const common = readCommon(read, kind, path, reading);
      return { ...common, kind, name: `${kind} ${withoutSecrets(http.url)}`, http };
    }
    case 'file_sd': {
      const read = readFields(given, FIELDS[kind], path, report);
      const files = (read.files ?? []).map((file) => resolve(directory, file));
      if (files.length === 0) report(`${path}.files`, 'expected file names, got none');
      const common = readCommon(read, kind, path, reading);
      return { ...common, kind, name: `${kind} ${files.join(' ')}`, files };
    }
    case 'dispatcher_list':
    case 'kamailio_cfg': {
      const read = readFields(given, FIELDS[kind], path, report);
      if (!read.file) report(`${path}.file`, 'expected a file name, got none');
      const file = resolve(directory, read.file ?? '');
      return { ...readCommon(read, kind, path, reading), kind, name: `${kind} ${file}`, file };
    }
    default:
      return kind satisfies never;
  }
}

/** Reads the settings that all kinds of sources have. */
function readCommon(
  read: Read<typeof COMMON>,
  kind: SourceKind,
  path: string,
  { modules, report }: SectionReading,
): Pick<SourceSettings, 'owner' | 'refreshMs' | 'module' | 'labels'> {
  const { owner = kind, module = '' } = read;
  if (module !== '' && !modules.has(module)) {
    report(`${path}.module`, unknownModule(module, modules.keys()));
  }
  const refreshMs =
    read.refresh_interval ?? (kind === 'http_sd' ? HTTP_REFRESH_MS : FILE_REFRESH_MS);
  return { owner, refreshMs, module, labels: readLabels(read.labels ?? {}, path, report) };
}

/** Reads the section `webhooks`. */
export function readWebhooks(given: unknown, reading: SectionReading): readonly WebhookSettings[] {
  const { directory, report } = reading;
  const webhooks = itemsOf(given, 'webhooks', report).map(([item, path]) => {
    const read = readFields(item, WEBHOOK, path, report);
    const http = readHttp(item, read, path, reading);
    return {
      name: read.name ?? hostOf(http.url),
      http,
      events: read.events ?? EVENTS,
      secretFile: read.secret_file ? resolve(directory, read.secret_file) : '',
    };
  });
  return withUniqueNames(webhooks);
}

function readHttp(
  given: unknown,
  read: Read<typeof HTTP>,
  path: string,
  { directory, report }: SectionReading,
): HttpSettings {
  const lacksUrl = isMapping(given) && (given['url'] ?? null) === null;
  if (lacksUrl) report(`${path}.url`, 'expected a URL, got none');
  return {
    url: read.url ?? '',
    timeoutMs: read.timeout ?? HTTP_TIMEOUT_MS,
    tls: readTls(read.tls_config ?? {}, `${path}.`, directory, report),
    basicAuth: readBasicAuth(read.basic_auth, `${path}.basic_auth`, directory, report),
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

/** A URL without the parts that may be secret. */
function withoutSecrets(url: string): string {
  if (url === '') return '';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

/** The host of a webhook, without the path, which is usually a secret. */
function hostOf(url: string): string {
  return url === '' ? '' : new URL(url).host;
}

/** Makes names unique by numbering the second and later items with the same name. */
function withUniqueNames<T extends { readonly name: string }>(list: readonly T[]): readonly T[] {
  const taken = new Set<string>();
  return list.map((item) => {
    let name = item.name;
    for (let count = 2; taken.has(name); count++) name = `${item.name} (${count})`;
    taken.add(name);
    return name === item.name ? item : { ...item, name };
  });
}
