/** The program: reads its arguments, runs until a signal and returns its exit code. */

import type { Config } from './config/config.js';
import { helpText, readFlags } from './config/flags.js';
import { ConfigError } from './config/formats.js';
import { type Loaded, load } from './config/load.js';
import { Daemon } from './daemon.js';
import { WebConfigFile } from './http/server/web-config.js';
import { WebConfigError } from './http/server/web-config-error.js';
import { StateDirectoryError } from './platform/journal-reader.js';
import { createLog } from './platform/log.js';
import { LogOutput, sendTo } from './platform/log-output.js';
import { SystemdSocketError, systemdSockets } from './platform/systemd-sockets.js';
import { readVersion } from './platform/version.js';
import { FilesError } from './platform/watched-files.js';
import { systemClock } from './shared/clock.js';
import { checkSources, checkText } from './source-check.js';

/** The exit code for invalid arguments, an invalid configuration or an unreadable source, as in the Prometheus exporters. */
const EXIT_USAGE = 2;

const USAGE_ERRORS = [
  ConfigError,
  WebConfigError,
  FilesError,
  StateDirectoryError,
  SystemdSocketError,
] as const;
/** Maximum time for writing the last log lines. */
const FLUSH_MS = 1_000;

/** Where the program writes to. */
export interface Outputs {
  readonly stdout: LogOutput;
  readonly stderr: LogOutput;
}

/** Those of the process. */
export function standardOutputs(): Outputs {
  return {
    stdout: new LogOutput(sendTo(process.stdout, 1, systemClock), systemClock),
    stderr: new LogOutput(sendTo(process.stderr, 2, systemClock), systemClock),
  };
}

/** Runs the program. Returns the exit code; never rejects. */
export async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  outputs = standardOutputs(),
): Promise<number> {
  const { stderr } = outputs;
  const code = await start(args, env, outputs).catch((error) => fail(error, stderr));
  await stderr.flush(FLUSH_MS);
  return code;
}

/** Returns the exit code. @throws one of USAGE_ERRORS, or an error of the system. */
async function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: Outputs,
): Promise<number> {
  const version = readVersion();
  const flags = readFlags(args);
  if (flags.help) return print(stdout, helpText());
  if (flags.version) return print(stdout, `sip-keepalive-exporter ${version}\n`);
  const sources = { flags, env, version };
  const loaded = load(sources);
  const { config } = loaded;
  const webConfig =
    config.web.configFile === '' ? undefined : new WebConfigFile(config.web.configFile);
  if (config.check !== 'off') return check(loaded, version, { stdout, stderr });
  const options = { level: config.logLevel, format: config.logFormat };
  const log = createLog(options, (line) => stderr.write(line));
  const listeners = listenersOf(config.web, env);
  const daemon = new Daemon({
    ...{ version, sources, loaded, listeners, webConfig, log },
    logOutput: stderr,
  });
  // An error that no part handles ends only the work that caused it.
  process.on('uncaughtException', (error) => daemon.faults.report('main thread', error));
  process.on('unhandledRejection', (error) => daemon.faults.report('promise', error));
  process.on('SIGHUP', () => daemon.requestReload());
  const ended = firstSignal();
  await daemon.start();
  await ended;
  await daemon.stop();
  return 0;
}

/** Prints the result of reading the sources of a valid configuration. Returns the exit code. */
async function check(
  loaded: Loaded,
  version: string,
  { stdout, stderr }: Outputs,
): Promise<number> {
  const checked = await checkSources(loaded, { version, clock: systemClock });
  const valid = `configuration is valid: ${count(loaded.config)}\n`;
  const code = await print(stdout, `${valid}${checkText(checked)}`);
  const failed = checked.filter(({ error }) => error !== '').length;
  if (failed === 0) return code;
  const sources = `${failed} of ${checked.length} sources`;
  stderr.write(`sip-keepalive-exporter: ${sources} cannot be read\n`);
  return EXIT_USAGE;
}

function listenersOf({ isSystemdSocket, listenAddresses }: Config['web'], env: NodeJS.ProcessEnv) {
  if (!isSystemdSocket) return listenAddresses;
  return systemdSockets(env, process.pid).map((fd) => ({ kind: 'descriptor', fd }) as const);
}

/** Writes a text to standard output, however slow the reader is. Returns the exit code. */
async function print(stdout: LogOutput, text: string): Promise<number> {
  stdout.write(text);
  await stdout.flush(2 ** 31 - 1);
  return stdout.dropped === 0 ? 0 : 1;
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

/** Prints an error that ends the program. Returns the exit code. */
function fail(error: unknown, stderr: LogOutput): number {
  const isUsage = USAGE_ERRORS.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isUsage ? error.message : error.stack) : String(error);
  stderr.write(`sip-keepalive-exporter: ${isListenError(error) ? error.message : text}\n`);
  return isUsage ? EXIT_USAGE : 1;
}

/** Whether the HTTP server could not listen, for example because the address is in use: not a bug, so no stack. */
function isListenError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && error.syscall === 'listen';
}
