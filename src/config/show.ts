/** The configuration in force, in the words of the configuration file. */

import { bracketed } from '../shared/address.js';
import type { PingSettings, TlsSettings } from '../shared/destination.js';
import type { Config } from './config.js';
import { DEFAULT_MODULE } from './destinations.js';
import {
  type BasicAuth,
  type HttpSettings,
  SOURCE_KINDS,
  type SourceSettings,
} from './source-settings.js';

/** JSON, which is YAML too: what it shows can be loaded again and means the same. */
export function showConfig(config: Config): string {
  const { [DEFAULT_MODULE]: top, ...modules } = config.modules;
  const { host, port } = config.webListenAddress;
  const shown = {
    web: {
      'enable-admin-api': config.isAdminEnabled,
      'listen-address': `${bracketed(host)}:${port}`,
      'external-url': config.webExternalUrl,
      config: { file: config.webConfigFile },
    },
    log: { level: config.logLevel, format: config.logFormat },
    dns: {
      servers: config.dns.servers,
      resolv_conf: config.dns.resolvConf,
      search: config.dns.search,
      timeout: `${config.dns.timeoutMs}ms`,
      min_ttl: `${config.dns.minTtlMs}ms`,
      max_ttl: `${config.dns.maxTtlMs}ms`,
      hosts_file: config.dns.hostsFile,
    },
    state_dir: config.stateDir,
    shard: config.shard.ordinal,
    'total-shards': config.shard.total,
    discovery: showSources(config.sources),
    webhooks: config.webhooks.map(({ name, http, events, secretFile }) => ({
      name,
      ...showHttp(http),
      url: SECRET_URL,
      events,
      secret_file: secretFile,
    })),
    probe: { enabled: config.isProbeEnabled, allow: config.probeAllow },
    ...(top === undefined ? {} : showPing(top)),
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

/** One module, as in {@link showConfig}. */
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
  const { owner, refreshMs, module, labels } = source;
  const common = {
    owner,
    refresh_interval: `${refreshMs}ms`,
    ...(module === '' ? {} : { module }),
    labels,
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
    default:
      return source satisfies never;
  }
}

function showHttp({ url, timeoutMs, basicAuth, tls }: HttpSettings) {
  return {
    url: url.replace(/\?.*$/s, `?${SECRET}`),
    timeout: `${timeoutMs}ms`,
    ...(basicAuth === undefined ? {} : { basic_auth: showBasicAuth(basicAuth) }),
    tls_config: showTls(tls),
  };
}

function showBasicAuth({ username, password, passwordFile }: BasicAuth) {
  return passwordFile === ''
    ? { username, password: password === '' ? '' : SECRET }
    : { username, password_file: passwordFile };
}

/** The path of a webhook is what lets us in. */
const SECRET_URL = 'http://<secret>';
/** Stands where a secret is; what is shown loads again only with the secret put back. */
const SECRET = '<secret>';

function showPing(settings: PingSettings) {
  const { identity, tls, auth } = settings;
  return {
    ping_interval: `${settings.intervalMs}ms`,
    ping_timeout: `${settings.timeoutMs}ms`,
    ping_from: identity.pingFrom,
    rise: settings.rise,
    fall: settings.fall,
    delete_counter: settings.deleteCounter,
    max_backoff: `${settings.maxBackoffMs}ms`,
    alive_codes: settings.aliveCodes,
    method: settings.method,
    transport: settings.transport,
    connection: settings.connection,
    ws_path: settings.wsPath,
    ws_origin: settings.wsOrigin,
    max_forwards: settings.maxForwards,
    user: identity.user,
    to: identity.to,
    contact: identity.contact,
    via_host: identity.viaHost,
    user_agent: identity.userAgent,
    headers: identity.headers.map(([name, value]) => `${name}: ${value}`),
    route: identity.route,
    source_address: settings.sourceAddress,
    source_port: settings.sourcePort,
    dscp: settings.dscp,
    ip_protocol: settings.ipProtocol,
    resolve: settings.resolve,
    alive_when: settings.aliveWhen,
    max_targets: settings.maxTargets,
    auth:
      auth === undefined
        ? { username: '', password: '', password_file: '' }
        : {
            username: auth.username,
            password: auth.password === '' ? '' : SECRET,
            password_file: auth.passwordFile,
          },
    tls_config: showTls(tls),
  };
}

function showTls(tls: TlsSettings) {
  return {
    ca_file: tls.caFile,
    cert_file: tls.certFile,
    key_file: tls.keyFile,
    key_passphrase_file: tls.keyPassphraseFile,
    server_name: tls.serverName,
    min_version: tls.minVersion,
    max_version: tls.maxVersion,
    ciphers: tls.ciphers,
    legacy_renegotiation: tls.legacyRenegotiation,
    insecure_skip_verify: tls.insecureSkipVerify,
    strict_rfc5922: tls.strictRfc5922,
  };
}
