/** An attack, and the processes that carry it out. */

import { fileURLToPath } from 'node:url';
import type { Exporter, ExporterOptions } from '../exporter.js';
import { FAR_CORE, pinned } from '../machine.js';
import type { Scene } from '../scene.js';
import type { Running } from '../stage.js';

export interface Attack {
  readonly what: string;
  /** Other requests have to wait for it, so their waiting time has no goal. */
  readonly blocksOthers?: boolean;
  /** Starts the attackers, which behave well until `begin`. */
  readonly prepare: (attackers: Attackers) => Promise<Prepared>;
}

/** Settings of the exporter, and the attack itself. */
export interface Prepared {
  readonly exporter?: Pick<ExporterOptions, 'flags' | 'more' | 'openFiles' | 'headers'>;
  /** From the first pings until the exporter has settled; default 2.5 s. */
  readonly settleMs?: number;
  /** Between two requests of other clients; default 50 ms. */
  readonly pollEveryMs?: number;
  /** Starts the attack, which lasts until the end of the window. */
  readonly begin: (exporter: Exporter) => Promise<void>;
  /** Whether the attack did enough; extends the window up to a minute. */
  readonly isEnough?: () => Promise<boolean>;
  /** Figures of the attack, taken at the end of the window while it continues. */
  readonly report?: (exporter: Exporter, course: Course) => Promise<readonly OwnFigure[]>;
}

/** Figures of the window. */
export interface Course {
  readonly seconds: number;
  /** Longest waiting time of another client's request, and the median before the attack. */
  readonly longestWaitMs: number;
  readonly calmWaitMs: number;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
}

export interface OwnFigure {
  readonly what: string;
  readonly figure: string;
  readonly goal?: string;
  readonly verdict?: string;
}

/** An attacking process. */
export interface Attacker {
  /** Its first line of output: the port of a server. */
  readonly port: string;
  readonly ask: (line?: string) => Promise<string>;
}

/** Starts and stops the attacking processes, on the core of the far end. */
export class Attackers {
  readonly scene: Scene;
  readonly #running: Running[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Resolves when it is ready. @param script one of bench/children. */
  async start(script: string, ...args: readonly string[]): Promise<Attacker> {
    const path = fileURLToPath(new URL(`../children/${script}.js`, import.meta.url));
    const command = pinned(FAR_CORE, [process.execPath, path, ...args]);
    const running = this.scene.stage.start(command);
    this.#running.push(running);
    return { port: await running.line(), ask: (line = '') => running.ask(line) };
  }

  /** Kills them: they have nothing to clean up. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop('SIGKILL')));
  }
}

/** Lines of the configuration: `count` destinations, each with these settings. */
export function destinationLines(
  count: number,
  name: string,
  uri: (index: number) => string,
  settings: string,
): string {
  const line = (_: unknown, i: number) =>
    `  - { name: ${name}-${i}, uri: "${uri(i)}", ${settings} }\n`;
  return Array.from({ length: count }, line).join('');
}
