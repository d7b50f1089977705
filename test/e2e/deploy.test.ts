import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, test } from 'node:test';
import { settings } from '../../src/config/schema.js';
import { parseYaml } from '../../src/platform/yaml.js';
import { folder, runToEnd } from '../support/process.js';
import { needs } from '../support/tools.js';

const declared = (key: 'arg' | 'env') =>
  new Set(settings().flatMap(([, setting]) => (setting[key] === undefined ? [] : [setting[key]])));
const FLAGS = declared('arg');
const VARIABLES = declared('env');
const PORT = Number(
  String(
    settings().find(([path]) => path === 'web.listen-address')?.[1].default ?? assert.fail(),
  ).replace(/^.*:/, ''),
);

/** YAML content of any shape. */
type Node = { readonly [key: string]: Node } & readonly Node[] & string;

const text = (file: string) => readFileSync(join('deploy', file), 'utf8');
const yaml = (file: string) => parseYaml(text(file)) as Node;

function takesFlags(where: string, args: readonly string[]): void {
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2).split('=')[0]);
  assert.ok(flags.length > 0, `${where} has flags`);
  for (const flag of flags) assert.ok(FLAGS.has(flag ?? ''), `${where}: no flag --${flag}`);
}

function takesVariables(where: string, content: string): void {
  for (const [name] of content.matchAll(/\bSIP_KEEPALIVE_\w+/g))
    assert.ok(VARIABLES.has(name), `${where}: no variable ${name}`);
}

test('amtool accepts alertmanager.yml', needs('amtool'), () => {
  const { status, output } = runToEnd('amtool', ['check-config', 'deploy/alertmanager.yml']);
  assert.equal(status, 0, output);
});

test('alertmanager.yml refers to existing alerts only', () => {
  const rules = ['alerts', 'sites'].map((name) =>
    readFileSync(`rules/sip-keepalive-${name}.yml`, 'utf8'),
  );
  const alerts = [...rules.join('').matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  const { inhibit_rules: inhibitions } = yaml('alertmanager.yml') as unknown as {
    inhibit_rules: readonly { source_matchers: string[]; target_matchers: string[] }[];
  };
  assert.ok(inhibitions.length >= 2);
  const matchers = inhibitions.flatMap((i) => [...i.source_matchers, ...i.target_matchers]);
  for (const matcher of matchers) {
    const [, pattern = ''] = /^alertname !?=~? "(.+)"$/.exec(matcher) ?? assert.fail(matcher);
    for (const name of alternatives(pattern)) {
      const isOne = alerts.some((alert) => new RegExp(`^(?:${name})$`).test(alert));
      assert.ok(isOne, `${matcher}: no alert is named ${name}`);
    }
  }
});

/** `a(b|c)` as `ab` and `ac`. */
function alternatives(pattern: string): readonly string[] {
  const [, before = '', choice = '', after = ''] = /^(.*)\((.*)\)(.*)$/.exec(pattern) ?? [];
  if (choice === '') return [pattern];
  return choice.split('|').map((one) => before + one + after);
}

describe('the systemd unit', () => {
  const unit = text('sip-keepalive-exporter.service');
  const values = (key: string) =>
    [...unit.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value]) => value ?? '');

  test('passes systemd-analyze verify', needs('systemd-analyze'), (t) => {
    // systemd-analyze checks that the program exists, and its path differs between machines.
    const file = join(folder(t), 'sip-keepalive-exporter.service');
    writeFileSync(file, unit.replace('/usr/bin/sip-keepalive-exporter', process.execPath));
    const check = runToEnd('systemd-analyze', ['verify', file]);
    assert.equal(check.output, '');
    assert.equal(check.status, 0);
  });

  test('starts the program of the package with known flags', () => {
    const [start = ''] = values('ExecStart');
    assert.match(start, /^\/usr\/bin\/sip-keepalive-exporter /);
    takesFlags('ExecStart', start.split(' '));
    takesVariables('the unit', unit);
  });

  test('reloads by SIGHUP, and does not restart after an invalid configuration', () => {
    assert.deepEqual(values('ExecReload'), ["/bin/sh -c 'kill -HUP $MAINPID'"]);
    assert.deepEqual(values('RestartPreventExitStatus'), ['2']);
  });

  test('is hardened, except that V8 may compile code', () => {
    assert.deepEqual(values('MemoryDenyWriteExecute'), []);
    for (const key of ['NoNewPrivileges', 'PrivateDevices', 'ProtectHome'])
      assert.deepEqual(values(key), ['yes'], key);
    assert.deepEqual(values('User'), ['sip-keepalive-exporter']);
    assert.deepEqual(values('ProtectSystem'), ['strict']);
    assert.ok(values('SystemCallFilter').length > 0);
    assert.ok(Number(values('LimitNOFILE')[0]) > 65_536);
  });
});

