import assert from 'node:assert/strict';
import { chmodSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileStamp } from '../../../src/platform/file-stamp.js';
import { folder } from '../../support/process.js';

test('the stamp of a file changes with its content, its inode and its permissions', (t) => {
  const path = join(folder(t), 'f');
  const seen: string[] = [];
  const isNew = (what: string) => {
    const { text } = fileStamp(path);
    assert.ok(!seen.includes(text), what);
    assert.equal(fileStamp(path).text, text, `${what}: the same while nothing changes`);
    seen.push(text);
  };
  isNew('missing');
  writeFileSync(path, 'one');
  utimesSync(path, 1_000, 1_000);
  isNew('written');
  writeFileSync(path, 'longer');
  utimesSync(path, 1_000, 1_000);
  isNew('another size in the same second');
  chmodSync(path, 0o400);
  isNew('other permissions');
  writeFileSync(`${path}.new`, 'longer');
  utimesSync(`${path}.new`, 1_000, 1_000);
  renameSync(`${path}.new`, path);
  isNew('replaced by another file of the same size and time');
  rmSync(path);
  assert.equal(fileStamp(path).text, seen[0], 'missing again');
});

test('the stamp has the modification time of the file, or 0 without a file', (t) => {
  const path = join(folder(t), 'f');
  assert.equal(fileStamp(path).writtenAtMs, 0);
  writeFileSync(path, '');
  utimesSync(path, 1_000, 1_000);
  assert.equal(fileStamp(Buffer.from(path)).writtenAtMs, 1_000_000);
});
