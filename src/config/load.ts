/** Loads the configuration and the files that it names. */

import { createSecureContext } from 'node:tls';
import { type Contents, WatchedFiles } from '../platform/watched-files.js';
import { filesIn, filesOf, type PingSettings, type TlsSettings } from '../shared/destination.js';
import type { DnsSettings } from '../shared/resolution.js';
import { secureContextOptions } from '../shared/tls-options.js';
import { type Config, type ConfigSources, readConfig } from './config.js';
import { ConfigError } from './formats.js';
import { filesOfHttp } from './source-settings.js';

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
  const paths = allSettings(config).flatMap(([, settings]) => filesOf(settings));
  // URLs may be secrets, so messages contain owners and names instead.
  const https = [
    ...config.sources.flatMap((source) =>
      source.kind === 'http_sd' ? [[`http_sd ${source.owner}: `, source.http] as const] : [],
    ),
    ...config.webhooks.map(({ name, http }) => [`webhook ${name}: `, http] as const),
  ];
  const httpTls = https.map(([place, { tls }]) => [place, tls] as const);
  const secrets = config.webhooks.map(({ secretFile }) => secretFile).filter((path) => path !== '');
  const all = [...paths, ...https.flatMap(([, http]) => filesOfHttp(http)), ...secrets];
  const check = (contents: Contents) => checkFiles(config, httpTls, contents);
  const { hostsFile, servers, resolvConf } = currentDns ?? config.dns;
  const optional = servers.length > 0 ? [hostsFile] : [hostsFile, resolvConf];
  return { config, files: new WatchedFiles(all, optional, check) };
}

/** The settings of every module and of every destination with its own settings, with the place of each. */
function allSettings({
  modules,
  destinations,
}: Config): readonly (readonly [string, PingSettings])[] {
  const known = new Set(Object.values(modules));
  return [
    ...Object.entries(modules).map(
      ([name, settings]) => [name === 'default' ? '' : `modules.${name}.`, settings] as const,
    ),
    ...destinations
      .filter(({ settings }) => !known.has(settings))
      .map(({ name, settings }) => [`destination ${name}: `, settings] as const),
  ];
}

/** @throws ConfigError when a file does not contain the certificate, key or password that it should. */
function checkFiles(
  config: Config,
  httpTls: readonly (readonly [place: string, tls: TlsSettings])[],
  contents: Contents,
): void {
  const text = (path: string) => {
    const content = contents.get(path);
    if (content === undefined) throw new Error(`${path} could not be read`);
    return content;
  };
  const tlsProblem = (place: string, tls: TlsSettings): string | undefined => {
    try {
      if (filesIn(tls).length > 0) createSecureContext(secureContextOptions(tls, text));
      return undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const files = filesIn(tls).join(', ');
      return `${place}tls_config: expected certificates and keys in ${files}, got ${why}`;
    }
  };
  const httpProblems = httpTls.flatMap(([place, tls]) => tlsProblem(place, tls) ?? []);
  const problems = allSettings(config).flatMap(([place, { tls, auth }]) => {
    const problem = tlsProblem(place, tls);
    if (problem !== undefined) return [problem];
    const path = auth?.passwordFile ?? '';
    if (path === '' || isPassword(text(path))) return [];
    return [`${place}auth.password_file: expected one line in ${path}, got none or several`];
  });
  const all = new Set([...problems, ...httpProblems]);
  if (all.size > 0) throw new ConfigError([...all].join('\n'));
}

function isPassword(text: string): boolean {
  return /^[^\r\n\0]+(?:\r?\n)?$/.test(text);
}
