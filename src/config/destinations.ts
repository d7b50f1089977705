/** Destinations and modules, as the configuration lists them. */

import { isMapping, show } from '../platform/values.js';
import { addressFamily } from '../shared/address.js';
import type { Destination, PingSettings } from '../shared/destination.js';
import { labelsFault, OUR_LABELS } from '../shared/labels.js';
import { nearestOf } from '../shared/nearest.js';
import type { TransportChoice } from '../shared/outcome.js';
import { parseUri, pingableUri, UriError } from '../shared/uri.js';
import { Expected } from './expected.js';
import { ConfigError } from './formats.js';
import {
  entriesOf,
  isPingKey,
  PING_KEYS,
  type PingGiven,
  pingSettings,
  type Report,
  readPing,
} from './ping-settings.js';

/** A module, and what it was made of, for destinations to lay theirs over. */
export interface Module {
  readonly settings: PingSettings;
  readonly levels: readonly PingGiven[];
  /** What it comes to with the settings of destinations laid over it, by their text. */
  readonly variants: Map<string, PingSettings>;
  /** Built in, and not in the file: what is wrong with it is told where it is used. */
  readonly isUnwritten: boolean;
}

export type Modules = ReadonlyMap<string, Module>;

export const DEFAULT_MODULE = 'default';

/** Modules that are there without being written, for the file's settings to be laid over. */
const BUILT_IN: ReadonlyMap<string, PingGiven> = new Map([
  // Microsoft Direct Routing: TLS 1.2 or later, an OPTIONS a minute, and the host name of the SBC in
  // Via, From and Contact, which via_host puts there.
  [
    'teams',
    { transport: 'tls', ping_interval: 60_000, 'tls_config.min_version': 'TLS12' } as const,
  ],
]);
const TEAMS = 'teams';

const DESTINATION_KEYS: readonly string[] = ['uri', 'name', 'module', 'labels'];
const LABEL_NAME = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/;
/** A destination has a path of its own in the API, in which `.` and `..` mean something else. */
const NAME = /^(?!\.\.?$)[^\p{C}]{1,256}$/u;

export interface Reading {
  readonly modules: Modules;
  readonly version: string;
  readonly report: Report;
}

/** The modules of the file over the top level's settings, which are the module `default`. */
export function readModules(
  given: Readonly<Record<string, unknown>>,
  top: PingGiven,
  version: string,
  report: Report,
): Modules {
  const modules = new Map<string, Module>();
  const add = (name: string, levels: readonly PingGiven[], path: string) =>
    modules.set(name, {
      levels,
      settings: pingSettings(levels, version, path, report),
      variants: new Map(),
      isUnwritten: false,
    });
  add(DEFAULT_MODULE, [top], '');
  for (const [name, builtIn] of BUILT_IN) {
    if (Object.hasOwn(given, name)) continue;
    const levels = [top, builtIn];
    const settings = pingSettings(levels, version, '', () => {});
    modules.set(name, { levels, settings, variants: new Map(), isUnwritten: true });
  }
  for (const [name, written] of Object.entries(given)) {
    const path = `modules.${name}`;
    const value = written ?? {};
    if (!isMapping(value)) {
      report(path, `expected a mapping of settings, got ${show(value)}`);
      continue;
    }
    const entries = entriesOf(value, `${path}.`, report);
    for (const [key] of entries) {
      if (isPingKey(key)) continue;
      const wanted = `a setting of pings${nearestOf(key, PING_KEYS)}`;
      report(`${path}.${key}`, `expected ${wanted}, got ${show(key)}`);
    }
    const own = readPing(entries, `${path}.`, report);
    add(name, [top, BUILT_IN.get(name) ?? {}, own], `${path}.`);
  }
  return modules;
}

/** What the flags name and what the file lists, in this order. */
export function readDestinations(
  flagged: readonly string[],
  listed: readonly unknown[],
  reading: Reading,
): Destination[] {
  const entries = [
    ...flagged.map((uri, index) => ({ given: uri, path: `destination[${index}]` })),
    ...listed.map((given, index) => ({ given, path: `destinations[${index}]` })),
  ];
  const pathOf = new Map<string, string>();
  const destinations: Destination[] = [];
  for (const { given, path } of entries) {
    const destination = readDestination(given, path, reading);
    if (destination === undefined) continue;
    const other = pathOf.get(destination.name);
    if (other !== undefined) {
      const fault = `expected a name of its own, got ${show(destination.name)}, which is that of ${other}`;
      reading.report(`${path}.name`, fault);
    }
    pathOf.set(destination.name, path);
    destinations.push(destination);
  }
  return destinations;
}

