#!/usr/bin/env node

/** The program: reads its arguments, runs, and says how it ended. */

import type { Config } from './config/config.js';
import { helpText, readFlags } from './config/flags.js';
import { ConfigError } from './config/formats.js';
import { Daemon } from './daemon.js';
import { FilesError } from './files.js';
import { WebConfigError, WebConfigFile } from './http/web-config.js';
import { load } from './loading.js';
import { createLog } from './log.js';
import { readVersion } from './version.js';

/** What was wrong with the way that we were called, as the Prometheus exporters tell it. */
const EXIT_USAGE = 2;

async function main(): Promise<void> {
  const version = readVersion();
  const flags = readFlags(process.argv.slice(2));
  if (flags.help || flags.version) {
    process.stdout.write(flags.help ? helpText() : `sip-keepalive-exporter ${version}\n`);
    return;
  }
  const sources = { flags, env: process.env, version };
  const loaded = load(sources);
  const { config } = loaded;
  const webConfig =
    config.webConfigFile === '' ? undefined : new WebConfigFile(config.webConfigFile);
  if (config.isCheck) {
    process.stdout.write(`The configuration is right: ${count(config)}.\n`);
    return;
  }
  const log = createLog({ level: config.logLevel, format: config.logFormat }, (line) => {
    process.stderr.write(line);
  });
  const daemon = new Daemon({ version, sources, loaded, webConfig, log });
  process.on('SIGHUP', () => void daemon.reload());
  const ended = firstSignal();
  await daemon.start();
  await ended;
  await daemon.stop();
  // A password that is still being compared need not be waited for.
  process.exit(0);
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
  process.exit(isUsage ? EXIT_USAGE : 1);
});

/** Whether the server could not listen: a fact about the machine, which needs no stack. */
function isListening(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
