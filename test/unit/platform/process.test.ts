import assert from 'node:assert/strict';
import fs, { readFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { type TestContext, test } from 'node:test';
import { openFileLimit } from '../../../src/platform/open-files.js';
import { readVersion } from '../../../src/platform/version.js';

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(readVersion(), version);
});

/** What the diagnostic report of Node.js says; undefined when there is no limit. */
function reportedLimit(): number | undefined {
  const report = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | string } };
  };
  const { soft } = report.userLimits.open_files;
  return soft === 'unlimited' ? undefined : Number(soft);
}

/** Replaces the text of /proc/self/limits during a test. */
function replaceLimits(t: TestContext, read: () => string): void {
  t.mock.method(fs, 'readFileSync', read);
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

test('the limit of open files is the soft limit that Node.js reports', () => {
  assert.equal(openFileLimit(), reportedLimit());
});

test('the limit of open files is read from /proc where there is one', (t) => {
  replaceLimits(
    t,
    () => 'Limit  Soft Limit  Hard Limit  Units\nMax open files  321  4096  files\n',
  );
  assert.equal(openFileLimit(), 321);
});

test('the limit of open files is found without /proc too', (t) => {
  replaceLimits(t, () => {
    throw new Error('ENOENT: no such file');
  });
  assert.equal(openFileLimit(), reportedLimit());
});
