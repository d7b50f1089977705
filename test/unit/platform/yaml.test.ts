import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import fc from 'fast-check';
import { type Config, readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { FileSd } from '../../../src/discovery/file-sd.js';
import { Parser } from '../../../src/discovery/parsing/parser.js';
import { WebConfigFile } from '../../../src/http/server/web-config.js';
import { WebConfigError } from '../../../src/http/server/web-config-error.js';
import { parseYaml, YamlError } from '../../../src/platform/yaml.js';
import { FakeClock } from '../../support/fake-clock.js';
import { folder } from '../../support/process.js';

function config(t: Pick<TestContext, 'after'>, text: string): Config {
  const file = join(folder(t), 'config.yml');
  writeFileSync(file, text);
  return readConfig({ flags: readFlags([`--config.file=${file}`]), env: {}, version: '1' });
}

/** Ten lines that expand to ten thousand million values. */
const BOMB = [
  '- &l0 [a, a, a, a, a, a, a, a, a, a]',
  ...Array.from({ length: 9 }, (_, i) => `- &l${i + 1} [${Array(10).fill(`*l${i}`)}]`),
].join('\n');

test('a scalar is a string as it is written; an empty value, ~ and null are null', () => {
  for (const written of [
    ...['007', '1.0', '0x10', '0o17', '1e3', '+5', '-0', '.5', '1_000', '.inf', '.nan'],
    ...['true', 'True', 'false', 'yes', 'no', 'on', 'off', '12:30', '2026-01-02', '1.10'],
    ...['192.168.10.20', '00123', '123456789012345678901234567890', 'nul', '~x'],
  ]) {
    assert.deepEqual(parseYaml(`a: ${written}\nb: [${written}]`), { a: written, b: [written] });
    assert.deepEqual(parseYaml(`${written}: x`), { [written]: 'x' });
    assert.equal(parseYaml(written), written);
  }
  assert.deepEqual(parseYaml('a:\nb: ~\nc: null\nd: ""\ne: "null"\nf: \'~\''), {
    ...{ a: null, b: null, c: null, d: '', e: 'null', f: '~' },
  });
  assert.equal(parseYaml(''), undefined);
});

test('any string in JSON is read unchanged', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.string()), (given) => {
      assert.deepEqual(parseYaml(JSON.stringify(given)), { ...given });
    }),
  );
});

test('duplicate keys are rejected, and keys of prototypes are ordinary keys', () => {
  assert.throws(() => parseYaml('a: 1\nb: 2\na: 3'), YamlError);
  const read = parseYaml('__proto__: { a: 1 }\nconstructor: 2');
  assert.deepEqual(Object.keys(read as object), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['a'], undefined);
});

test('aliases may share values, but not multiply without limit', () => {
  const shared = parseYaml('a: &x { y: 1 }\nb: *x\nc: [*x, *x]') as Record<string, unknown>;
  assert.deepEqual(shared['c'], [{ y: '1' }, { y: '1' }]);
  const many = ['- &x [a, b, c]', ...Array(200_000).fill('- *x')].join('\n');
  assert.equal((parseYaml(many) as unknown[]).length, 200_001);
  assert.throws(() => parseYaml(BOMB), { message: /at most 1000000 values, got more/ });
  assert.throws(() => parseYaml('&a [*a]'), { message: /contains itself/ });
  assert.throws(() => parseYaml('a: &a { b: { c: *a } }'), { message: /contains itself/ });
});

test('a merged mapping does not override the keys of the mapping that it is merged into', () => {
  const text = 'a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n';
  assert.deepEqual(parseYaml(text), { a: { x: '1', y: '2' }, b: { x: '1', y: '3' } });
  assert.deepEqual(parseYaml('{"<<": {"x": "1"}}'), { '<<': { x: '1' } });
});

test('a value that looks like a tag is reported without its text', () => {
  for (const text of ['alive_codes: !408,!503', 'password: !secret word', 'n: !!int 5']) {
    assert.throws(
      () => parseYaml(text),
      ({ message, line }) =>
        message === 'expected no tag: a value that begins with ! needs quotes' && line === 1,
    );
  }
});

