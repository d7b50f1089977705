import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Config, readConfig } from '../../../src/config/config.js';
import { helpText, readFlags } from '../../../src/config/flags.js';
import { settings } from '../../../src/config/schema.js';
import { showConfig } from '../../../src/config/show.js';
import { comparable, settings as defaults } from '../../support/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-config-'));
after(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly file?: string;
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
}

function read(args: readonly string[] = [], { file, name = 'config.yaml', env = {} }: Given = {}) {
  const path = join(folder, name);
  if (file !== undefined) writeFileSync(path, file);
  const all = file === undefined ? args : [`--config.file=${path}`, ...args];
  return comparable(readConfig({ flags: readFlags(all), env, version: '1.2.3' }));
}

const fromFile = (file: string, name?: string) => read([], name ? { file, name } : { file });

/** The settings of the only destination. */
function only(config: Config) {
  const [destination, ...others] = config.destinations;
  assert.ok(destination !== undefined && others.length === 0);
  return destination;
}

describe('without any configuration', () => {
  test('the defaults hold', () => {
    const config = read(['--destination=192.0.2.1']);
    assert.deepEqual(config.web.listenAddresses, [{ kind: 'tcp', host: '', port: 10_060 }]);
    assert.deepEqual([config.logLevel, config.logFormat, config.check], ['info', 'logfmt', 'off']);
    assert.equal(config.web.configFile, '');
    const ttls = { minTtlMs: 5_000, maxTtlMs: 300_000 };
    const files = { resolvConf: '/etc/resolv.conf', hostsFile: '/etc/hosts' };
    const dns = { servers: [], search: [], timeoutMs: 2_000, ...ttls, ...files };
    assert.deepEqual(config.dns, dns);
    const { name, uri, module, labels, settings } = only(config);
    assert.deepEqual([name, uri, module], ['sip:192.0.2.1', 'sip:192.0.2.1', 'default']);
    assert.deepEqual(labels, {});
    const identity = { userAgent: 'sip-keepalive-exporter/1.2.3' };
    assert.deepEqual(settings, defaults({ identity }));
  });

  for (const [name, file] of [
    ['an empty file', ''],
    ['a file of comments', '# nothing\n---\n'],
    ['an empty JSON file', '\n'],
    ['an empty mapping', '{}'],
  ] as const) {
    test(`${name} is an empty configuration`, () => {
      const json = name.includes('JSON') ? 'empty.json' : 'empty.yaml';
      assert.deepEqual(fromFile(file, json), read());
    });
  }
});

describe('a setting', () => {
  test('is overridden by later sources: defaults, file, environment, flags', () => {
    const file = 'ping_interval: 11\nrise: 2\nfall: 2\nlog: { level: warn, format: json }';
    const env = {
      SIP_KEEPALIVE_RISE: '3',
      SIP_KEEPALIVE_FALL: '3',
      SIP_KEEPALIVE_LOG_LEVEL: 'error',
    };
    const config = read(['--fall=4', '--destination=192.0.2.1'], { file, env });
    const { intervalMs, rise, fall } = only(config).settings;
    assert.deepEqual([intervalMs, rise, fall], [11_000, 3, 4]);
    assert.deepEqual([config.logLevel, config.logFormat], ['error', 'json']);
  });

  test('config.file may be in the environment, and a flag overrides it', () => {
    writeFileSync(join(folder, 'env.yaml'), 'destinations: [192.0.2.1]');
    const env = { SIP_KEEPALIVE_CONFIG_FILE: join(folder, 'env.yaml') };
    assert.equal(only(read([], { env })).uri, 'sip:192.0.2.1');
    assert.equal(only(read([], { env, file: 'destinations: [192.0.2.2]' })).uri, 'sip:192.0.2.2');
  });

  test('that is empty in the environment counts as not given', () => {
    assert.deepEqual(read([], { env: { SIP_KEEPALIVE_PING_INTERVAL: '' } }), read());
  });

  test('--destination can be repeated, and adds to the list of the file', () => {
    const uris = (config: Config) => config.destinations.map(({ uri }) => uri);
    const file = 'destinations: [192.0.2.1]';
    const args = ['--destination', '192.0.2.2', '--destination=sip:a.example'];
    assert.deepEqual(uris(read(args, { file })).sort(), [
      'sip:192.0.2.1',
      'sip:192.0.2.2',
      'sip:a.example',
    ]);
    const env = { SIP_KEEPALIVE_DESTINATION: '192.0.2.3 192.0.2.4' };
    assert.deepEqual(uris(read([], { file, env })).length, 3);
  });

  for (const [given, ms] of [
    ['10', 10_000],
    ['0.5', 500],
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
  ] as const) {
    test(`with the duration ${given} is ${ms} ms`, () => {
      assert.equal(read([`--ping_interval=${given}`]).modules['default']?.intervalMs, ms);
      assert.equal(fromFile(`ping_interval: ${given}`).modules['default']?.intervalMs, ms);
    });
  }

  for (const [given, timeoutMs] of [
    ['ping_interval: 30', 5000],
    ['ping_interval: 5', 4500],
    ['ping_interval: 1', 900],
    ['{ ping_interval: 5, ping_timeout: 4.9 }', 4900],
    ['{ ping_interval: 60, ping_timeout: 32 }', 32_000],
  ] as const) {
    test(`(${given}) leads to a timeout of ${timeoutMs} ms`, () => {
      assert.equal(fromFile(given).modules['default']?.timeoutMs, timeoutMs);
    });
  }

  for (const [given, retryMs, downMs, timeoutMs] of [
    ['ping_interval: 20', 20_000, 20_000, 5000],
    ['{ ping_interval: 20, retry_interval: 0, down_interval: 0s }', 20_000, 20_000, 5000],
    ['{ ping_interval: 20, retry_interval: 2s }', 2000, 20_000, 1800],
    ['{ ping_interval: 20, retry_interval: 30 }', 20_000, 20_000, 5000],
    ['{ ping_interval: 20, down_interval: 1m }', 20_000, 60_000, 5000],
    ['{ ping_interval: 20, retry_interval: 3, down_interval: 500ms }', 3000, 500, 450],
    ['{ retry_interval: 2, ping_timeout: 1.9 }', 2000, 30_000, 1900],
  ] as const) {
    test(`(${given}) leads to a retry after ${retryMs} ms and pings every ${downMs} ms while down`, () => {
      const module = fromFile(given).modules['default'] ?? assert.fail('no module');
      assert.deepEqual(
        [module.retryIntervalMs, module.downIntervalMs, module.timeoutMs],
        [retryMs, downMs, timeoutMs],
      );
    });
  }

  test('means the same in JSON and in YAML', () => {
    const destinations = [{ uri: 'a.example', labels: { site: 'x', floor: 3 }, fall: 2 }];
    const file = { ping_interval: '10s', modules: { m: { rise: 2 } }, destinations };
    const text = JSON.stringify(file);
    assert.deepEqual(fromFile(text, 'config.json'), fromFile(text, 'config.yaml'));
    assert.deepEqual(only(fromFile(text)).labels, { site: 'x', floor: '3' });
  });

  test('is deeply frozen', () => {
    const config = fromFile(
      'modules: { m: {} }\ndestinations: [{ uri: a.example, labels: { x: y } }]',
    );
    const check = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      assert.ok(Object.isFrozen(value), path);
      for (const [key, child] of Object.entries(value)) check(child, `${path}.${key}`);
    };
    check(config, 'config');
  });
});

