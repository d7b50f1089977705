/** Reads the destinations of the configuration. */

import { isMapping, isName, NAME_FORMAT, show } from '../platform/values.js';
import { addressFamily } from '../shared/address.js';
import type { Destination, PingSettings } from '../shared/destination.js';
import type { TransportChoice } from '../shared/outcome.js';
import { parseUri, pingableUri, UriError } from '../shared/uri.js';
import { Expected } from './expected.js';
import { ConfigError } from './formats.js';
import { readLabels } from './labels.js';
import { DEFAULT_MODULE, type Modules, settingsOver, TEAMS } from './modules.js';
import { entriesOf, isPingKey, PING_KEYS, readPing } from './ping-settings.js';
import { type Report, unknownKey, unknownModule } from './problems.js';

const OWN_KEYS: readonly string[] = ['uri', 'name', 'module', 'labels'];

export interface Reading {
  readonly modules: Modules;
  readonly version: string;
  readonly report: Report;
}

/** Reads the destinations of flags, then those of the file. */
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
    const { name } = destination;
    const other = pathOf.get(name);
    if (other !== undefined) {
      reading.report(`${path}.name`, `duplicate destination name ${show(name)} (also ${other})`);
    }
    pathOf.set(name, path);
    destinations.push(destination);
  }
  return destinations;
}

/** Undefined when its problems leave no destination. */
function readDestination(given: unknown, path: string, reading: Reading): Destination | undefined {
  const { report } = reading;
  const entry = isMapping(given) ? given : { uri: given };
  const moduleName = readModuleName(entry['module'] ?? DEFAULT_MODULE);
  const settings = readSettings(entry, moduleName, path, reading);
  const uri = readUri(entry['uri'], settings?.transport ?? 'auto', path, report);
  if (uri === undefined || settings === undefined) return undefined;
  if (moduleName === TEAMS && settings.identity.viaHost === '') {
    report(
      `${path}.via_host`,
      'expected the host name of your SBC, which Teams requires, got none',
    );
  }
  const name = readName(entry['name'] ?? uri, path, report);
  const labels = readLabels(entry['labels'] ?? {}, path, report);
  checkFamilies(settings.identity.route || uri, settings, path, report);
  if (name === undefined) return undefined;
  return { name, uri, module: moduleName, labels, settings };
}

/** The name of the module; empty when it is invalid. */
function readModuleName(given: unknown): string {
  return typeof given === 'string' || typeof given === 'number' ? String(given) : '';
}

/** The ping settings of an entry and its module; undefined when there is no such module. */
function readSettings(
  entry: Readonly<Record<string, unknown>>,
  moduleName: string,
  path: string,
  { modules, version, report }: Reading,
): PingSettings | undefined {
  const entries = entriesOf(entry, `${path}.`, report);
  for (const [key] of entries) {
    if (OWN_KEYS.includes(key) || isPingKey(key)) continue;
    report(`${path}.${key}`, unknownKey(key, [...OWN_KEYS, ...PING_KEYS]));
  }
  const module = modules.get(moduleName);
  if (module === undefined) report(`${path}.module`, unknownModule(moduleName, modules.keys()));
  const own = readPing(entries, `${path}.`, report);
  return module && settingsOver(module, own, version, `${path}.`, report);
}

/**
 * Reads a further destination in the format of `destinations`.
 *
 * @throws ConfigError with all problems, one per line.
 */
export function readEntry(
  entry: Readonly<Record<string, unknown>>,
  modules: Modules,
  version: string,
): Destination {
  const problems: string[] = [];
  const report: Report = (path, problem) =>
    problems.push(`${path.replace(/^entry\./, '')}: ${problem}`);
  const destination = readDestination(entry, 'entry', { modules, version, report });
  if (destination === undefined || problems.length > 0) throw new ConfigError(problems.join('\n'));
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

/** Reports a host whose address family contradicts `source_address` or `ip_protocol`. */
function checkFamilies(uri: string, settings: PingSettings, path: string, report: Report): void {
  const { sourceAddress, ipProtocol } = settings;
  if (sourceAddress === '' && ipProtocol === 'any') return;
  const { hostKind } = parseUri(uri);
  const sourceFamily = sourceAddress === '' ? undefined : addressFamily(sourceAddress);
  const allowed = ipProtocol === 'any' ? undefined : ipProtocol === 'ip4' ? 4 : 6;
  const family = hostKind === 'name' ? allowed : hostKind === 'ipv4' ? 4 : 6;
  if (family === undefined) return;
  if (sourceFamily !== undefined && sourceFamily !== family) {
    const problem = `expected an IPv${family} address, got ${show(sourceAddress)}`;
    report(`${path}.source_address`, problem);
  }
  if (allowed !== undefined && allowed !== family) {
    report(`${path}.ip_protocol`, `expected any or ip${family}, got ${show(ipProtocol)}`);
  }
}

/** The name of a destination, which may be a number in JSON; undefined when it is invalid. */
function readName(given: unknown, path: string, report: Report): string | undefined {
  const name = typeof given === 'number' ? String(given) : given;
  if (typeof name === 'string' && isName(name)) return name;
  report(`${path}.name`, `expected ${NAME_FORMAT}, got ${show(given)}`);
  return undefined;
}
