import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { MIN_NODE_VERSION, nodeVersionProblem } from '../../../src/platform/node-version.js';
import { MAIN } from '../../support/exporter.js';
import { folder } from '../../support/process.js';

test('the minimum version is the one in package.json', () => {
  const manifest: unknown = JSON.parse(readFileSync('package.json', 'utf8'));
  const { engines } = manifest as { readonly engines: { readonly node: string } };
  assert.equal(engines.node, `>=${MIN_NODE_VERSION}`);
});

test('the error for an old Node.js names its version and the minimum', () => {
  for (const version of ['14.21.3', '16.20.2', '18.20.4', '20.0.0', '20.18.3']) {
    assert.equal(
      nodeVersionProblem(version),
      `Node.js ${MIN_NODE_VERSION} or later is required; this is ${version}`,
    );
  }
  for (const version of [
    '20.19.0',
    '20.20.1',
    '22.0.0',
    '24.1.0',
    '100.0.0',
    process.versions.node,
  ]) {
    assert.equal(nodeVersionProblem(version), undefined);
  }
});

test('on a Node.js that is too old the program ends with one line and exit code 2', (t) => {
  const fake = join(folder(t), 'fake.cjs');
  const versions = "{ value: { ...process.versions, node: '18.20.4' } }";
  writeFileSync(fake, `Object.defineProperty(process, 'versions', ${versions});\n`);
  const args = ['--require', fake, MAIN, '--help'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  assert.deepEqual(
    [status, stdout, stderr],
    [2, '', 'sip-keepalive-exporter: Node.js 20.19 or later is required; this is 18.20.4\n'],
  );
});
