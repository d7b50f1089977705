/** Requests of other clients during an attack, from a process of their own. */

import { fileURLToPath } from 'node:url';
import type { Running, Stage } from '../stage.js';

const SCRIPT = fileURLToPath(new URL('../children/polls.js', import.meta.url));

export interface PollReport {
  readonly longestMs: number;
  readonly medianMs: number;
  readonly answered: number;
  /** Requests without a 200. */
  readonly failed: number;
}

export interface PollOptions {
  readonly url: string;
  /** Authorization header; empty for none. */
  readonly authorization: string;
  readonly everyMs: number;
  readonly paths: readonly string[];
}

export class Polls {
  readonly #process: Running;

  private constructor(process: Running) {
    this.#process = process;
  }

  static async start(stage: Stage, options: PollOptions): Promise<Polls> {
    const { url, authorization, everyMs, paths } = options;
    const args = [url, authorization, String(everyMs), ...paths];
    const polls = new Polls(stage.start([process.execPath, SCRIPT, ...args]));
    await polls.#process.line();
    return polls;
  }

  /** Figures since the last report. */
  async report(): Promise<PollReport> {
    return JSON.parse(await this.#process.ask(''));
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}
