/** What a run has open: its processes, its directory, and the signal that stops it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Time that a process has to exit before it is killed. */
const EXIT_TIMEOUT_MS = 3000;
/** Characters of standard error that are kept. */
const MAX_ERROR_OUTPUT = 2000;

export class Stage {
  /** For files of this run; deleted at its end. */
  readonly directory = mkdtempSync(join(tmpdir(), 'sip-keepalive-bench-'));
  readonly #signal: AbortSignal;
  readonly #running = new Set<Running>();

  /** @param signal aborts every wait, and so the run. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The run was interrupted. */
  get isOver(): boolean {
    return this.#signal.aborted;
  }

  /** Starts a process. `close` stops it at the latest. */
  start(command: readonly string[]): Running {
    this.#signal.throwIfAborted();
    const running = new Running(command);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running)); // Never rejects.
    return running;
  }

  /** Runs a process during `use`. */
  async during<T>(command: readonly string[], use: (running: Running) => Promise<T>): Promise<T> {
    const running = this.start(command);
    try {
      return await use(running);
    } finally {
      await running.stop();
    }
  }

  async sleep(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#signal });
  }

  /** Polls until `isSo` holds. @throws after the time limit. */
  async until(what: string, withinMs: number, isSo: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + withinMs;
    while (!(await isSo())) {
      if (performance.now() > deadline) {
        throw new Error(`${what}: expected within ${withinMs / 1000} s, got nothing`);
      }
      await this.sleep(50);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** A process. */
export class Running {
  readonly pid: number;
  /** Resolves when the process has ended; never rejects. */
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errorOutput = '';

  constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.#name = command.join(' ').slice(0, 200);
    // The settings of this environment must not reach the exporter.
    this.#child = spawn(file, args, { env: { PATH: process.env['PATH'] }, stdio: 'pipe' });
    this.pid = this.#child.pid ?? 0;
    this.ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.#errorOutput += error.message;
        resolve();
      });
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('expected pipes');
    // The process may end before it reads; `line` reports that.
    stdin.on('error', () => {});
    stderr.on('data', (bytes: Buffer) => {
      this.#errorOutput = (this.#errorOutput + bytes.toString()).slice(-MAX_ERROR_OUTPUT);
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** The end of its standard error. */
  get errorOutput(): string {
    return this.#errorOutput;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.pid !== 0;
  }

  /** The next line of its standard output. @throws when it ends without one. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done !== true) return next.value;
    throw new Error(`${this.#name} ended: ${this.#errorOutput || 'without output'}`);
  }

  /** Sends a line and waits for its answer. */
  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), EXIT_TIMEOUT_MS);
    if (this.isRunning) await once(this.#child, 'exit');
    clearTimeout(timer);
  }
}
