/** Reads flags, environment and file into one frozen {@link Config}. */

import { dirname } from 'node:path';
import convict from 'convict';
import { isMapping, show } from '../platform/values.js';
import type { Destination, PingSettings } from '../shared/destination.js';
import { RESERVED_LABELS } from '../shared/labels.js';
import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import { readConfigFile } from './config-file.js';
import { readDestinations, readEntry } from './destinations.js';
import { Expected } from './expected.js';
import { type Flags, readEnvironment } from './flags.js';
import { FORMATS } from './formats.js';
import { DEFAULT_MODULE, type Modules, readModules } from './modules.js';
import { PING_SETTINGS } from './ping-schema.js';
import { Problems, type Report, unknownModule } from './problems.js';
import { PROCESS_SETTINGS } from './process-schema.js';
import { SETTINGS, SETTINGS_BY_LEVEL, settings } from './schema.js';
import { byLevels, type ObjectOf, objectOf, type Settings, type Values } from './setting.js';
import { wellShaped } from './shape.js';
import type { SourceSettings, WebhookSettings } from './source-settings.js';
import { readSources, readWebhooks } from './sources.js';
import { readUpstream, type UpstreamSettings } from './upstream.js';

/** The settings of the process, by the `member` of each in PROCESS_SETTINGS. */
type ProcessConfig = ObjectOf<typeof PROCESS_SETTINGS>;

/** The whole configuration: settings of the process (PROCESS_SETTINGS), modules and lists. */
export interface Config extends Omit<ProcessConfig, 'flagged' | 'upstream'> {
  /** By name; `default` has the settings of the top level. */
  readonly modules: Readonly<Record<string, PingSettings>>;
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly webhooks: readonly WebhookSettings[];
  readonly upstream: UpstreamSettings;
  /** Reads a further destination in the format of `destinations`. @throws ConfigError */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
  /** Why there is no such module; undefined if there is. */
  readonly moduleProblem: (name: string) => string | undefined;
  /** Where a setting was given: `destinations[0].fall`, as here, may be `sip.yml:3: destinations[0].fall`. */
  readonly placeOf: (path: string) => string;
}

export interface ConfigSources {
  readonly flags: Flags;
  readonly env: NodeJS.ProcessEnv;
  /** Used if no file is given. */
  readonly content?: Readonly<Record<string, unknown>>;
  /** Version of this program. */
  readonly version: string;
}

/**
 * Reads the configuration: defaults, then the file, then the environment, then flags.
 *
 * @throws ConfigError with the problems, one per line, up to a hundred.
 */
export function readConfig({ flags, env, version, content = {} }: ConfigSources): Config {
  const environment = readEnvironment(env);
  const path = String(flags.given['config.file'] ?? environment['config.file'] ?? '');
  const file = path === '' ? { settings: content, lineOf: () => undefined } : readConfigFile(path);
  const origins = {
    flags: new Set(Object.keys(flags.given)),
    variables: new Map(Object.keys(environment).map((name) => [name, SETTINGS[name]?.env ?? name])),
    file: path,
    lineOf: file.lineOf,
  };
  const problems = new Problems(origins, flags.problems);
  const { report } = problems;
  const { destinations, modules, discovery, webhooks, ...single } = wellShaped(
    file.settings,
    report,
  );
  const given = overlay([single, byLevels(environment), byLevels(flags.given)], report);
  const { flagged, upstream, ...process } = objectOf(
    PROCESS_SETTINGS,
    read(PROCESS_SETTINGS, given),
  );
  checkProcess(process, report);
  const named = mapping(modules);
  const all = readModules(named, read(PING_SETTINGS, given), version, report);
  const reading = { modules: all, version, report };
  const directory = path === '' ? '' : dirname(path);
  const config: Config = {
    ...process,
    file: path,
    modules: writtenModules(all, named),
    destinations: readDestinations(flagged.destination, list(destinations), reading),
    sources: readSources(discovery, flagged, { directory, modules: all, report }),
    webhooks: readWebhooks(webhooks, { directory, modules: all, report }),
    upstream: readUpstream(upstream, { directory, report }),
    readEntry: (entry) => readEntry(entry, all, version),
    moduleProblem: (name) => (all.has(name) ? undefined : unknownModule(name, all.keys())),
    placeOf: (setting) => problems.placeOf(pathAsGiven(setting, flagged.destination.length)),
  };
  if (config.destinations.length > LEDGER_CAPACITY) {
    const got = config.destinations.length;
    report('destinations', `expected at most ${LEDGER_CAPACITY} destinations, got ${got}`);
  }
  problems.throwIfAny();
  return deepFreeze(config);
}

/** The values of the settings of a table; {@link overlay} has checked them. */
function read<T extends Settings>(table: T, given: (path: string) => unknown): Values<T> {
  const values = Object.entries(table).map(([path, { format }]) => [
    path,
    FORMATS[format](given(path)),
  ]);
  return Object.fromEntries(values) as Values<T>;
}

type Checked = Pick<ProcessConfig, 'dns' | 'shard' | 'metrics'>;

function checkProcess({ dns, shard, metrics }: Checked, report: Report): void {
  if (dns.minTtlMs > dns.maxTtlMs) {
    const expected = `at most dns.max_ttl (${dns.maxTtlMs / 1000} s)`;
    report('dns.min_ttl', `expected ${expected}, got ${dns.minTtlMs / 1000} s`);
  }
  if (shard.ordinal >= shard.total) {
    report('shard', `expected less than total-shards (${shard.total}), got ${shard.ordinal}`);
  }
  const { keptLabels, droppedLabels } = metrics;
  if (keptLabels !== undefined && droppedLabels !== undefined) {
    report('metrics.labels.drop', 'expected metrics.labels.keep or metrics.labels.drop, got both');
  }
  const own = droppedLabels?.find((name) => RESERVED_LABELS.some((reserved) => reserved === name));
  if (own !== undefined) {
    report(
      'metrics.labels.drop',
      `expected labels of users, got ${show(own)}, which is the exporter's`,
    );
  }
}

/** The module `default` and those of the file; built-in ones are not listed. */
function writtenModules(
  modules: Modules,
  named: Readonly<Record<string, unknown>>,
): Record<string, PingSettings> {
  return Object.fromEntries(
    [...modules]
      .filter(([name]) => name === DEFAULT_MODULE || Object.hasOwn(named, name))
      .map(([name, module]) => [name, module.settings]),
  );
}

/**
 * Merges the levels over the defaults. An invalid value is reported and replaced by the default.
 */
function overlay(
  levels: readonly Record<string, unknown>[],
  report: Report,
): (path: string) => unknown {
  for (const [name, format] of Object.entries(FORMATS)) {
    const validate = (given: unknown) => {
      format(given);
    };
    convict.addFormat({ name, validate, coerce: (given) => given });
  }
  const schema = SETTINGS_BY_LEVEL as convict.Schema<Record<string, unknown>>;
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
  config.validate({ allowed: 'strict' });
  return (path) => config.get(path);
}

/** The destinations of the file come after those of flags, and are numbered from 0 in the file. */
function pathAsGiven(path: string, flaggedDestinations: number): string {
  return path.replace(/^destinations\[(\d+)\]/, (_, index) =>
    index < flaggedDestinations
      ? `destination[${index}]`
      : `destinations[${index - flaggedDestinations}]`,
  );
}

function mapping(value: unknown): Record<string, unknown> {
  return isMapping(value) ? value : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const child of Object.values(value)) deepFreeze(child);
  return Object.freeze(value);
}
