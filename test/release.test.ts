/** What a release needs: a version in one place, its notes, and its tag. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { checkTag, ReleaseError, releaseNotes } from '../deploy/package/notes.js';
import { readVersion } from '../src/platform/version.js';
import { runToEnd } from './support/process.js';

const read = (path: string) => readFileSync(path, 'utf8');
const VERSION = readVersion();
const CHANGELOG = `# Changelog

## [Unreleased]

## [1.1.0-rc.1] - 2027-01-31

### Added

- One thing, see [1.0.0].

## [1.0.0] - 2027-01-01

### Fixed

- Another.

## [0.9.0] - soon

- Nothing yet.

## [0.8.0] - 2026-01-01

[1.0.0]: https://example.com
`;

describe('the version', () => {
  test('is that of package.json in every other file', () => {
    const named = /sip-keepalive-exporter[-_:]v?(\d+\.\d+\.\d+)/g;
    const files = ['.', 'docs', 'deploy', 'deploy/kubernetes', 'grafana'].flatMap((folder) =>
      readdirSync(folder, { withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name }) => join(folder, name)),
    );
    const found = files.flatMap((path) =>
      [...read(path).matchAll(named)].map(([text]) => `${path}: ${text}`),
    );
    assert.ok(found.length >= 3, found.join('\n'));
    assert.deepEqual(
      found.filter((line) => !line.endsWith(VERSION)),
      [],
    );
    const chart = read('deploy/helm/sip-keepalive-exporter/Chart.yaml');
    assert.ok(chart.includes(`\nversion: ${VERSION}\nappVersion: ${VERSION}\n`));
    assert.equal(JSON.parse(read('package-lock.json')).version, VERSION);
  });

  test('has notes in the changelog, and a link', () => {
    const changelog = read('CHANGELOG.md');
    assert.match(releaseNotes(changelog, VERSION), /^- /m);
    assert.match(changelog, /^## \[Unreleased\]$/m);
    for (const [, name] of changelog.matchAll(/^## \[([^\]]+)\]/gm))
      assert.ok(changelog.includes(`\n[${name}]: https://`), name);
  });
});

describe('the notes of a release', () => {
  test('are the section of its version, without headings and links of others', () => {
    assert.equal(releaseNotes(CHANGELOG, '1.1.0-rc.1'), '### Added\n\n- One thing, see [1.0.0].\n');
    assert.equal(releaseNotes(CHANGELOG, '1.0.0'), '### Fixed\n\n- Another.\n');
  });

  for (const [version, problem] of [
    ['2.0.0', /"## \[2\.0\.0\] - YYYY-MM-DD", got Unreleased, 1\.1\.0-rc\.1, 1\.0\.0/],
    ['1.1.0', /got Unreleased, 1\.1\.0-rc\.1/],
    ['0.9.0', /got "## \[0\.9\.0\] - soon"/],
    ['0.8.0', /nothing is below "## \[0\.8\.0\] - 2026-01-01"/],
  ] as const) {
    test(`are refused for ${version}`, () => {
      assert.throws(() => releaseNotes(CHANGELOG, version), {
        name: 'ReleaseError',
        message: problem,
      });
    });
  }

  test('are refused for a tag of another version', () => {
    checkTag('v1.0.0', '1.0.0');
    for (const tag of ['1.0.0', 'v1.0', 'v1.0.0-rc.1', 'none'])
      assert.throws(() => checkTag(tag, '1.0.0'), ReleaseError);
  });

  test('are printed for the tag of this version alone', () => {
    const print = (...args: readonly string[]) =>
      runToEnd(process.execPath, ['dist/deploy/package/release-notes.js', ...args]);
    const { status, stdout } = print(`v${VERSION}`);
    assert.deepEqual([status, stdout], [0, releaseNotes(read('CHANGELOG.md'), VERSION)]);
    const wrong = print('v9.9.9');
    assert.equal(wrong.status, 1);
    assert.equal(wrong.stdout, '');
    assert.equal(
      wrong.output,
      `tag: expected v${VERSION}, the version in package.json, got v9.9.9\n`,
    );
    assert.match(print().output, /got none/);
  });
});
