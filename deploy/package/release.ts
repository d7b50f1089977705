/** What is packaged: name, version and date, each read from the one place that has it. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Release {
  readonly name: string;
  /** As in package.json. */
  readonly version: string;
  readonly description: string;
  readonly homepage: string;
  /** The owner of the repository on GitHub. */
  readonly owner: string;
  /** The time of all files: that of the commit, or SOURCE_DATE_EPOCH. Seconds since 1970. */
  readonly epoch: number;
}

/** @throws without package.json in the current folder, or when the time is not known. */
export function readRelease(): Release {
  const { name, version, description, homepage } = JSON.parse(
    readFileSync('package.json', 'utf8'),
  ) as Omit<Release, 'owner' | 'epoch'>;
  const [, owner = 'OWNER'] = /github\.com\/([^/]+)/.exec(homepage) ?? [];
  return { name, version, description, homepage, owner, epoch: readEpoch() };
}

function readEpoch(): number {
  const text = process.env['SOURCE_DATE_EPOCH'] ?? output('git', ['log', '-1', '--format=%ct']);
  const epoch = Number(text);
  if (Number.isInteger(epoch) && epoch > 0) return epoch;
  throw new Error(`SOURCE_DATE_EPOCH: expected seconds since 1970, got "${text}"`);
}

/** Runs a program. Returns what it writes to standard output. @throws when it fails. */
export function output(program: string, args: readonly string[], cwd = '.'): string {
  const stdio = ['ignore', 'pipe', 'inherit'] as const;
  return execFileSync(program, args, {
    cwd,
    stdio: [...stdio],
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
}
