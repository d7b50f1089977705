/** From flags, environment and file to one frozen {@link Config}. */

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import convict from 'convict';
import { isMapping, show } from '../platform/values.js';
import { parseYaml, YamlError } from '../platform/yaml.js';
import type { Destination, PingSettings } from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import { nearestOf } from '../shared/nearest.js';
import type { DnsSettings } from '../shared/resolution.js';
import { decodeUtf8 } from '../shared/text.js';
import { DEFAULT_MODULE, readDestinations, readEntry, readModules } from './destinations.js';
import { Expected } from './expected.js';
import { type Flags, readEnvironment } from './flags.js';
import { ConfigError, FORMATS, type FormatName } from './formats.js';
import { PING_SETTINGS } from './ping-schema.js';
import { type Report, readPing } from './ping-settings.js';
import { byLevels, SCHEMA, SETTINGS, STRUCTURES, settings } from './schema.js';
import type { SourceSettings, WebhookSettings } from './source-settings.js';
import { readSources, readWebhooks } from './sources.js';

export interface Config {
  /** Where it was read from; empty when there is no file. */
  readonly file: string;
  /** Only to be checked, not to be run. */
  readonly isCheck: boolean;
  /** How often to look whether the file has changed; undefined for never. */
  readonly autoReloadMs: number | undefined;
  /** Empty for none. */
  readonly stateDir: string;
  /** The part of the destinations that is ours: `ordinal` of `total`, counted from 0. */
  readonly shard: { readonly ordinal: number; readonly total: number };
  readonly isAdminEnabled: boolean;
  readonly webListenAddress: Value<'listen_address'>;
  /** The URL by which users reach us; empty when it is not set. */
  readonly webExternalUrl: string;
  /** Empty when there is none. */
  readonly webConfigFile: string;
  readonly logLevel: Value<'log_level'>;
  readonly logFormat: Value<'log_format'>;
  readonly dns: DnsSettings;
  readonly isProbeEnabled: boolean;
  /** Empty when anything may be probed. */
  readonly probeAllow: readonly string[];
  readonly modules: Readonly<Record<string, PingSettings>>;
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly webhooks: readonly WebhookSettings[];
  /** A destination from elsewhere, in the words of `destinations`. Throws ConfigError. */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
}

type Value<Name extends FormatName> = ReturnType<(typeof FORMATS)[Name]>;

export interface ConfigSources {
  readonly flags: Flags;
  readonly env: NodeJS.ProcessEnv;
  /** Stands in the place of the file. */
  readonly content?: Readonly<Record<string, unknown>>;
  /** Of this program. */
  readonly version: string;
}

/** Faults that are reported at a time: aliases of YAML can multiply one of them by a million. */
const MAX_FAULTS = 100;

/**
 * Reads the configuration: defaults, then the file, then the environment, then flags.
 *
 * @throws ConfigError with the faults that were found, a line each, up to a hundred.
 */
