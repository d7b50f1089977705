import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';
import { folder } from '../../support/process.js';

/** The problems of a file; undefined when there are none. */
function problemOf(t: { after(end: () => unknown): void }, text: string): string | undefined {
  const file = join(folder(t as never), 'config.yml');
  writeFileSync(file, text);
  try {
    readConfig({ flags: readFlags([`--config.file=${file}`]), env: {}, version: '1' });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

describe('a value of the wrong type is reported without its content', () => {
  for (const text of [
    'webhooks: ["https://hooks.example/S3CRET"]',
    'webhooks: { url: "https://hooks.example/S3CRET" }',
    'webhooks: [{ url: "https://u:S3CRET@hooks.example/" }]',
    'discovery: [S3CRET]',
    'discovery: { http_sd: { url: "http://x", basic_auth: { username: m, password: S3CRET } } }',
    'discovery: { http_sd: [{ url: "http://x", basic_auth: "m:S3CRET" }] }',
    'destinations: { uri: a.example, auth: { username: m, password: S3CRET } }',
    'modules: [{ auth: { password: S3CRET } }]',
    'modules: { m: [{ auth: { password: S3CRET } }] }',
    'auth: [S3CRET]',
    'destinations: [[{ auth: { password: S3CRET } }]]',
  ]) {
    test(text, (t) => {
      const problem = problemOf(t, text);
      assert.ok(problem !== undefined);
      assert.doesNotMatch(problem, /S3CRET/);
    });
  }
});

describe('aliases', () => {
  test('that are circular are rejected', (t) => {
    for (const text of ['modules: &a\n  x: *a\n', 'destinations: &a\n  - *a\n']) {
      assert.ok(problemOf(t, text) !== undefined, text);
    }
  });

  test('that expand to a billion values are rejected', (t) => {
    const levels = Array.from({ length: 30 }, (_, i) => `  - &l${i} [*l${i - 1}, *l${i - 1}]`);
    const text = ['destinations:', '  - &l0 [x]', ...levels.slice(1)].join('\n');
    assert.match(problemOf(t, text) ?? '', /aliases with at most 1000000 values, got more/);
  });

  const bomb = [
    'x: &l0 [a, a, a, a, a, a, a, a, a, a]',
    ...Array.from({ length: 9 }, (_, i) => `y${i}: &l${i + 1} [${Array(10).fill(`*l${i}`)}]`),
  ].join('\n');
  for (const place of [
    'ping_interval: *l9',
    'dscp: *l9',
    'web: { listen-address: *l9 }',
    'tls_config: { server_name: *l9 }',
    'headers: [*l9]',
    'probe: { allow: *l9 }',
    'alive_codes: *l9',
    'destinations: [{ uri: a.example, name: *l9, module: *l9, labels: { x: *l9 } }]',
    'modules: { m: { fall: *l9 } }',
    'webhooks: [{ url: *l9 }]',
  ]) {
    test(`as a value are rejected without being expanded: ${place}`, (t) => {
      assert.match(problemOf(t, `${bomb}\n${place}`) ?? '', /aliases with at most/);
    });
  }

  test('may share settings, as in Prometheus', (t) => {
    const text =
      'modules:\n  a: &a { fall: 3 }\n  b: *a\ndestinations: [{ uri: x.example, module: b }]';
    assert.equal(problemOf(t, text), undefined);
  });
});

describe('a key without a value is the same as no key', () => {
  const one = 'destinations: [a.example]';
  for (const text of [
    `${one}\nmodules:\ndiscovery:\nwebhooks:\nping_interval:\nlog:\ntls_config:\nauth:\nheaders:\n`,
    `${one}\nlog: { level: }\nauth: { username: , password: }\ndns: { servers: , timeout: ~ }\n`,
    `${one}\nmodules: { m: , n: { fall: , tls_config: , headers: , auth: { username: } } }\n`,
    `${one}\ndiscovery: { file_sd: , http_sd: [{ url: "http://x", basic_auth: , tls_config: , labels: , owner: }] }`,
    `${one}\nwebhooks: [{ url: "http://x", name: , events: , secret_file: null, timeout: }]`,
    'destinations: [{ uri: a.example, name: , module: , labels: , fall: , auth: }]',
    'destinations: [{ uri: a.example, labels: { x: , y: "" } }]',
    `${one}\nheaders: { X-A: }\nmodules: { m: { headers: { X-A: ~ } } }`,
    'destinations:',
    'destination:',
  ]) {
    test(JSON.stringify(text), (t) => {
      assert.equal(problemOf(t, text), undefined);
    });
  }

  test('but an unknown key is a problem, which names the nearest known one', (t) => {
    for (const [text, why] of [
      ['modles:', /: modles: unknown setting \(nearest: "modules"\)$/],
      ['modules: { m: { fal: } }', /: modules\.m\.fal: unknown setting \(nearest: "fall"\)$/],
      [
        'destinations: [{ uri: a.example, lables: }]',
        /lables: unknown setting \(nearest: "labels"\)$/,
      ],
      ['discovery: { file-sd: }', /\(nearest: "file_sd"\)$/],
      ['webhooks: [{ url: "http://x", secretfile: }]', /\(nearest: "secret_file"\)$/],
      ['destinations: [~]', /: destinations\[0\]\.uri: expected a SIP URI, got null/],
    ] as const) {
      assert.match(problemOf(t, text) ?? '', why);
    }
  });
});