test('a problem that aliases multiply is reported at most a hundred times', (t) => {
  const keys = Array.from({ length: 1_000 }, (_, i) => `k${i}: v`).join(', ');
  const text = `user_agent: &a {${keys}}\ndestinations: [${Array(900).fill('*a').join(', ')}]\n`;
  assert.throws(
    () => config(t, text),
    ({ message }) =>
      /config\.yml:2: destinations\[0\]\.k0: .*only the first problems are shown$/ms.test(
        message,
      ) && message.split('\n').length < 200,
  );
});

test('no kind of file is expanded with its aliases', async (t) => {
  const path = join(folder(t), 'file.yml');
  writeFileSync(path, BOMB);
  const { errors } = await new FileSd([path], new Parser(new FakeClock())).read(
    new AbortController().signal,
  );
  assert.match(errors.join(), /file\.yml.*aliases with at most/);
  writeFileSync(path, `x:\n${BOMB.replace(/^/gm, '  ')}\n`);
  assert.throws(
    () => new WebConfigFile(path),
    (error) => error instanceof WebConfigError && /aliases with/.test(error.message),
  );
});

test('numbers, booleans, names, labels and passwords are read as they are written', (t) => {
  const { destinations, isProbeEnabled, modules } = config(
    t,
    `ping_interval: 10
ping_timeout: .5
fall: 007
dscp: 46
alive_codes: 200
user: 1001
auth: { username: 0049, password: 00123 }
headers: { X-A: 1.0, X-B: true, X-C: 0x10 }
tls_config: { insecure_skip_verify: True }
probe: { enabled: false }
modules: { 01: { rise: 2 } }
destinations:
  - { uri: a.example, name: 007, module: 01, labels: { rack: 1.0, on: true, hex: 0x10, none: ~ } }
  - { uri: b.example, name: 1e3 }
`,
  );
  const [first, second] = destinations;
  assert.deepEqual([first?.name, second?.name], ['007', '1e3']);
  assert.deepEqual([first?.module, first?.settings.rise], ['01', 2]);
  assert.deepEqual(first?.labels, { rack: '1.0', on: 'true', hex: '0x10' });
  const settings = modules['default'];
  assert.deepEqual(
    [settings?.intervalMs, settings?.timeoutMs, settings?.fall, settings?.dscp],
    [10_000, 500, 7, 46],
  );
  assert.equal(settings?.aliveCodes, '200');
  assert.equal(settings?.identity.user, '1001');
  assert.deepEqual(settings?.auth, { username: '0049', password: '00123', passwordFile: '' });
  assert.deepEqual(settings?.identity.headers, [
    ['X-A', '1.0'],
    ['X-B', 'true'],
    ['X-C', '0x10'],
  ]);
  assert.deepEqual([settings?.tls.insecureSkipVerify, isProbeEnabled], [true, false]);
});

test('invalid numbers and booleans are rejected with the expected format', (t) => {
  for (const [text, why] of [
    ['dscp: 0x10', /dscp: expected a whole number from 0 to 63, got "0x10"/],
    ['fall: 1e1', /fall: expected a whole number from 1 to \d+, got "1e1"/],
    ['ping_interval: [10]', /ping_interval: expected a single value|expected a duration/],
    ['probe: { enabled: yes }', /probe\.enabled: expected true or false, got "yes"/],
    ['ping_interval: 1_0', /ping_interval: expected a duration/],
  ] as const) {
    assert.throws(() => config(t, text), { message: why });
  }
});

test('the error about invalid YAML does not quote it', () => {
  const wrong = [
    'a: !SECRET{',
    'a: !<SECRET>',
    'a: *SECRET',
    '%TAG !SECRET! x\n%TAG !SECRET! y',
    'a: !SECRET!x y',
  ];
  for (const text of [...wrong, 'a: !<tag:SECRET !<x', '{ SECRET: "SECRET']) {
    assert.throws(
      () => parseYaml(text),
      (error) => error instanceof YamlError && !error.message.includes('SECRET'),
      text,
    );
  }
});
