/** The package for npm: what is in it, and that it works where nothing else is. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readVersion } from '../../src/platform/version.js';
import { folder, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

/** What is in it, except for the program and the page. */
const FILES = `CHANGELOG.md LICENSE README.md package.json prometheus.yml deploy/alertmanager.yml
  deploy/alertmanager/sip-keepalive.tmpl
  docs/configuration.md docs/http.md docs/kamailio-fleet.md docs/kamailio.md docs/library.md
  docs/metrics.md docs/operations.md docs/probe.md docs/runbook.md docs/status-page.md
  grafana/dashboards/sip-keepalive-destination.json
  grafana/dashboards/sip-keepalive-exporter.json grafana/dashboards/sip-keepalive-fleet.json
  grafana/provisioning/dashboards/sip-keepalive.yml
  grafana/provisioning/datasources/prometheus.yml
  rules/sip-keepalive-alerts.yml rules/sip-keepalive-recording.yml
  rules/sip-keepalive-sites.yml`;
const MAX_BYTES = 1e6;
/** The registry is not asked for what the cache has. */
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

interface Packed {
  readonly filename: string;
  readonly size: number;
  readonly files: readonly { readonly path: string }[];
}

function npm(args: readonly string[], cwd = '.') {
  const { status, stdout, output } = runToEnd('env', ['npm', ...args], { cwd });
  assert.equal(status, 0, output);
  return { stdout, output };
}

/** Packs what was built. Returns the description of npm. */
function pack(to: string): Packed {
  const { stdout } = npm(['pack', '--json', '--ignore-scripts', `--pack-destination=${to}`]);
  const [packed] = Object.values(JSON.parse(stdout) as Readonly<Record<string, Packed>>);
  assert.ok(packed !== undefined);
  return packed;
}

describe('the package for npm', needs('env'), () => {
  test('has the program, the page, and what a user reads and configures', (t) => {
    const { files, size } = pack(folder(t));
    const paths = files.map(({ path }) => path);
    const others = paths.filter((path) => !/^(dist\/src|page)\//.test(path));
    assert.deepEqual(others.sort(), FILES.split(/\s+/).sort());
    const strange = paths.filter(
      (path) => !/^dist\/src\/.*\.(js|d\.ts)$|^page\/.*\.(html|css|js)$/.test(path),
    );
    assert.deepEqual(strange.sort(), others);
    for (const path of ['dist/src/main.js', 'dist/src/library.d.ts', 'page/index.html'])
      assert.ok(paths.includes(path), path);
    assert.ok(size < MAX_BYTES, `${size} bytes`);
  });

  test('is published without a warning', () => {
    const { output } = npm(['publish', '--dry-run', '--ignore-scripts']);
    const warnings = output.match(/^npm warn .*$/gm) ?? [];
    assert.deepEqual(
      warnings.filter((line) => !line.includes('requires you to be logged in')),
      [],
    );
  });

  test('is installed in an empty folder, as a command and as a library', (t) => {
    const path = folder(t);
    const { filename } = pack(path);
    writeFileSync(join(path, 'package.json'), '{ "private": true, "type": "module" }');
    npm(['install', ...QUIET, `./${filename}`], path);
    const { output } = npm(
      ['exec', '--offline', '--', 'sip-keepalive-exporter', '--version'],
      path,
    );
    assert.equal(output, `sip-keepalive-exporter ${readVersion()}\n`);
    const program = `import { createKeepAlive } from 'sip-keepalive-exporter';
const keepAlive = createKeepAlive();
console.log(keepAlive.isAlive('192.0.2.1'));
await keepAlive.close();`;
    writeFileSync(join(path, 'program.js'), program);
    assert.equal(runToEnd(process.execPath, ['program.js'], { cwd: path }).output, '-1\n');
    const lock = JSON.parse(readFileSync(join(path, 'package-lock.json'), 'utf8'));
    assert.equal(lock.packages['node_modules/typescript'], undefined);
  });
});