describe('the image', () => {
  const dockerfile = text('Dockerfile');
  const instruction = (name: string) =>
    JSON.parse(
      new RegExp(`^${name} (\\[.*\\])$`, 'm').exec(dockerfile.replaceAll('\\\n', ''))?.[1] ?? '[]',
    ) as string[];

  test('runs the built file with known flags', () => {
    const [program] = instruction('ENTRYPOINT');
    const file = instruction('ENTRYPOINT').at(-1) ?? '';
    assert.equal(program, 'node');
    assert.ok(existsSync(file.replace(/^\/app\//, '')), `${file} is built`);
    const { bin } = JSON.parse(readFileSync('package.json', 'utf8')) as {
      bin: Record<string, string>;
    };
    assert.ok(Object.values(bin).includes(file.replace(/^\/app\//, '')));
    takesFlags('CMD', instruction('CMD'));
  });

  test('starts Node.js with the flags and the settings of malloc that the packages have', () => {
    const launcher = text('package/sip-keepalive-exporter');
    const [, flags = ''] = /runtime\/node" (.+) \\\n/.exec(launcher) ?? [];
    assert.deepEqual(instruction('ENTRYPOINT').slice(1, -1), flags.split(' '));
    const settings = [...launcher.matchAll(/^export (MALLOC_\w+)="\$\{\1:-(\d+)\}"$/gm)];
    assert.equal(settings.length, 2);
    for (const [, name, value] of settings)
      assert.match(dockerfile, new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'));
  });

  test('checks its health with a file that is built, and exposes the default port', () => {
    const [, file = ''] = /^HEALTHCHECK .*CMD \["node", "\/app\/(.*)"\]$/m.exec(dockerfile) ?? [];
    assert.ok(existsSync(file), `${file} is built`);
    assert.match(dockerfile, new RegExp(`^EXPOSE ${PORT}$`, 'm'));
  });

  test('copies only files that .dockerignore includes', () => {
    const allowed = readFileSync('.dockerignore', 'utf8').split('\n');
    assert.ok(allowed.includes('*'));
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(
      ([, files = '']) => files.split(' '),
    );
    assert.ok(copied.length >= 4);
    for (const file of copied) {
      assert.ok(existsSync(file), `${file} exists`);
      assert.ok(allowed.includes(`!${file}`), `.dockerignore includes ${file}`);
    }
  });
});

describe('compose.yml', () => {
  const compose = yaml('compose.yml');
  const services = Object.entries(compose['services'] ?? {}) as [string, Node][];

  test('has exporter, Prometheus, Alertmanager and Grafana on their ports', () => {
    const ports = services.map(([name, { ports = [] }]) => [name, ...(ports as string[])]);
    assert.deepEqual(ports, [
      ['exporter', `${PORT}:${PORT}`],
      ['prometheus', '9090:9090'],
      ['alertmanager', '9093:9093'],
      ['grafana', '3000:3000'],
    ]);
    takesVariables('compose.yml', text('compose.yml'));
    const optional = services.filter(([, { profiles }]) => profiles !== undefined);
    assert.deepEqual(
      optional.map(([name, { profiles }]) => [name, profiles]),
      [['grafana', ['grafana']]],
    );
  });

  test('mounts existing files and declared volumes only', () => {
    const declared = Object.keys(compose['volumes'] ?? {});
    const volumes = services.flatMap(([, { volumes = [] }]) => volumes as string[]);
    assert.ok(volumes.length > 5);
    for (const volume of volumes) {
      const [source = ''] = volume.split(':');
      if (!source.startsWith('.')) assert.ok(declared.includes(source), volume);
      // The dashboards have tests of their own.
      else if (source.startsWith('../grafana/'))
        assert.match(source, /provisioning\/(datasources|dashboards)$|\/dashboards$/);
      else assert.ok(existsSync(normalize(join('deploy', source))), volume);
    }
    assert.ok(
      existsSync(
        join(
          'deploy',
          String(compose['services']?.['exporter']?.['build']?.['context']),
          'package.json',
        ),
      ),
    );
  });

  test('mounts the folder of every secret that alertmanager.yml names', () => {
    const secrets = [...text('alertmanager.yml').matchAll(/_file: (\/\S+)$/gm)];
    assert.equal(secrets.length, 3);
    const mounted = (compose['services']?.['alertmanager']?.['volumes'] ?? []) as string[];
    for (const [, file = ''] of secrets)
      assert.ok(mounted.includes(`./secrets:${dirname(file)}:ro`), file);
  });

  test('configures Prometheus as prometheus.yml does, with other host names', () => {
    const named = readFileSync('prometheus.yml', 'utf8')
      .replaceAll(`localhost:${PORT}`, `exporter:${PORT}`)
      .replaceAll('localhost:9093', 'alertmanager:9093');
    assert.deepEqual(yaml('compose/prometheus.yml'), parseYaml(named));
  });

  test('configures the exporter with a valid file', () =>
    assertValidConfig('deploy/compose/exporter.yml'));
});

function assertValidConfig(file: string): void {
  const main = join('dist', 'src', 'main.js');
  const args = [main, `--config.file=${file}`, '--config.check'];
  const check = runToEnd(process.execPath, args);
  assert.equal(check.status, 0, check.stderr);
}

test('deploy/README.md names every file', () => {
  const readme = text('README.md');
  const files = readdirSync('deploy', { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.|Dockerfile/.test(file) && !/^(compose|helm|package|rules)\//.test(file))
    .map((file) => file.replace(/^.*\//, ''));
  for (const file of files) {
    if (file !== 'README.md') assert.ok(readme.includes(`\`${file}\``), file);
  }
});
