/** deploy/compose.yml, started by a real engine, with the fleet of the demo beside the exporter. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Running as Member } from '../../demo/fleet.js';
import { parseYaml } from '../../src/platform/yaml.js';
import { type Docker, needsDocker, startDocker } from '../support/docker.js';
import { builtImages, importRoot, programOf } from '../support/images.js';
import { eventually, folder, run } from '../support/process.js';
import { allOf, needs } from '../support/tools.js';

const FILE = 'deploy/compose.yml';
const FLEET = fileURLToPath(new URL('../support/fleet.js', import.meta.url));
/** Debian's programs in place of the images of these services. */
const PROGRAMS = { prometheus: 'prometheus', alertmanager: 'prometheus-alertmanager' } as const;
/** Debian's Alertmanager does not start without them. */
const TEMPLATES = '/usr/share/prometheus/alertmanager';

interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

test(
  'a silent peer of the composed exporter raises its alert in the composed Alertmanager',
  allOf(needsDocker(), needs('openssl', 'prometheus', 'prometheus-alertmanager')),
  async (t) => {
    const begun = performance.now();
    const step = (text: string) =>
      t.diagnostic(`${((performance.now() - begun) / 1000).toFixed(1)} s: ${text}`);
    const { image } = builtImages();
    step('the image is built');
    const docker = await startDocker(t);
    docker.ok('load', '-i', image);
    importPrograms(t, docker);
    step('the engine has the images');
    const files = quickFiles(t);
    const compose = (...args: readonly string[]) => docker.compose([FILE, files.override], ...args);
    compose('up', '-d');
    step('docker-compose up has ended');
    const services = docker.ok('ps', '--format', '{{.Label "com.docker.compose.service"}}');
    assert.deepEqual(services.trim().split('\n').toSorted(), [
      'alertmanager',
      'exporter',
      'prometheus',
    ]);
    await eventually('the exporter has started', () =>
      docker.request('http://127.0.0.1:10060/-/healthy').startsWith('200'),
    );
    const members = await startFleetBeside(t, docker, compose('ps', '-q', 'exporter').trim());
    writeFileSync(files.exporter, configuration(members));
    compose('kill', '-s', 'HUP', 'exporter');
    await eventually('a peer that answers is up', () =>
      /^200 1\s*$/.test(docker.request('http://127.0.0.1:10060/alive?destination=fast')),
    );
    step('/alive is 1');
    const alerts = () => {
      const [, body = ''] =
        /^200 (.*)/s.exec(docker.request('http://127.0.0.1:9093/api/v2/alerts')) ?? [];
      return (JSON.parse(body) as readonly Alert[]).filter(
        ({ labels }) => labels['alertname'] === 'SipKeepaliveDestinationDown',
      );
    };
    const alert = await eventually('the alert is in Alertmanager', () =>
      alerts().find(({ labels }) => labels['destination'] === 'silent'),
    ).catch((cause: unknown) => {
      throw new Error(compose('logs', '--tail=40', 'prometheus', 'alertmanager'), { cause });
    });
    step('the alert is in Alertmanager');
    assert.equal(alert.labels['job'], 'sip-keepalive');
    assert.equal(alert.labels['instance'], 'exporter:10060');
    assert.ok(alert.annotations['summary']);
    assert.ok(alerts().every(({ labels }) => labels['destination'] !== 'fast'));
    compose('down', '--volumes');
    assert.equal(docker.ok('ps', '-aq'), '');
    assert.equal(docker.ok('volume', 'ls', '-q'), '');
  },
);

function importPrograms(t: TestContext, docker: Docker): void {
  const { services } = parseYaml(readFileSync(FILE, 'utf8')) as {
    services: Record<string, { image: string }>;
  };
  for (const [service, program] of Object.entries(PROGRAMS)) {
    const path = `/bin/${program}`;
    importRoot(t, docker, services[service]?.image ?? assert.fail(), {
      files: { [path]: programOf(program), [TEMPLATES]: TEMPLATES },
      changes: [`ENTRYPOINT ["${path}"]`],
    });
  }
}

/** The files of deploy/ with short intervals, and a file that lets compose mount them. */
function quickFiles(t: TestContext) {
  const path = folder(t);
  const [exporter, prometheus] = [join(path, 'exporter.yml'), join(path, 'prometheus.yml')];
  const [rules, override] = [join(path, 'rules'), join(path, 'override.json')];
  cpSync('deploy/compose/exporter.yml', exporter);
  const quick = (file: string) =>
    readFileSync(file, 'utf8')
      .replace(/^( *(?:scrape_interval|evaluation_interval|interval):) .*$/gm, '$1 1s')
      .replace(/^( *for:) .*$/gm, '$1 0s');
  writeFileSync(prometheus, quick('deploy/compose/prometheus.yml'));
  mkdirSync(rules);
  for (const name of readdirSync('rules').filter((name) => name.endsWith('.yml')))
    writeFileSync(join(rules, name), quick(join('rules', name)));
  const mounted = {
    exporter: [`${exporter}:/etc/sip-keepalive-exporter/config.yml:ro`],
    prometheus: [
      `${prometheus}:/etc/prometheus/prometheus.yml:ro`,
      `${rules}:/etc/prometheus/rules:ro`,
    ],
  };
  const services = Object.entries(mounted).map(([name, volumes]) => [name, { volumes }]);
  writeFileSync(override, JSON.stringify({ services: Object.fromEntries(services) }));
  return { exporter, override };
}

/** Starts the fleet on the loopback interface of a container. */
async function startFleetBeside(
  t: TestContext,
  docker: Docker,
  container: string,
): Promise<readonly Member[]> {
  const pid = docker.ok('inspect', '-f', '{{.State.Pid}}', container).trim();
  const { output } = run(t, 'nsenter', [
    ...docker.inside('--mount', '--pid'),
    ...['nsenter', '-t', pid, '--net', process.execPath, FLEET, folder(t)],
  ]);
  const line = await eventually('the fleet has started', () => /^\[.*\]$/m.exec(output())?.[0]);
  return JSON.parse(line) as readonly Member[];
}

/** JSON, which is valid YAML. Certificates are not mounted. */
function configuration(members: readonly Member[]): string {
  const destinations = members
    .filter(({ certificate }) => certificate === undefined)
    .map(({ name, uri, settings }) => ({ name, uri, ...settings }));
  return JSON.stringify({ ping_interval: 1, ping_timeout: 0.5, destinations });
}
