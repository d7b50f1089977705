/** Child processes of tests. Each is stopped after the test that started it. */

import {
  type ChildProcess,
  type SpawnOptions,
  type SpawnSyncOptions,
  spawn,
  spawnSync,
} from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathOf } from './tools.js';

/** Long enough for the slowest machine; a check that succeeds does not wait longer. */
const TIMEOUT_MS = 60_000;

export interface Running {
  readonly child: ChildProcess;
  /** Everything that it has written, to both streams. */
  output(): string;
  /** Waits for output that matches. It may arrive after a response that was sent later. */
  logged(pattern: RegExp): Promise<void>;
  /** Sends the signal and waits for the exit. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a program of test/support/tools.ts, or the one at a path. */
export function run(
  t: Pick<TestContext, 'after'>,
  program: string,
  args: readonly string[],
  options: SpawnOptions = {},
): Running {
  const child = spawn(pathOf(program), args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  child.stderr?.on('data', (data) => {
    output += data;
  });
  child.on('error', (error) => {
    output += String(error);
  });
  const stop = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  t.after(() => stop());
  const logged = async (pattern: RegExp) => {
    await eventually(`output with ${pattern}`, () => pattern.test(output));
  };
  return { child, output: () => output, logged, stop };
}

export interface Ended {
  /** The exit code; null if a signal ended the process. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams. */
  readonly output: string;
}

/** Runs such a program to its end. Blocks the test. */
export function runToEnd(
  program: string,
  args: readonly string[],
  options: Omit<SpawnSyncOptions, 'encoding'> = {},
): Ended {
  const ended = spawnSync(pathOf(program), args, { ...options, encoding: 'utf8' });
  if (ended.error !== undefined) throw ended.error;
  const { status, stdout, stderr } = ended;
  return { status, stdout, stderr, output: stdout + stderr };
}

/** A test, or the hook `after` of a suite: calls the function at its end. */
export interface CleanUps {
  after(cleanUp: () => void): void;
}

/** A folder that is deleted after the test. */
export function folder(t: CleanUps): string {
  const path = mkdtempSync(join(tmpdir(), 'sip-keepalive-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Waits until `check` returns a value. @throws with `expected` after the time limit. */
export async function eventually<T>(
  expected: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = TIMEOUT_MS,
): Promise<T> {
  const end = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result;
    } catch (error) {
      last = error;
    }
    await sleep(50);
  }
  throw new Error(`not within ${withinMs} ms: ${expected}`, { cause: last });
}
