/**
 * Runs unit tests by name: `npm run test:unit -- dns/lookup-cache`. Without a name it runs all of
 * them; with `--watch` it runs them again whenever a source file changes.
 */

import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const DIST = join(process.cwd(), 'dist', 'test', 'unit');

/** `dns/client`, `client`, `test/unit/dns/client.test.ts` and `test/unit/dns` all name a test. */
function filesNamed(name: string, all: readonly string[]): readonly string[] {
  const plain = name.replace(/^(?:\.\/)?(?:test\/unit\/)?/, '').replace(/(?:\.test)?\.[jt]s$/, '');
  const path = plain.replace(/\/$/, '');
  return all.filter((file) => {
    const test = file.replace(/\.test\.js$/, '');
    return test === path || test.endsWith(`/${path}`) || test.startsWith(`${path}/`);
  });
}

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const flags = args.filter((arg) => arg.startsWith('--'));
const all = readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.test.js'),
);
const unknown = names.filter((name) => filesNamed(name, all).length === 0);
if (unknown.length > 0) {
  console.error(`no unit test is named ${unknown.join(' or ')}; they are:`);
  for (const file of all.toSorted()) console.error(`  ${file.replace(/\.test\.js$/, '')}`);
  process.exit(2);
}
const chosen = names.length === 0 ? all : names.flatMap((name) => filesNamed(name, all));

if (flags.includes('--watch')) {
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', 'tsconfig.json', '--watch', '--preserveWatchOutput'];
  spawn(process.execPath, [compiler, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
}
const files = [...new Set(chosen)].map((file) => join(DIST, file));
const run = spawn(process.execPath, ['--test', ...flags, ...files], { stdio: 'inherit' });
run.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
