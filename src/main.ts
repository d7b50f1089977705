#!/usr/bin/env node
/** The process: reads the configuration, joins the parts, starts and ends them in order. */

import type { Logger } from 'pino';
import { type Config, readConfig } from './config/config.js';
import { helpText, readFlags } from './config/flags.js';
import { ConfigError } from './config/formats.js';
import { showConfig } from './config/show.js';
import { createApp } from './http/app.js';
import { basicAuth } from './http/guard.js';
import { listen } from './http/server.js';
import { WebConfigError, WebConfigFile } from './http/web-config.js';
import { createLog } from './log.js';
import { Roster } from './roster.js';
import { createLedger } from './shared/ledger/cells.js';
import { LedgerReader } from './shared/ledger/reader.js';
import { inWords } from './shared/outcome.js';
import type { Change, LogLine } from './shared/protocol.js';
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
  if (config.isCheck) {
    process.stdout.write(`The configuration is right: ${count(config)}.\n`);
    return;
  }
  const log = createLog({ level: config.logLevel, format: config.logFormat }, (line) => {
    process.stderr.write(line);
  });
  await run(config, webConfig, version, log);
}

async function run(
  config: Config,
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
    dnsServers: config.dnsServers,
    watched: () => roster.all(),
    onTargets: (resolved) => roster.setTargets(resolved),
    onServers: (servers) => roster.setServers(servers),
    onChanged: (changes) => logChanges(log, roster, changes),
    log: ({ level, message, fields }: LogLine) => log[level](fields, message),
  });
  const exporter = {
    version,
    ledger: new LedgerReader(ledger),
    roster,
    pinger: supervisor,
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
  roster.add(OWNER, config.destinations);
  if (roster.size === 0) log.warn('no destinations are configured; see --help');
  else log.info({ destinations: roster.size }, 'watching');

  process.on('SIGHUP', () => log.warn('there is no reload; start again for a new configuration'));
  await firstSignal();
  log.info('stopping');
  await Promise.all([server.close(), supervisor.stop()]);
  // A password that is still being compared need not be waited for.
  process.exit(0);
}

function logChanges(log: Logger, roster: Roster, changes: readonly Change[]): void {
  for (const { destination, from, to, reason } of changes) {
    const name = roster.at(destination)?.destination.name;
    if (name === undefined) continue;
    const why = reason === undefined ? {} : { reason, why: inWords(reason) };
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
  const isUsage = error instanceof ConfigError || error instanceof WebConfigError;
  const text = error instanceof Error ? (isUsage ? error.message : error.stack) : String(error);
  process.stderr.write(`sip-keepalive-exporter: ${isListening(error) ? error.message : text}\n`);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
});

/** Whether the server could not listen: a fact about the machine, which needs no stack. */
function isListening(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
