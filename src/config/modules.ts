/** Modules: named ping settings for destinations. */

import { isMapping, show } from '../platform/values.js';
import type { PingSettings } from '../shared/destination.js';
import {
  entriesOf,
  isPingKey,
  PING_KEYS,
  type PingGiven,
  pingSettings,
  readPing,
} from './ping-settings.js';
import { type Report, unknownKey } from './problems.js';

/** A module, and the levels of settings that it consists of and a destination can override. */
export interface Module {
  readonly settings: PingSettings;
  readonly levels: readonly PingGiven[];
  /** Settings of destinations with this module, by the JSON text of their own settings. */
  readonly variants: Map<string, PingSettings>;
  /** Whether it is built in and not in the file: its problems are reported where it is used. */
  readonly isImplicit: boolean;
}

export type Modules = ReadonlyMap<string, Module>;

/** The module with the settings of the top level. */
export const DEFAULT_MODULE = 'default';
/** The built-in module for Microsoft Direct Routing. */
export const TEAMS = 'teams';

/** Built-in modules. Settings in the file override theirs. */
const BUILT_IN: ReadonlyMap<string, PingGiven> = new Map([
  // Microsoft Direct Routing: TLS 1.2 or later, an OPTIONS per minute, and the host name of the SBC
  // in Via, From and Contact, which via_host sets.
  [TEAMS, { transport: 'tls', ping_interval: 60_000, 'tls_config.min_version': 'TLS12' } as const],
]);

/** Reads the modules of the file. They override `top`, the settings of the top level. */
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
      isImplicit: false,
    });
  add(DEFAULT_MODULE, [top], '');
  for (const [name, builtIn] of BUILT_IN) {
    if (Object.hasOwn(given, name)) continue;
    const levels = [top, builtIn];
    const settings = pingSettings(levels, version, '', () => {});
    modules.set(name, { levels, settings, variants: new Map(), isImplicit: true });
  }
  for (const [name, value] of Object.entries(given)) {
    const path = `modules.${name}.`;
    const own = readModule(value ?? {}, path, report);
    if (own !== undefined) add(name, [top, BUILT_IN.get(name) ?? {}, own], path);
  }
  return modules;
}

/** Undefined when it is not a mapping. */
function readModule(given: unknown, path: string, report: Report): PingGiven | undefined {
  if (!isMapping(given)) {
    report(path.slice(0, -1), `expected a mapping of settings, got ${show(given)}`);
    return undefined;
  }
  const entries = entriesOf(given, path, report);
  for (const [key] of entries) {
    if (!isPingKey(key)) report(`${path}${key}`, unknownKey(key, PING_KEYS));
  }
  return readPing(entries, path, report);
}

/**
 * The settings of a module, overridden by those of a destination. Destinations with the same settings
 * share one object, because there may be many.
 */
export function settingsOver(
  module: Module,
  own: PingGiven,
  version: string,
  path: string,
  report: Report,
): PingSettings {
  if (Object.keys(own).length === 0 && !module.isImplicit) return module.settings;
  const text = JSON.stringify(own);
  const known = module.variants.get(text);
  if (known !== undefined) return known;
  let isValid = true;
  const settings = pingSettings([...module.levels, own], version, path, (...problem) => {
    isValid = false;
    report(...problem);
  });
  if (isValid) module.variants.set(text, settings);
  return settings;
}
