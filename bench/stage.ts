/** What a run has opened: its processes, its directory, and the signal that ends it. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a process may take to end once it was asked to. */
const PATIENCE_MS = 3000;
/** Characters of a process's complaints that are kept. */
const TAIL = 2000;

export class Stage {
  /** For files of this run; gone at its end. */
  readonly directory = mkdtempSync(join(tmpdir(), 'sip-keepalive-bench-'));
  readonly #signal: AbortSignal;
  readonly #running = new Set<Running>();

  /** @param signal ends every wait, and with it the run. */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** The run was interrupted. */
  get isOver(): boolean {
    return this.#signal.aborted;
  }

  /** Starts a process that is ended with the stage at the latest. */
  start(command: readonly string[]): Running {
    this.#signal.throwIfAborted();
    const running = new Running(command);
    this.#running.add(running);
    void running.ended.then(() => this.#running.delete(running));
    return running;
  }

  /** Runs a process for as long as it is used. */
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

  /** Looks again and again until it is so. @throws when it is not within the time. */
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
  /** Settles, and never fails, when the process is gone. */
  readonly ended: Promise<void>;
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #complaints = '';

  constructor(command: readonly string[]) {
    const [file = '', ...args] = command;
    this.#name = command.join(' ').slice(0, 200);
    // Our own settings must not reach the exporter by its environment.
    this.#child = spawn(file, args, { env: { PATH: process.env['PATH'] }, stdio: 'pipe' });
    this.pid = this.#child.pid ?? 0;
    this.ended = new Promise((resolve) => {
      this.#child.once('close', () => resolve());
      this.#child.once('error', (error) => {
        this.#complaints += error.message;
        resolve();
      });
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('expected pipes');
    // The process may be gone before it reads; that is told by what it does not answer.
    stdin.on('error', () => {});
    stderr.on('data', (bytes: Buffer) => {
      this.#complaints = (this.#complaints + bytes.toString()).slice(-TAIL);
    });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  /** What it wrote to standard error, the end of it. */
  get complaints(): string {
    return this.#complaints;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null && this.pid !== 0;
  }

  /** The next line of its standard output. @throws when it ends without one. */
  async line(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done !== true) return next.value;
    throw new Error(`${this.#name} ended: ${this.#complaints || 'without a word'}`);
  }

  /** Sends a line and waits for the one that answers it. */
  async ask(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return this.line();
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    const patience = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE_MS);
    if (this.isRunning) await once(this.#child, 'exit');
    clearTimeout(patience);
  }
}
