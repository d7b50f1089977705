/** Loads the configuration and the files that it names. */

import { type Contents, FilesError, WatchedFiles } from '../platform/watched-files.js';
import type { DnsSettings } from '../shared/resolution.js';
import { type Config, type ConfigSources, readConfig } from './config.js';
import { ConfigError } from './formats.js';
import { fileProblems, namedFiles } from './named-files.js';

export interface Loaded {
  readonly config: Config;
  /** The files that the settings name. The caller must close it. */
  readonly files: WatchedFiles;
}

/**
 * Reads the configuration and the files that its settings name.
 *
 * @param currentDns the DNS settings of a running process, which a reload does not change.
 * @throws ConfigError or FilesError with the problems.
 */
export function load(sources: ConfigSources, currentDns?: DnsSettings): Loaded {
  const config = readConfig(sources);
  const { hostsFile, servers, resolvConf } = currentDns ?? config.dns;
  const optional = servers.length > 0 ? [hostsFile] : [hostsFile, resolvConf];
  return { config, files: openFiles(config, optional) };
}

/** @throws ConfigError or FilesError with the place of the setting that names the file. */
function openFiles(config: Config, optional: readonly string[]): WatchedFiles {
  const named = namedFiles(config);
  const check = (contents: Contents) => {
    const problems = fileProblems(config, contents);
    const lines = problems.map(({ path, problem }) => `${config.placeOf(path)}: ${problem}`);
    if (lines.length > 0) throw new ConfigError(lines.join('\n'));
  };
  try {
    return new WatchedFiles(named.keys(), optional, check);
  } catch (error) {
    const path = error instanceof FilesError ? named.get(error.path) : undefined;
    if (path === undefined || !(error instanceof Error)) throw error;
    throw new ConfigError(`${config.placeOf(path)}: ${error.message}`, { cause: error });
  }
}