function readDestination(given: unknown, path: string, reading: Reading): Destination | undefined {
  const { modules, version, report } = reading;
  const entry = isMapping(given) ? given : { uri: given };
  const entries = entriesOf(entry, `${path}.`, report);
  for (const [key] of entries) {
    if (DESTINATION_KEYS.includes(key) || isPingKey(key)) continue;
    const known = DESTINATION_KEYS.join(', ');
    const near = nearestOf(key, [...DESTINATION_KEYS, ...PING_KEYS]);
    report(`${path}.${key}`, `expected ${known} or a setting of pings${near}, got ${show(key)}`);
  }
  const wantedModule = entry['module'] ?? DEFAULT_MODULE;
  const isScalar = typeof wantedModule === 'string' || typeof wantedModule === 'number';
  const moduleName = isScalar ? String(wantedModule) : '';
  const module = modules.get(moduleName);
  if (module === undefined) {
    const wanted = `one of the modules ${[...modules.keys()].join(', ')}`;
    report(`${path}.module`, `expected ${wanted}, got ${show(wantedModule)}`);
  }
  const own = readPing(entries, `${path}.`, report);
  const settings = module && settingsOver(module, own, version, `${path}.`, report);
  const uri = readUri(entry['uri'], settings?.transport ?? 'auto', path, report);
  if (uri === undefined || settings === undefined) return undefined;
  if (moduleName === TEAMS && settings.identity.viaHost === '') {
    report(
      `${path}.via_host`,
      'expected the host name of your SBC, which Teams asks for, got none',
    );
  }
  const name = readName(entry['name'] ?? uri, path, report);
  const labels = readLabels(entry['labels'] ?? {}, path, report);
  checkFamilies(settings.identity.route || uri, settings, path, report);
  if (name === undefined) return undefined;
  return { name, uri, module: moduleName, labels, settings };
}

/** Destinations with the same settings share them: there are many, and most are alike. */
function settingsOver(
  module: Module,
  own: PingGiven,
  version: string,
  path: string,
  report: Report,
): PingSettings {
  if (Object.keys(own).length === 0 && !module.isUnwritten) return module.settings;
  const text = JSON.stringify(own);
  const known = module.variants.get(text);
  if (known !== undefined) return known;
  let isRight = true;
  const settings = pingSettings([...module.levels, own], version, path, (...fault) => {
    isRight = false;
    report(...fault);
  });
  if (isRight) module.variants.set(text, settings);
  return settings;
}

/**
 * A destination from elsewhere than the configuration, in its words.
 *
 * @throws ConfigError with every fault, a line each.
 */
export function readEntry(
  entry: Readonly<Record<string, unknown>>,
  modules: Modules,
  version: string,
): Destination {
  const faults: string[] = [];
  const report: Report = (path, fault) => faults.push(`${path.replace(/^entry\./, '')}: ${fault}`);
  const destination = readDestination(entry, 'entry', { modules, version, report });
  if (destination === undefined || faults.length > 0) throw new ConfigError(faults.join('\n'));
  return destination;
}

function readUri(
  given: unknown,
  transport: TransportChoice,
  path: string,
  report: Report,
): string | undefined {
  try {
    if (typeof given !== 'string') throw new Expected('a SIP URI', given);
    return pingableUri(given, transport);
  } catch (error) {
    if (!(error instanceof Expected || error instanceof UriError)) throw error;
    report(`${path}.uri`, error.message);
    return undefined;
  }
}

/** A source address of one family cannot send to the other, nor can one family's pings go there. */
function checkFamilies(uri: string, settings: PingSettings, path: string, report: Report) {
  const { sourceAddress, ipProtocol } = settings;
  const { hostKind } = parseUri(uri);
  const sourceFamily = sourceAddress === '' ? undefined : addressFamily(sourceAddress);
  const allowed = ipProtocol === 'any' ? undefined : ipProtocol === 'ip4' ? 4 : 6;
  const wanted = hostKind === 'name' ? allowed : hostKind === 'ipv4' ? 4 : 6;
  if (wanted === undefined) return;
  if (sourceFamily !== undefined && sourceFamily !== wanted) {
    const fault = `expected an IPv${wanted} address, got ${show(sourceAddress)}`;
    report(`${path}.source_address`, fault);
  }
  if (allowed !== undefined && allowed !== wanted) {
    report(`${path}.ip_protocol`, `expected any or ip${wanted}, got ${show(ipProtocol)}`);
  }
}

/** Undefined when it is none; a number of JSON is taken as its digits. */
function readName(given: unknown, path: string, report: Report): string | undefined {
  const name = typeof given === 'number' ? String(given) : given;
  if (typeof name === 'string' && NAME.test(name)) return name;
  report(`${path}.name`, `expected 1 to 256 printable characters, not . or .., got ${show(given)}`);
  return undefined;
}

export function readLabels(given: unknown, path: string, report: Report): Record<string, string> {
  if (!isMapping(given)) {
    report(`${path}.labels`, `expected a mapping of label names to values, got ${show(given)}`);
    return {};
  }
  const fault = labelsFault(given);
  if (fault !== undefined) {
    report(`${path}.labels`, fault);
    return {};
  }
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    // As in Prometheus, a label without a value is none.
    if (value === null) continue;
    const at = `${path}.labels.${name}`;
    if (!LABEL_NAME.test(name)) report(at, `expected a Prometheus label name, got ${show(name)}`);
    if (OUR_LABELS.some((ours) => ours === name))
      report(at, `expected a label that our metrics lack, got ${show(name)}`);
    const isScalar = ['string', 'number', 'boolean'].includes(typeof value);
    if (!isScalar) report(at, `expected a text, got ${show(value)}`);
    else labels[name] = String(value);
  }
  return labels;
}