export function readConfig({ flags, env, version, content }: ConfigSources): Config {
  const faults: string[] = [];
  const report: Report = (path, fault) => {
    faults.push(`${path}: ${fault}`);
    if (faults.length < MAX_FAULTS) return;
    throw new ConfigError([...faults, 'and perhaps more; the first ones are shown'].join('\n'));
  };
  const environment = readEnvironment(env);
  const configFile = String(flags.given['config.file'] ?? environment['config.file'] ?? '');
  const file =
    configFile === ''
      ? (content ?? {})
      : mapping(resolvePaths(readFile(configFile), dirname(configFile)));
  const {
    destinations: listed,
    modules: named,
    discovery,
    webhooks,
    ...single
  } = wellShaped(file, SCHEMA, '', report);
  const loaded = load([single, byLevels(environment), byLevels(flags.given)], report);
  const top = readPing(
    Object.keys(PING_SETTINGS).map((key) => [key, loaded.get(key)]),
    '',
    report,
  );
  const modules = readModules(mapping(named), top, version, report);
  const destinations = readDestinations(FORMATS.texts(loaded.get('destination')), list(listed), {
    modules,
    version,
    report,
  });
  if (destinations.length > LEDGER_CAPACITY) {
    report('destinations', `expected at most ${LEDGER_CAPACITY}, got ${destinations.length}`);
  }
  const dns: DnsSettings = {
    servers: FORMATS.dns_servers(loaded.get('dns.servers')),
    resolvConf: FORMATS.text(loaded.get('dns.resolv_conf')),
    search: FORMATS.domains(loaded.get('dns.search')),
    timeoutMs: FORMATS.timeout(loaded.get('dns.timeout')) ?? 2_000,
    minTtlMs: FORMATS.ttl(loaded.get('dns.min_ttl')),
    maxTtlMs: FORMATS.ttl(loaded.get('dns.max_ttl')),
    hostsFile: FORMATS.text(loaded.get('dns.hosts_file')),
  };
  if (dns.minTtlMs > dns.maxTtlMs) {
    const wanted = `at most dns.max_ttl (${dns.maxTtlMs / 1000} s)`;
    report('dns.min_ttl', `expected ${wanted}, got ${dns.minTtlMs / 1000} s`);
  }
  const folder = configFile === '' ? '' : dirname(configFile);
  const flagged = {
    kamailio_cfg: FORMATS.texts(loaded.get('discovery.kamailio-cfg')),
    dispatcher_list: FORMATS.texts(loaded.get('discovery.dispatcher-list')),
    file_sd: FORMATS.texts(loaded.get('discovery.file-sd')),
  };
  const sources = readSources(discovery, flagged, folder, report);
  for (const { name, module } of sources) {
    if (module === '' || modules.has(module)) continue;
    const wanted = `one of the modules ${[...modules.keys()].join(', ')}`;
    report(`discovery: ${name}: module`, `expected ${wanted}, got ${show(module)}`);
  }
  const webhookList = readWebhooks(webhooks, folder, report);
  const shard = FORMATS.shard(loaded.get('shard'));
  const totalShards = FORMATS.shard_count(loaded.get('total-shards'));
  if (shard >= totalShards)
    report('shard', `expected less than total-shards (${totalShards}), got ${shard}`);
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return deepFreeze({
    file: configFile,
    isCheck: FORMATS.truth(loaded.get('config.check')),
    autoReloadMs: FORMATS.lull(loaded.get('config.auto-reload-interval')),
    stateDir: FORMATS.text(loaded.get('state_dir')),
    shard: { ordinal: shard, total: totalShards },
    isAdminEnabled: FORMATS.truth(loaded.get('web.enable-admin-api')),
    webListenAddress: FORMATS.listen_address(loaded.get('web.listen-address')),
    webExternalUrl: FORMATS.external_url(loaded.get('web.external-url')),
    webConfigFile: FORMATS.text(loaded.get('web.config.file')),
    logLevel: FORMATS.log_level(loaded.get('log.level')),
    logFormat: FORMATS.log_format(loaded.get('log.format')),
    dns,
    isProbeEnabled: FORMATS.truth(loaded.get('probe.enabled')),
    probeAllow: FORMATS.allow_list(loaded.get('probe.allow')),
    modules: Object.fromEntries(
      [...modules]
        .filter(([name]) => name === DEFAULT_MODULE || Object.hasOwn(mapping(named), name))
        .map(([name, module]) => [name, module.settings]),
    ),
    destinations,
    sources,
    webhooks: webhookList,
    readEntry: (entry) => readEntry(entry, modules, version),
  });
}

function readFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = decodeUtf8(readFileSync(path));
  } catch (error) {
    throw new ConfigError(`${path}: expected a readable file, got ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    const content: unknown =
      path.endsWith('.json') && text.trim() !== '' ? JSON.parse(text) : parseYaml(text);
    if (content === null || content === undefined) return {};
    if (isMapping(content)) return content;
    throw new Expected('a mapping of settings', content);
  } catch (error) {
    throw new ConfigError(`${path}${placeOf(error)}: ${faultOf(error)}`, { cause: error });
  }
}

/** `:line` where the error knows it; never the line itself, which may hold a password. */
function placeOf(error: unknown): string {
  return error instanceof YamlError && error.line !== undefined ? `:${error.line}` : '';
}

/** Others than these quote the text, which may hold a password. */
function faultOf(error: unknown): string {
  const isHarmless = error instanceof Expected || error instanceof YamlError;
  return isHarmless ? error.message : 'expected YAML or JSON, got what is neither';
}

/**
 * Names of files in a file are relative to it, those of the pings' settings at whatever level.
 *
 * @param done what aliases of YAML may lead to again, and in circles.
 */
function resolvePaths(
  given: unknown,
  folder: string,
  done: Map<unknown, unknown> = new Map(),
): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const known = done.get(given);
  if (known !== undefined) return known;
  if (Array.isArray(given)) {
    const items: unknown[] = [];
    done.set(given, items);
    items.push(...given.map((item) => resolvePaths(item, folder, done)));
    return items;
  }
  const resolved: Record<string, unknown> = {};
  done.set(given, resolved);
  for (const [key, value] of Object.entries(given)) {
    const isGroup = (key === 'tls_config' || key === 'auth') && isMapping(value);
    const inner = isGroup ? resolveFiles(value, folder) : resolvePaths(value, folder, done);
    // By definition, not by assignment: a key may be __proto__.
    Object.defineProperty(resolved, key, { value: inner, enumerable: true });
  }
  return resolved;
}

function resolveFiles(group: Record<string, unknown>, folder: string): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(group).map(([key, value]) =>
      key.endsWith('_file') && typeof value === 'string' && value !== ''
        ? [key, resolve(folder, value)]
        : [key, value],
    ),
  );
}

/**
 * What of the file fits the schema; keys that do not exist and values of a wrong shape are reported.
 * A key with nothing behind it (`modules:`) is as good as none.
 */
function wellShaped(
  given: Record<string, unknown>,
  node: object,
  prefix: string,
  report: Report,
): Record<string, unknown> {
  const known = new Map<string, unknown>(Object.entries(node));
  const fitting: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(given)) {
    const path = `${prefix}${key}`;
    const child = known.get(key);
    const wanted =
      child === undefined ? `one of ${[...known.keys()].join(', ')}` : shapeOf(path, child);
    if (child === undefined) {
      report(path, `expected ${wanted}${nearestOf(key, known.keys())}, got ${show(key)}`);
    } else if (value === null) continue;
    else if (isMapping(value) && isMapping(child) && child['isMapping'] === true) {
      fitting[key] = Object.entries(value).filter(([, inner]) => inner !== null);
    } else if (!hasShape(wanted, value)) {
      const got = path.startsWith('auth') ? '<secret>' : show(value);
      report(path, `expected ${wanted}, got ${got}`);
    } else if (isMapping(child) && !('doc' in child) && isMapping(value)) {
      fitting[key] = wellShaped(value, child, `${path}.`, report);
    } else fitting[key] = value;
  }
  return fitting;
}

type Shape = 'a list' | 'a mapping' | 'a single value';

function shapeOf(path: string, child: unknown): Shape {
  const [, structure] = Object.entries(STRUCTURES).find(([name]) => name === path) ?? [];
  if (structure !== undefined) return structure.shape;
  return isMapping(child) && !('doc' in child) ? 'a mapping' : 'a single value';
}

function hasShape(wanted: string, value: unknown): boolean {
  if (wanted === 'a list') return Array.isArray(value);
  return isMapping(value) === (wanted === 'a mapping');
}

/** Lays the levels over the defaults; what is not what its format wants is reported and left out. */
function load(
  levels: readonly Record<string, unknown>[],
  report: Report,
): convict.Config<Record<string, unknown>> {
  for (const [name, format] of Object.entries(FORMATS)) {
    convict.addFormat({ name, validate: (given) => void format(given), coerce: (given) => given });
  }
  const schema = SETTINGS as convict.Schema<Record<string, unknown>>;
  const config = convict<Record<string, unknown>>(schema, { args: [], env: {} });
  for (const level of levels) config.load(level);
  for (const [path, { format }] of settings()) {
    try {
      FORMATS[format](config.get(path));
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      report(path, error.message);
      config.reset(path);
    }
  }
  return config.validate({ allowed: 'strict' });
}

function mapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
