/** What an attack is, and the processes that carry it out. */

import { fileURLToPath } from 'node:url';
import type { Exporter, ExporterOptions } from '../exporter.js';
import { FAR_CORE, pinned } from '../machine.js';
import type { Scene } from '../scene.js';
import type { Running } from '../stage.js';

/** An attack by its name. */
export interface Attack {
  readonly what: string;
  /** Other requests cannot but wait for what it asks for: how long is told, and has no goal. */
  readonly isWaitedFor?: boolean;
  /** Starts what the exporter will deal with; nothing of it does harm yet. */
  readonly prepare: (attackers: Attackers) => Promise<Prepared>;
}

/** Further settings of the exporter, and what happens once it has settled. */
export interface Prepared {
  readonly exporter?: Pick<ExporterOptions, 'flags' | 'more' | 'openFiles' | 'headers'>;
  /** From the first pings until it has settled; 2.5 s where there is nothing special. */
  readonly settleMs?: number;
  /** Between two requests of other clients; 50 ms where there is nothing special. */
  readonly pollEveryMs?: number;
  /** From here on there is harm, until the window is over. */
  readonly begin: (exporter: Exporter) => Promise<void>;
  /** Whether there was harm enough; the window lasts until then, a minute at the most. */
  readonly isEnough?: () => Promise<boolean>;
  /** Figures of its own, asked for at the end of the window while the harm goes on. */
  readonly report?: (exporter: Exporter, course: Course) => Promise<readonly OwnFigure[]>;
}

/** How the window went. */
export interface Course {
  readonly seconds: number;
  /** The longest wait of another client's request, and the usual one before the attack. */
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

/** A process that attacks, or that will. */
export interface Attacker {
  /** The first line that it printed: its port, where it is a server. */
  readonly port: string;
  readonly ask: (line?: string) => Promise<string>;
}

/** Starts processes, and ends them. They are held to the core of the far end. */
export class Attackers {
  readonly scene: Scene;
  readonly #running: Running[] = [];

  constructor(scene: Scene) {
    this.scene = scene;
  }

  /** Waits until it is ready. @param script one of bench/children. */
  async start(script: string, ...args: readonly string[]): Promise<Attacker> {
    const path = fileURLToPath(new URL(`../children/${script}.js`, import.meta.url));
    const command = pinned(FAR_CORE, [process.execPath, path, ...args]);
    const running = this.scene.stage.start(command);
    this.#running.push(running);
    return { port: await running.line(), ask: (line = '') => running.ask(line) };
  }

  /** At once: there is nothing that they would have to put in order. */
  async stop(): Promise<void> {
    await Promise.all(this.#running.map((running) => running.stop('SIGKILL')));
  }
}

/** Lines of the configuration with so many destinations, each with these settings of its own. */
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