describe('a module', () => {
  const file = `
ping_interval: 20
alive_codes: 2xx,404
modules:
  carrier: { fall: 3, alive_codes: 'any,!503' }
destinations:
  - 192.0.2.1
  - { uri: 192.0.2.2, module: carrier }
  - { uri: 192.0.2.3, module: carrier, fall: 5, name: third }`;

  test('inherits from the top level, and destinations inherit from it', () => {
    const [plain, carrier, third] = fromFile(file).destinations;
    const of = (destination: typeof plain) => {
      const { intervalMs, aliveCodes, fall } = destination?.settings ?? {};
      return [intervalMs, aliveCodes, fall];
    };
    assert.deepEqual(of(plain), [20_000, '2xx,404', 1]);
    assert.deepEqual(of(carrier), [20_000, 'any,!503', 3]);
    assert.deepEqual(of(third), [20_000, 'any,!503', 5]);
    assert.deepEqual([third?.name, third?.module], ['third', 'carrier']);
  });

  test('takes the default timeout from the final interval of the destination', () => {
    const quick =
      'modules: { m: { rise: 2 } }\ndestinations: [{ uri: a.example, module: m, ping_interval: 2 }]';
    assert.equal(only(fromFile(quick)).settings.timeoutMs, 1800);
  });
});

describe('the configuration that is shown', () => {
  const file = `
ping_interval: 11
rise: 2
ping_from: sip:monitor@a.example
dns: { servers: [192.0.2.53, "192.0.2.54:5353"] }
web: { listen-address: "[::1]:9999" }
log: { level: debug, format: json }
source_address: 192.0.2.9
modules:
  carrier: { alive_codes: "any,!503", ping_timeout: 1.1, user_agent: 'a "b"' }
  odd: { ping_interval: 333ms }
destinations:
  - 192.0.2.1
  - { uri: a.example, name: 'quo"te', module: carrier, labels: { site: "x\\ny", floor: 3 } }
  - { uri: b.example, module: odd, fall: 7, source_port: 5062 }`;

  for (const [name, given] of [
    ['with a file', { file }],
    ['without a file', {}],
  ] as const) {
    test(`means the same when it is loaded again, ${name}`, () => {
      const config = read(['--destination=192.0.2.7'], given);
      const shown = showConfig(config);
      assert.deepEqual(fromFile(shown, 'shown.yaml'), config);
      assert.deepEqual(fromFile(shown, 'shown.json'), config);
      assert.equal(showConfig(fromFile(shown)), shown);
    });
  }
});

describe('--help', () => {
  test('has every setting with its flag, its description and its environment variable', () => {
    for (const [path, setting] of settings()) {
      assert.equal(setting.arg, path);
      assert.match(setting.env ?? '', /^SIP_KEEPALIVE_[A-Z0-9_]+$/);
      for (const part of [`  --${path}`, setting.doc, `[${setting.env}]`]) {
        assert.ok(helpText().includes(part), part);
      }
    }
  });

  test('and --version are not settings', () => {
    const none = { given: {}, help: false, version: false, problems: [] };
    assert.deepEqual(readFlags(['-h']), { ...none, help: true });
    assert.deepEqual(readFlags(['--version']), { ...none, version: true });
  });
});
