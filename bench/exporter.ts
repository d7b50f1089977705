/** The exporter: the real process, as a user starts it. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { download } from './http.js';
import { freeTcpPort, NEAR_CORE, pinned } from './machine.js';
import type { Scene } from './scene.js';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
/** How long it may take until every destination was pinged once. */
const FIRST_PINGS_WITHIN_MS = 60_000;

export interface ExporterOptions {
  readonly destinations: number;
  readonly intervalSeconds: number;
  /** All its threads on one core. */
  readonly isPinned: boolean;
  readonly flags?: readonly string[];
}

export interface Exporter {
  readonly pid: number;
  readonly url: string;
  /** Its configuration. */
  readonly file: string;
}

/** Starts it, uses it from when every destination was pinged once, and stops it. */
export async function withExporter<T>(
  { stage, farEnd }: Scene,
  { destinations, intervalSeconds, isPinned, flags: more = [] }: ExporterOptions,
  use: (exporter: Exporter) => Promise<T>,
): Promise<T> {
  const file = join(stage.directory, 'exporter.yml');
  writeFileSync(file, configText(farEnd.uris(destinations), intervalSeconds));
  const port = await freeTcpPort();
  const flags = ['--config.file', file, '--web.listen-address', `127.0.0.1:${port}`];
  const command = [process.execPath, MAIN, ...flags, '--log.level', 'error', ...more];
  const before = await farEnd.requests();
  const url = `http://127.0.0.1:${port}`;
  return stage.during(isPinned ? pinned(NEAR_CORE, command) : command, async (running) => {
    await stage.until('the first ping of every destination', FIRST_PINGS_WITHIN_MS, async () => {
      if (!running.isRunning) throw new Error(`the exporter ended: ${running.complaints}`);
      return (await farEnd.requests()).pings - before.pings >= destinations;
    });
    await stage.until('readiness', FIRST_PINGS_WITHIN_MS, () => isReady(url));
    return use({ pid: running.pid, url, file });
  });
}

/** As people write it; the first few may have an interval of their own, in seconds. */
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

async function isReady(url: string): Promise<boolean> {
  try {
    await download(`${url}/-/ready`);
    return true;
  } catch {
    return false;
  }
}
