/** Reads the sections `discovery` and `webhooks` of the configuration. */

import { resolve } from 'node:path';
import { isMapping } from '../platform/values.js';
import type { Format } from './expected.js';
import { itemsOf, type Read, readFields } from './fields.js';
import { FORMATS } from './formats.js';
import { HTTP, readHttp, withoutSecrets } from './http-settings.js';
import { KAMAILIO_RPC, readKamailioRpc } from './kamailio-rpc.js';
import { readLabels } from './labels.js';
import type { Modules } from './modules.js';
import {
  moduleFrom,
  moduleFromLabels,
  NAME_FROM_DUID,
  nameFrom,
  nameFromLabels,
  readModulesByLabel,
} from './origins.js';
import { type Report, unknownKey, unknownModule } from './problems.js';
import {
  type CommonSettings,
  EVENTS,
  SOURCE_KINDS,
  type SourceKind,
  type SourceSettings,
  type WebhookSettings,
} from './source-settings.js';

/** Default intervals between two reads of a source. */
const REFRESH_MS: Readonly<Record<SourceKind, number>> = {
  ...{ file_sd: 5_000, dispatcher_list: 5_000, kamailio_cfg: 5_000 },
  ...{ http_sd: 60_000, kamailio_rpc: 10_000 },
};

/** Files and URLs of sources that flags name, by kind. */
export type FlaggedSources = Readonly<Partial<Record<SourceKind, readonly string[]>>>;

const anything: Format<unknown> = (given) => given;

const COMMON = {
  owner: FORMATS.owner,
  refresh_interval: FORMATS.interval,
  module: FORMATS.string,
  labels: anything,
  modules: anything,
  name_from: nameFrom,
  module_from: moduleFrom,
} as const;
/** Target groups have no attributes. */
const OF_GROUPS = { ...COMMON, name_from: nameFromLabels, module_from: moduleFromLabels } as const;
const FIELDS = {
  file_sd: { ...OF_GROUPS, files: FORMATS.stringList },
  http_sd: { ...OF_GROUPS, ...HTTP, follow_redirects: FORMATS.boolean },
  dispatcher_list: { ...COMMON, file: FORMATS.string },
  kamailio_cfg: { ...COMMON, file: FORMATS.string },
  kamailio_rpc: { ...COMMON, ...KAMAILIO_RPC },
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
  kamailio_rpc: 'discovery.kamailio-rpc',
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
    ...(flagged[kind] ?? []).map((value, index) => {
      const entry = flaggedEntry(kind, value);
      return readSource(kind, entry, `${FLAGS[kind]}[${index}]`, { ...reading, directory: '' });
    }),
    ...itemsOf(kinds[kind], `discovery.${kind}`, report).map(([item, path]) =>
      readSource(kind, item, path, reading),
    ),
  ]);
  checkKamailios(sources, report);
  return withUniqueNames(sources);
}

function flaggedEntry(kind: SourceKind, value: string): Readonly<Record<string, unknown>> {
  if (kind === 'file_sd') return { files: [value] };
  return kind === 'kamailio_rpc' ? { url: value } : { file: value };
}

/** Requires unique names of the Kamailios. */
function checkKamailios(sources: readonly SourceSettings[], report: Report): void {
  const taken = new Set<string>();
  for (const source of sources) {
    if (source.kind !== 'kamailio_rpc') continue;
    const { kamailio } = source;
    const got = JSON.stringify(kamailio);
    if (taken.has(kamailio)) {
      report('discovery.kamailio_rpc', `expected a unique name as kamailio, got ${got} twice`);
    }
    taken.add(kamailio);
  }
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
    case 'kamailio_rpc': {
      const read = readFields(given, FIELDS[kind], path, report);
      const settings = readKamailioRpc(given, read, path, reading);
      const { kamailio } = settings;
      const common = readCommon({ owner: kamailio, ...read }, kind, path, reading);
      return { ...common, kind, name: `${kind} ${kamailio}`, ...settings };
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
  reading: SectionReading,
): Omit<CommonSettings, 'name'> {
  const { modules, report } = reading;
  const { owner = kind, module = '' } = read;
  if (module !== '' && !modules.has(module)) {
    report(`${path}.module`, unknownModule(module, modules.keys()));
  }
  const refreshMs = read.refresh_interval ?? REFRESH_MS[kind];
  return {
    ...{ owner, refreshMs, module },
    labels: readLabels(read.labels ?? {}, path, report),
    nameFrom: read.name_from ?? (hasGroups(kind) ? [] : NAME_FROM_DUID),
    moduleFrom: read.module_from,
    modules: readModulesByLabel(read.modules ?? {}, `${path}.modules`, reading),
  };
}

/** Whether the source has target groups of Prometheus; the others are of Kamailio. */
function hasGroups(kind: SourceKind): boolean {
  return kind === 'file_sd' || kind === 'http_sd';
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
