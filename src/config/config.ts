/** From flags, environment and file to one frozen {@link Config}. */

import { readFileSync } from 'node:fs';
import convict from 'convict';
import { parse as parseYaml } from 'yaml';
import type { Destination, PingSettings } from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger.js';
import { isMapping, readDestinations, readModules } from './destinations.js';
import { type Flags, readEnvironment } from './flags.js';
import { ConfigError, Expected, FORMATS, type FormatName, show } from './formats.js';
import { type Report, readPing } from './ping-settings.js';
import { PING_SETTINGS, SCHEMA, SETTINGS, settings } from './schema.js';

export interface Config {
  /** Only to be checked, not to be run. */
  readonly isCheck: boolean;
  readonly webListenAddress: Value<'listen_address'>;
  /** Empty when there is none. */
  readonly webConfigFile: string;
  readonly logLevel: Value<'log_level'>;
  readonly logFormat: Value<'log_format'>;
  readonly dnsServers: readonly string[];
  readonly modules: Readonly<Record<string, PingSettings>>;
  readonly destinations: readonly Destination[];
}

type Value<Name extends FormatName> = ReturnType<(typeof FORMATS)[Name]>;

export interface ConfigSources {
  readonly flags: Flags;
  readonly env: NodeJS.ProcessEnv;
  /** Of this program. */
  readonly version: string;
}

/**
 * Reads the configuration: defaults, then the file, then the environment, then flags.
 *
 * @throws ConfigError with every fault that was found, a line each.
 */
export function readConfig({ flags, env, version }: ConfigSources): Config {
  const faults: string[] = [];
  const report: Report = (path, fault) => faults.push(`${path}: ${fault}`);
  const stopAtFaults = () => {
    if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  };
  const environment = readEnvironment(env);
  const configFile = String(flags.given['config.file'] ?? environment['config.file'] ?? '');
  const file = configFile === '' ? {} : readFile(configFile);
  checkShape(file, SCHEMA, '', report);
  stopAtFaults();

  const { destinations: listed, modules: named, ...single } = file;
  const loaded = load([single, nested(environment), nested(flags.given)]);
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
  stopAtFaults();
  return deepFreeze({
    isCheck: FORMATS.truth(loaded.get('config.check')),
    webListenAddress: FORMATS.listen_address(loaded.get('web.listen-address')),
    webConfigFile: FORMATS.text(loaded.get('web.config.file')),
    logLevel: FORMATS.log_level(loaded.get('log.level')),
    logFormat: FORMATS.log_format(loaded.get('log.format')),
    dnsServers: FORMATS.texts(loaded.get('dns.servers')),
    modules: Object.fromEntries([...modules].map(([name, module]) => [name, module.settings])),
    destinations,
  });
}

function readFile(path: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
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
    throw new ConfigError(`${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Reports keys that do not exist, and values where a mapping belongs or the other way round. */
function checkShape(given: Record<string, unknown>, node: object, prefix: string, report: Report) {
  const known = new Map(Object.entries(node));
  for (const [key, value] of Object.entries(given)) {
    const path = `${prefix}${key}`;
    const child: unknown = known.get(key);
    if (child === undefined) {
      report(path, `expected one of ${[...known.keys()].join(', ')}, got ${show(key)}`);
    } else if (path === 'destinations') {
      if (!Array.isArray(value)) report(path, `expected a list, got ${show(value)}`);
    } else if (path === 'modules') {
      if (!isMapping(value)) report(path, `expected a mapping, got ${show(value)}`);
    } else if (isMapping(child) && !('doc' in child)) {
      if (isMapping(value)) checkShape(value, child, `${path}.`, report);
      else report(path, `expected a mapping, got ${show(value)}`);
    } else if (isMapping(value)) {
      report(path, `expected a single value, got ${show(value)}`);
    }
  }
}

/** Lays the levels over the defaults and holds each value against its format. */
function load(levels: readonly Record<string, unknown>[]): convict.Config<Record<string, unknown>> {
  for (const [name, format] of Object.entries(FORMATS)) {
    convict.addFormat({ name, validate: (given) => void format(given), coerce: (given) => given });
  }
  const schema = SETTINGS as convict.Schema<Record<string, unknown>>;
  const config = convict<Record<string, unknown>>(schema, {
    args: [],
    env: {},
  });
  for (const level of levels) config.load(level);
  try {
    config.validate({ allowed: 'strict' });
  } catch (error) {
    throw new ConfigError(messageOf(error), { cause: error });
  }
  return config;
}

/** `{'web.listen-address': x}` as `{web: {'listen-address': x}}`. */
function nested(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [path] of settings()) {
    if (!(path in given)) continue;
    const keys = path.split('.');
    const last = keys.pop() ?? '';
    let node = root;
    for (const key of keys) {
      node[key] ??= {};
      node = mapping(node[key]);
    }
    node[last] = given[path];
  }
  return root;
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
