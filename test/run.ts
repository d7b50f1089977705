/**
 * Runs unit tests by name: `npm run test:unit -- dns/lookup-cache`. Without a name it runs all of
 * them; with `--watch` it runs them again after each change of a source file.
 */

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { testsNamed, unitTests } from './support/unit-tests.js';

const DIST = join(process.cwd(), 'dist', 'test', 'unit');

const args = process.argv.slice(2);
const names = args.filter((arg) => !arg.startsWith('--'));
const flags = args.filter((arg) => arg.startsWith('--'));
const all = unitTests(DIST);
const unknown = names.filter((name) => testsNamed(name, all).length === 0);
if (unknown.length > 0) {
  console.error(`no unit test is named ${unknown.join(' or ')}; the unit tests are:`);
  for (const test of all) console.error(`  ${test}`);
  process.exit(2);
}
const chosen = names.length === 0 ? all : names.flatMap((name) => testsNamed(name, all));

if (flags.includes('--watch')) {
  const compiler = join('node_modules', 'typescript', 'bin', 'tsc');
  const options = ['-p', 'tsconfig.json', '--watch', '--preserveWatchOutput'];
  spawn(process.execPath, [compiler, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
}
const files = [...new Set(chosen)].map((test) => join(DIST, `${test}.test.js`));
const run = spawn(process.execPath, ['--test', ...flags, ...files], { stdio: 'inherit' });
run.once('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
