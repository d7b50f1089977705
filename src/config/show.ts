/** Shows the current configuration in the format of a configuration file. */

import type { Authorization, BasicAuth, HttpSettings } from '../platform/http.js';
import { isMapping } from '../platform/values.js';
import type { PingSettings, TlsSettings } from '../shared/destination.js';
import { type ListenAddress, listenAddressText } from '../shared/listen-address.js';
import type { Config } from './config.js';
import { DEFAULT_MODULE } from './modules.js';
import { PING_SETTINGS } from './ping-schema.js';
import { PROCESS_SETTINGS } from './process-schema.js';
import { byLevels, type Setting, type Settings } from './setting.js';
import { SOURCE_KINDS, type SourceSettings } from './source-settings.js';

/** The configuration as JSON, which is also YAML. Loading it again results in the same configuration. */
export function showConfig(config: Config): string {
  const { [DEFAULT_MODULE]: top, ...modules } = config.modules;
  const { web, ...process } = showSettings(PROCESS_SETTINGS, config);
  const shown = {
    ...process,
    web: { ...(isMapping(web) ? web : {}), ...showUpstream(config.upstream) },
    ...showPing(top),
    discovery: showSources(config.sources),
    webhooks: config.webhooks.map(({ name, http, events, secretFile }) => ({
      name,
      ...showHttp(http),
      url: SECRET_URL,
      events,
      secret_file: secretFile,
    })),
    modules: Object.fromEntries(
      Object.entries(modules).map(([name, settings]) => [name, showPing(settings)]),
    ),
    destinations: config.destinations.map(({ uri, name, module, labels, settings }) => ({
      uri,
      name,
      module,
      labels,
      ...(settings === config.modules[module] ? {} : showPing(settings)),
    })),
  };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

/** One module as in {@link showConfig}; empty when there is no such module. */
export function showModule({ modules }: Config, name: string): string {
  const settings = Object.hasOwn(modules, name) ? modules[name] : undefined;
  return settings === undefined ? '' : `${JSON.stringify(showPing(settings), null, 2)}\n`;
}

function showSources(sources: Config['sources']) {
  return Object.fromEntries(
    SOURCE_KINDS.map((kind) => [
      kind,
      sources.filter((source) => source.kind === kind).map(showSource),
    ]),
  );
}

function showSource(source: SourceSettings) {
  const { owner, refreshMs, module, labels, nameFrom, moduleFrom, modules } = source;
  const common = {
    owner,
    refresh_interval: `${refreshMs}ms`,
    ...(module === '' ? {} : { module }),
    labels,
    name_from: nameFrom.map(({ text }) => text),
    ...(moduleFrom === undefined ? {} : { module_from: moduleFrom.text }),
    modules,
  };
  switch (source.kind) {
    case 'file_sd':
      return { files: source.files, ...common };
    case 'http_sd':
      return {
        ...showHttp(source.http),
        follow_redirects: source.http.followRedirects,
        ...common,
      };
    case 'dispatcher_list':
    case 'kamailio_cfg':
      return { file: source.file, ...common };
    case 'kamailio_rpc':
      return {
        ...showHttp(source.http),
        kamailio: source.kamailio,
        ...source.lists,
        attributes: source.attributes,
        ping_interval: `${source.pingIntervalMs}ms`,
        set_state: source.setState,
        allow_empty_set: source.allowEmptySet,
        ...common,
      };
    default:
      return source satisfies never;
  }
}

function showUpstream({ prometheus, alertmanager }: Config['upstream']) {
  return {
    prometheus_url: prometheus === undefined ? '' : showHttp(prometheus),
    alertmanager_url: alertmanager === undefined ? '' : showHttp(alertmanager),
  };
}

function showHttp({ url, timeoutMs, basicAuth, authorization, tls }: HttpSettings) {
  return {
    url: url.replace(/\?.*$/s, `?${SECRET}`),
    timeout: `${timeoutMs}ms`,
    ...(basicAuth === undefined ? {} : { basic_auth: showBasicAuth(basicAuth) }),
    ...(authorization === undefined ? {} : { authorization: showAuthorization(authorization) }),
    tls_config: showTls(tls),
  };
}

function showBasicAuth({ username, password, passwordFile }: BasicAuth) {
  return passwordFile === ''
    ? { username, password: password === '' ? '' : SECRET }
    : { username, password_file: passwordFile };
}

function showAuthorization({ type, credentials, credentialsFile }: Authorization) {
  return credentialsFile === ''
    ? { type, credentials: credentials === '' ? '' : SECRET }
    : { type, credentials_file: credentialsFile };
}

/** Replaces the URL of a webhook, whose path is usually a secret. */
const SECRET_URL = 'http://<secret>';
/** Replaces a secret. The user must restore it before loading the configuration again. */
const SECRET = '<secret>';

function showPing(settings: PingSettings | undefined): Record<string, unknown> {
  return settings === undefined ? {} : showSettings(PING_SETTINGS, settings);
}

function showTls(tls: TlsSettings): unknown {
  return showSettings(TLS_SETTINGS, { tls })['tls_config'];
}

const TLS_SETTINGS: Settings = Object.fromEntries(
  Object.entries(PING_SETTINGS).filter(([path]) => path.startsWith('tls_config.')),
);

/** Converts the settings of a table back to the format of the file. */
function showSettings(table: Settings, from: object): Record<string, unknown> {
  const shown = Object.entries(table)
    .filter(([, { isHidden }]) => isHidden !== true)
    .map(([path, setting]) => [path, showValue(setting, valueAt(from, setting.member))]);
  return byLevels(Object.fromEntries(shown));
}

function showValue({ format, isSecret }: Setting, value: unknown): unknown {
  // An unset value is an empty string, also for a secret.
  if (value === undefined || value === '') return '';
  if (isSecret === true) return SECRET;
  switch (format) {
    case 'interval':
    case 'intervalOrZero':
    case 'optionalInterval':
    case 'duration':
    case 'optionalDuration':
    case 'ttl':
      return `${String(value)}ms`;
    case 'listenAddresses':
      return (value as readonly ListenAddress[]).map(listenAddressText);
    case 'headers':
      return (value as PingSettings['identity']['headers']).map((header) => header.join(': '));
    default:
      return value;
  }
}

/** Undefined when a level of the path has no value. */
function valueAt(from: unknown, member: string): unknown {
  return member
    .split('.')
    .reduce<unknown>((level, name) => (isMapping(level) ? level[name] : undefined), from);
}
