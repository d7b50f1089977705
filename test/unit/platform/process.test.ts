import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openFileLimit } from '../../../src/platform/open-files.js';
import { readVersion } from '../../../src/platform/version.js';

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(readVersion(), version);
});

test('the limit of open files is the soft limit that Node.js reports', () => {
  const report = process.report.getReport() as unknown as {
    readonly userLimits: { readonly open_files: { readonly soft: number | string } };
  };
  const { soft } = report.userLimits.open_files;
  assert.equal(openFileLimit(), soft === 'unlimited' ? undefined : Number(soft));
});
