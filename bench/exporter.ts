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
}

export interface Exporter {
  readonly pid: number;
  readonly url: string;
}

/** Starts it, uses it from when every destination was pinged once, and stops it. */
export async function withExporter<T>(
  { stage, farEnd }: Scene,
  { destinations, intervalSeconds, isPinned }: ExporterOptions,
  use: (exporter: Exporter) => Promise<T>,
): Promise<T> {
  const file = join(stage.directory, 'exporter.json');
  const config = { ping_interval: intervalSeconds, destinations: farEnd.uris(destinations) };
  writeFileSync(file, JSON.stringify(config));
  const port = await freeTcpPort();
  const flags = ['--config.file', file, '--web.listen-address', `127.0.0.1:${port}`];
  const command = [process.execPath, MAIN, ...flags, '--log.level', 'error'];
  const before = await farEnd.requests();
  const url = `http://127.0.0.1:${port}`;
  return stage.during(isPinned ? pinned(NEAR_CORE, command) : command, async (running) => {
    await stage.until('the first ping of every destination', FIRST_PINGS_WITHIN_MS, async () => {
      if (!running.isRunning) throw new Error(`the exporter ended: ${running.complaints}`);
      return (await farEnd.requests()).pings - before.pings >= destinations;
    });
    await stage.until('readiness', FIRST_PINGS_WITHIN_MS, () => isReady(url));
    return use({ pid: running.pid, url });
  });
}

async function isReady(url: string): Promise<boolean> {
  try {
    await download(`${url}/-/ready`);
    return true;
  } catch {
    return false;
  }
}
