/**
 * Runs every test, for `npm test`. Each file is a process. Files with the longest tests begin first, so that
 * none of them is left alone at the end.
 */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const FOLDER = join(process.cwd(), 'dist', 'test');
/** More than a small machine has cores: most tests wait for peers. */
const CONCURRENCY = 4;
/** The longest first. */
const LONG = [
  ...['package', 'systemd', 'image', 'compose', 'sites', 'containment', 'udp-namespace'],
  ...['udp-io', 'page-looks', 'page-destination', 'durable', 'rules', 'alerting', 'dashboards'],
].map((name) => `e2e/${name}.test.js`);

const found = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.js'))
  .sort();
const missing = LONG.filter((file) => !found.includes(file));
if (missing.length > 0) throw new Error(`no such tests: ${missing.join()}`);
const files = [...new Set([...LONG, ...found])].map((file) => join(FOLDER, file));

run({ files, concurrency: CONCURRENCY })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .compose(new spec())
  .pipe(process.stdout);
