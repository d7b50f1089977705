#!/usr/bin/env node
/** The process: reads the configuration, joins the parts, starts and ends them in order. */

import type { Logger } from 'pino';
import { type Config, readConfig } from './config/config.js';
import { helpText, readFlags } from './config/flags.js';
import { ConfigError } from './config/formats.js';
import { showConfig, showModule } from './config/show.js';
import { FilesError, WatchedFiles } from './files.js';
import { createApp } from './http/app.js';
import { basicAuth } from './http/guard.js';
import { listen } from './http/server.js';
import { WebConfigError, WebConfigFile } from './http/web-config.js';
import { createLog } from './log.js';
import { Files } from './pinger/files.js';
import { CAN_SET_DSCP } from './pinger/transport/dial.js';
import { TlsContexts } from './pinger/transport/tls-context.js';
import { Roster } from './roster.js';
import { filesIn, filesOf, type PingSettings } from './shared/destination.js';
import { createLedger } from './shared/ledger/cells.js';
import { LedgerReader } from './shared/ledger/reader.js';
import { inWords } from './shared/outcome.js';
import type { Change, LogLine } from './shared/protocol.js';
import { parseUri, transportOf } from './shared/uri.js';
import { Supervisor } from './supervisor.js';
import { readVersion } from './version.js';

/** What was wrong with the way that we were called, as the Prometheus exporters tell it. */
const EXIT_USAGE = 2;
const OWNER = 'config';

async function main(): Promise<void> {
  const version = readVersion();
  const flags = readFlags(process.argv.slice(2));
  if (flags.help || flags.version) {
    process.stdout.write(flags.help ? helpText() : `sip-keepalive-exporter ${version}\n`);
    return;
  }
  const config = readConfig({ flags, env: process.env, version });
  const webConfig =
    config.webConfigFile === '' ? undefined : new WebConfigFile(config.webConfigFile);
  const paths = allSettings(config).flatMap(([, settings]) => filesOf(settings));
  const files = new WatchedFiles(paths, [config.dns.hostsFile], (contents) =>
    checkFiles(config, contents),
  );
  if (config.isCheck) {
    process.stdout.write(`The configuration is right: ${count(config)}.\n`);
    return;
  }
  const log = createLog({ level: config.logLevel, format: config.logFormat }, (line) => {
    process.stderr.write(line);
  });
  await run(config, files, webConfig, version, log);
}

/** The settings of every module, and of every destination with settings of its own, with their places. */
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

/** @throws ConfigError when files do not hold the certificates, keys and passwords that they should. */
function checkFiles(config: Config, contents: ReadonlyMap<string, string>): void {
  const files = new Files();
  files.set(contents);
  const contexts = new TlsContexts(files, () => {});
  const faults = allSettings(config).flatMap(([place, { tls, auth }]) => {
    try {
      if (filesIn(tls).length > 0) contexts.of(tls);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const named = filesIn(tls).join(', ');
      return [`${place}tls_config: expected certificates and keys in ${named}, got ${why}`];
    }
    const path = auth?.passwordFile ?? '';
    if (path === '' || isPassword(files.text(path))) return [];
    return [`${place}auth.password_file: expected one line in ${path}, got none or more`];
  });
  if (faults.length > 0) throw new ConfigError([...new Set(faults)].join('\n'));
}

function isPassword(text: string): boolean {
  return /^[^\r\n\0]+(?:\r?\n)?$/.test(text);
}

function warnOfDscp(config: Config, log: Logger): void {
  const isUnmarked = ({ uri, settings }: Config['destinations'][number]) =>
    settings.dscp !== 0 &&
    (!CAN_SET_DSCP || transportOf(parseUri(uri), settings.transport) === 'udp');
  const destinations = config.destinations.filter(isUnmarked).length;
  if (destinations > 0)
    log.warn({ destinations }, 'dscp is not set: this Node.js cannot do it there');
}

async function run(
  config: Config,
  files: WatchedFiles,
  webConfig: WebConfigFile | undefined,
  version: string,
  log: Logger,
): Promise<void> {
  const ledger = createLedger();
  const roster = new Roster({
    watch: (entries) => supervisor.watch(entries),
    unwatch: (slots) => supervisor.unwatch(slots),
  });
  const supervisor = new Supervisor({
    ledger,
    dns: config.dns,
    watched: () => roster.all(),
    onTargets: (resolved) => roster.setTargets(resolved),
    onServers: (servers) => roster.setServers(servers),
    onPeers: (peers) => roster.setPeers(peers),
    files: () => files.contents(),
    onChanged: (changes) => logChanges(log, roster, changes),
    log: ({ level, message, fields }: LogLine) => log[level](fields, message),
  });
  const exporter = {
    version,
    ledger: new LedgerReader(ledger),
    roster,
    pinger: supervisor,
    modules: config.modules,
    moduleText: (name: string) => showModule(config, name),
    probes: { isEnabled: config.isProbeEnabled, allow: config.probeAllow },
    configText: () => showConfig(config),
    configLoadedAtMs: Date.now(),
    now: () => Date.now(),
  };
  const app = createApp({
    exporter,
    ...(webConfig === undefined ? {} : { guard: basicAuth(() => webConfig.current()) }),
    onError: (error, path) => log.error({ path, error: String(error) }, 'a request failed'),
  });
  const { host, port } = config.webListenAddress;
  const onError = (error: unknown) =>
    log.error({ error: String(error) }, 'the HTTP server has trouble');
  const server = await listen({ handler: app, host, port, webConfig, onError });
  log.info({ version, url: server.url }, 'listening');
  supervisor.start();
  files.watch(
    () => {
      log.info('a file that the settings name has changed');
      supervisor.tellFiles();
    },
    (error) => {
      const text = error instanceof Error ? error.message : String(error);
      log.error({ error: text }, 'a changed file is wrong; what it held before stays in use');
    },
  );
  warnOfDscp(config, log);
  roster.add(OWNER, config.destinations);
  if (roster.size === 0) log.warn('no destinations are configured; see --help');
  else log.info({ destinations: roster.size }, 'watching');

  process.on('SIGHUP', () => log.warn('there is no reload; start again for a new configuration'));
  await firstSignal();
  log.info('stopping');
  files.close();
  await Promise.all([server.close(), supervisor.stop()]);
  // A password that is still being compared need not be waited for.
  process.exit(0);
}

function logChanges(log: Logger, roster: Roster, changes: readonly Change[]): void {
  for (const { destination, from, to, reason, trouble } of changes) {
    const name = roster.at(destination)?.destination.name;
    if (name === undefined) continue;
    const why = reason === undefined ? {} : { reason, why: trouble || inWords(reason) };
    const level = to === 'down' ? 'warn' : 'info';
    log[level]({ destination: name, from, ...why }, `destination is ${to}`);
  }
}

function firstSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

function count({ destinations, modules }: Config): string {
  return `${destinations.length} destinations, ${Object.keys(modules).length - 1} modules`;
}

main().catch((error: unknown) => {
  const isUsage =
    error instanceof ConfigError || error instanceof WebConfigError || error instanceof FilesError;
  const text = error instanceof Error ? (isUsage ? error.message : error.stack) : String(error);
  process.stderr.write(`sip-keepalive-exporter: ${isListening(error) ? error.message : text}\n`);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
});

/** Whether the server could not listen: a fact about the machine, which needs no stack. */
function isListening(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
