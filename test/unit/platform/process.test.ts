import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { openFileLimit } from '../../../src/platform/open-files.js';
import { readVersion } from '../../../src/platform/version.js';

test('the version is that of package.json', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  assert.equal(readVersion(), version);
});

test('the limit of open files is the one that a shell of this process sees', () => {
  const text = execFileSync('sh', ['-c', 'ulimit -Sn'], { encoding: 'utf8' }).trim();
  assert.equal(openFileLimit(), text === 'unlimited' ? undefined : Number(text));
});
