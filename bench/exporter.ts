/** Starts the exporter as a process, as a user does. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download, type Headers } from './http.js';
import { freeTcpPort, NEAR_CORE, pinned } from './machine.js';
import type { Scene } from './scene.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
/** Time limit for the first ping of every destination. */
const FIRST_PINGS_WITHIN_MS = 60_000;

export interface ExporterOptions {
  readonly destinations: number;
  readonly intervalSeconds: number;
  /** All its threads on one core. */
  readonly isPinned: boolean;
  readonly flags?: readonly string[];
  /** By default `error`. */
  readonly logLevel?: 'debug' | 'trace';
  /** Lines of the configuration after the destinations: more of them, or other settings. */
  readonly more?: string;
  /** Limit of descriptors; by default that of this process. */
  readonly openFiles?: number;
  /** Headers of requests to it, such as a password. */
  readonly headers?: Headers;
}

export interface Exporter {
  readonly pid: number;
  readonly url: string;
  /** Its configuration. */
  readonly file: string;
}

/** Starts the exporter, calls `use` once every destination has been pinged, and stops it. */
export async function withExporter<T>(
  { stage, farEnd }: Scene,
  options: ExporterOptions,
  use: (exporter: Exporter) => Promise<T>,
): Promise<T> {
  const { destinations, intervalSeconds, isPinned, more = '', headers = {} } = options;
  const file = join(stage.directory, 'exporter.yml');
  writeFileSync(file, configText(farEnd.uris(destinations), intervalSeconds) + more);
  const port = await freeTcpPort();
  const flags = ['--config.file', file, '--web.listen-address', `127.0.0.1:${port}`];
  flags.push('--web.enable-lifecycle');
  flags.push('--log.level', options.logLevel ?? 'error', ...(options.flags ?? []));
  const command = limited(options.openFiles, [process.execPath, MAIN, ...flags]);
  const before = await farEnd.requests();
  const url = `http://127.0.0.1:${port}`;
  return stage.during(isPinned ? pinned(NEAR_CORE, command) : command, async (running) => {
    await stage.until('the first ping of every destination', FIRST_PINGS_WITHIN_MS, async () => {
      if (!running.isRunning) throw new Error(`the exporter ended: ${running.errorOutput}`);
      return (await farEnd.requests()).pings - before.pings >= destinations;
    });
    await stage.until('readiness', FIRST_PINGS_WITHIN_MS, () => isReady(url, headers));
    return use({ pid: running.pid, url, file });
  });
}

/** As YAML. The first few destinations may have an interval of their own, in seconds. */
export function configText(
  uris: readonly string[],
  intervalSeconds: number,
  own: { readonly first: number; readonly intervalSeconds: number } = { first: 0, intervalSeconds },
): string {
  const lines = uris.map((uri, index) => {
    const interval = index < own.first ? `    ping_interval: ${own.intervalSeconds}\n` : '';
    return `  - uri: ${uri}\n    name: gateway-${index}\n    labels: { site: s${index % 20} }\n${interval}`;
  });
  return `ping_interval: ${intervalSeconds}\ndestinations:\n${lines.join('')}`;
}

/** The command with a limit of descriptors. */
function limited(openFiles: number | undefined, command: readonly string[]): readonly string[] {
  if (openFiles === undefined) return command;
  return ['sh', '-c', `ulimit -n ${openFiles}; exec "$0" "$@"`, ...command];
}

async function isReady(url: string, headers: Headers): Promise<boolean> {
  try {
    await download(`${url}/-/ready`, headers);
    return true;
  } catch {
    return false;
  }
}
