import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';

const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-config-'));
after(() => rmSync(folder, { recursive: true }));

function read(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return readConfig({ flags: readFlags(args), env, version: '1.2.3' });
}

function fromFile(file: string, name = 'config.yaml') {
  writeFileSync(join(folder, name), file);
  return read([`--config.file=${join(folder, name)}`]);
}

/** The message of the error, without the path of the test's folder. */
function problemOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error instanceof Error ? error.stack : error));
    return error.message.replaceAll(`${folder}/`, '');
  }
  return assert.fail('no ConfigError');
}

/** The problems without the file and the line before each path. */
function withoutPlace(problems: string): string {
  return problems.replaceAll(/^config\.yaml:\d+: (?=[\w.[\]-]+: )/gm, '');
}

/** A file, and patterns of its error: path, expected value, given value. */
const PROBLEMS: readonly (readonly [name: string, file: string, ...expected: RegExp[]])[] = [
  [
    'an unknown key',
    'ping_intervall: 3',
    /^ping_intervall: unknown setting \(nearest: "ping_interval"\)$/,
  ],
  [
    'an unknown key in a section',
    'web: { port: 1 }',
    /^web\.port: unknown setting \(docs\/configuration\.md lists all settings\)$/,
  ],
  [
    'an unknown key two sections down',
    'web: { config: { fil: x } }',
    /^web\.config\.fil: unknown setting \(nearest: "file"\)$/,
  ],
  [
    'an unknown key in a module',
    'modules: { m: { uri: x } }',
    /^modules\.m\.uri: unknown setting \(docs/,
  ],
  [
    'an unknown key of a destination',
    'destinations: [{ uri: a.example, port: 1 }]',
    /^destinations\[0\]\.port: unknown setting \(docs/,
  ],
  [
    'a key named like a property of objects',
    '{ constructor: 1, __proto__: 2 }',
    /^constructor: unknown setting/m,
    /^__proto__: unknown setting/m,
  ],
  ['a single value for a section', 'log: debug', /^log: expected a mapping, got "debug"$/],
  [
    'a section for a single value',
    'rise: { a: 1 }',
    /^rise: expected a single value, got a mapping$/,
  ],
  [
    'destinations that are not a list',
    'destinations: a.example',
    /^destinations: expected a list, got "a\.example"$/,
  ],
  ['modules that are not a mapping', 'modules: [m]', /^modules: expected a mapping, got a list$/],
  [
    'a module that is not a mapping',
    'modules: { m: 3 }',
    /^modules\.m: expected a mapping of settings, got "3"$/,
  ],
  ['a negative interval', 'ping_interval: -1', /^ping_interval: expected a duration .*, got "-1"$/],
  [
    'an interval of zero',
    'ping_interval: 0',
    /^ping_interval: expected a duration from 0\.1 s to 24h .*, got "0"$/,
  ],
  ['an interval of more than a day', 'ping_interval: 25h', /^ping_interval: .* got "25h"$/],
  [
    'a duration with an unknown unit',
    'ping_interval: 3 weeks',
    /^ping_interval: .* got "3 weeks"$/,
  ],
  ['a duration that is a boolean', 'ping_interval: true', /^ping_interval: .* got "true"$/],
  [
    'a fraction for a count',
    'rise: 1.5',
    /^rise: expected a whole number from 1 to 1000000, got "1\.5"$/,
  ],
  ['a count of zero', 'fall: 0', /^fall: .* got "0"$/],
  [
    'a timeout as long as the interval',
    '{ ping_interval: 10, ping_timeout: 10 }',
    /^ping_timeout: expected less than ping_interval \(10 s\), got 10 s$/,
  ],
  [
    'a timeout longer than the interval of one module',
    'ping_timeout: 6\nmodules: { m: { ping_interval: 5 } }',
    /^modules\.m\.ping_timeout: expected less than ping_interval \(5 s\), got 6 s$/,
  ],
  [
    'a timeout as long as the interval of a retry',
    '{ retry_interval: 2, ping_timeout: 2 }',
    /^ping_timeout: expected less than retry_interval \(2 s\), got 2 s$/,
  ],
  [
    'a timeout longer than the interval while down',
    '{ retry_interval: 2, down_interval: 1, ping_timeout: 1.5 }',
    /^ping_timeout: expected less than down_interval \(1 s\), got 1\.5 s$/,
  ],
  [
    'an interval of a retry below the limit',
    'retry_interval: 99ms',
    /^retry_interval: expected 0, or a duration from 0\.1 s to 24h .*, got "99ms"$/,
  ],
  ['a negative interval while down', 'down_interval: -1', /^down_interval: .* got "-1"$/],
  [
    'a timeout longer than the interval of one destination',
    'destinations: [{ uri: a.example, ping_interval: 2, ping_timeout: 3 }]',
    /^destinations\[0\]\.ping_timeout: .*\(2 s\), got 3 s$/,
  ],
  [
    'invalid alive codes',
    'alive_codes: 2xx,great',
    /^alive_codes: expected final codes: 2xx, .*, got "great"$/,
  ],
  [
    'alive codes named like a property of objects',
    'alive_codes: constructor',
    /^alive_codes: expected final codes: 2xx, .*, got "constructor"$/,
  ],
  [
    'invalid draining codes',
    'draining_codes: 503,busy',
    /^draining_codes: expected final codes: 2xx, .*, got "busy"$/,
  ],
  [
    'draining codes that count as alive',
    'draining_codes: 480,200',
    /^draining_codes: expected codes that alive_codes \(2xx\) does not include, got 200$/,
  ],
  [
    'draining codes of the top level that count as alive in a module',
    'draining_codes: 503\nmodules: { m: { alive_codes: any } }',
    /^modules\.m\.draining_codes: expected codes that alive_codes \(any\) does not include, got 503$/,
  ],
  [
    'a level that does not exist',
    'log: { level: loud }',
    /^log\.level: expected one of trace, debug, info, warn, error, got "loud"$/,
  ],
  [
    'an invalid address',
    'source_address: here',
    /^source_address: expected an IP address, got "here"$/,
  ],
  [
    'an address that no machine can have',
    'source_address: 0.0.0.0',
    /^source_address: expected an address of this machine \(0\.0\.0\.0 means this host .*\), got "0\.0\.0\.0"$/,
  ],
  [
    'a port above 65535',
    'source_port: 65536',
    /^source_port: expected a whole number from 0 to 65535, got "65536"$/,
  ],
  [
    'a header of two lines',
    'user_agent: "a\\nb: c"',
    /^user_agent: expected one line .*, got "a\\nb: c"$/,
  ],
  [
    'a From that is not a SIP URI',
    'ping_from: http://x',
    /^ping_from: expected a SIP URI, got "http:\/\/x": /,
  ],
  [
    'a listen address without a port',
    'web: { listen-address: localhost }',
    /^web\.listen-address: expected an address to listen on, .*, got "localhost"$/,
  ],
  [
    'a DNS server that is not an address',
    'dns: { servers: [nowhere] }',
    /^dns\.servers: expected .*, got .*nowhere/,
  ],
  [
    'DNS servers that are numbers',
    'dns: { servers: [1] }',
    /^dns\.servers: expected IP addresses, each with or without a port, got "1"$/,
  ],
  [
    'an unsupported transport',
    'transport: carrier-pigeon',
    /^transport: expected one of auto, udp, tcp, tls, ws, wss, got "carrier-pigeon"$/,
  ],
  [
    'a URI with an unsupported transport',
    'destinations: ["a.example;transport=sctp"]',
    /^destinations\[0\]\.uri: expected a URI with transport .*, got "a\.example;transport=sctp"$/,
  ],
  [
    'a malformed URI',
    'destinations: [a.example, "http://x"]',
    /^destinations\[1\]\.uri: expected a SIP URI, got "http:\/\/x": /,
  ],
  [
    'a destination without a URI',
    'destinations: [{ name: x }]',
    /^destinations\[0\]\.uri: expected a SIP URI, got undefined$/,
  ],
  [
    'a destination that is a number',
    'destinations: [5]',
    /^destinations\[0\]\.uri: expected a SIP URI, got "5": the host is neither/,
  ],
  [
    'an unknown module',
    'destinations: [{ uri: a.example, module: m }]',
    /^destinations\[0\]\.module: unknown module "m" \(modules: default, teams\)$/,
  ],
  [
    'a name twice',
    'destinations: [{ uri: a.example, name: x }, { uri: b.example, name: x }]',
    /^destinations\[1\]\.name: duplicate destination name "x" \(also destinations\[0\]\)$/,
  ],
  [
    'one URI twice, spelled differently',
    'destinations: [192.0.2.1, "SIP:192.0.2.1:5060"]',
    /^destinations\[1\]\.name: duplicate destination name "sip:192\.0\.2\.1"/,
  ],
  [
    'an empty name',
    'destinations: [{ uri: a.example, name: "" }]',
    /^destinations\[0\]\.name: expected 1 to 256 printable characters, not \. or \.\., got ""$/,
  ],
  [
    'a name that cannot be part of a path',
    'destinations: [{ uri: a.example, name: ".." }]',
    /^destinations\[0\]\.name: .*, got "\.\."$/,
  ],
  [
    'a name with a line break',
    'destinations: [{ uri: a.example, name: "a\\nb" }]',
    /^destinations\[0\]\.name: .*, got "a\\nb"$/,
  ],
  [
    'labels that are a list',
    'destinations: [{ uri: a.example, labels: [x] }]',
    /^destinations\[0\]\.labels: expected a mapping .*, got a list$/,
  ],
  [
    'a label name that is invalid in Prometheus',
    'destinations: [{ uri: a.example, labels: { "": x, "\\ud800": y } }]',
    /^destinations\[0\]\.labels\.: expected a label name .*, got ""$/m,
    /labels\.\ud800: /,
  ],
  [
    'a label name that Prometheus reserves',
    'destinations: [{ uri: a.example, labels: { __x: y } }]',
    /^destinations\[0\]\.labels\.__x: expected a label name \(not empty, no __ in front\), got "__x"/,
  ],
  [
    'metrics that do not exist',
    'metrics: { disable: [sip_keepalive_rtt_second] }',
    /^metrics\.disable: expected a metric of docs\/metrics\.md \(nearest: "sip_keepalive_rtt_seconds"\), got "sip_keepalive_rtt_second"$/,
  ],
  [
    'metrics that are no names',
    'metrics: { disable: [7] }',
    /^metrics\.disable: expected a metric of docs\/metrics\.md, got "7"$/,
  ],
  [
    'metrics that are no list',
    'metrics: { disable: { up: true } }',
    /^metrics\.disable: expected a single value, got a mapping$/,
  ],
  [
    'labels both kept and dropped',
    'metrics: { labels: { keep: [a], drop: [b] } }',
    /^metrics\.labels\.drop: expected metrics\.labels\.keep or metrics\.labels\.drop, got both$/,
  ],
  [
    'a label of the exporter that is dropped',
    'metrics: { labels: { drop: [site, destination] } }',
    /^metrics\.labels\.drop: expected labels of users, got "destination", which is the exporter's$/,
  ],
  [
    'labels that are no list',
    'metrics: { labels: { keep: { a: b } } }',
    /^metrics\.labels\.keep: expected a single value, got a mapping$/,
  ],
  [
    'a label that the metrics of the exporter have',
    'destinations: [{ uri: a.example, labels: { le: y, priority: gold } }]',
    /^destinations\[0\]\.labels\.le: label name "le" is reserved$/m,
    /^destinations\[0\]\.labels\.priority: label name "priority" is reserved$/m,
  ],
  [
    'a label value that is not a string',
    'destinations: [{ uri: a.example, labels: { x: [y] } }]',
    /^destinations\[0\]\.labels\.x: expected a string, got a list$/,
  ],
  [
    'a list at the top',
    '- 192.0.2.1',
    /^config\.yaml: expected a mapping of settings, got a list$/,
  ],
  ['a string at the top', 'hello', /^config\.yaml: expected a mapping of settings, got "hello"$/],
  ['tabs in YAML', 'log:\n\tlevel: debug', /^config\.yaml:2: .*tab/i],
  ['a key twice', 'rise: 1\nrise: 2', /^config\.yaml:2: .*duplicated/],
];

describe('a problem stops the start with the path, the expected and the given value:', () => {
  for (const [name, file, ...expected] of PROBLEMS) {
    test(name, () => {
      const problem = problemOf(() => fromFile(file));
      assert.match(problem, /^config\.yaml(?::\d+)?: /);
      for (const pattern of expected) assert.match(withoutPlace(problem), pattern);
    });
  }

  test('a file that cannot be read', () => {
    const args = [`--config.file=${join(folder, 'nowhere.yaml')}`];
    assert.match(
      problemOf(() => read(args)),
      /^nowhere\.yaml: expected a readable file, got ENOENT/,
    );
  });

  test('a JSON file with invalid JSON', () => {
    assert.match(
      problemOf(() => fromFile('{', 'bad.json')),
      /^bad\.json: .*JSON/,
    );
  });

  test('an unknown flag, with the nearest one or a hint to the list', () => {
    assert.equal(
      problemOf(() => read(['--ping_intervall=3'])),
      '--ping_intervall: unknown flag (nearest: "ping_interval")',
    );
    assert.equal(
      problemOf(() => read(['--rise=2', '--nonsense'])),
      '--nonsense: unknown flag (--help lists all flags)',
    );
    assert.equal(
      problemOf(() => read(['--ping_intervall', '10', '--rise', 'x', '--nonsense', '--fall=y'])),
      [
        '--ping_intervall: unknown flag (nearest: "ping_interval")',
        '--nonsense: unknown flag (--help lists all flags)',
        '--rise: expected a whole number from 1 to 1000000, got "x"',
        '--fall: expected a whole number from 1 to 1000000, got "y"',
      ].join('\n'),
    );
    assert.match(
      problemOf(() => read(['--nonsense=secret', '--rise'])),
      /^--nonsense: unknown flag \(--help lists all flags\)\ncommand line: .*--rise/,
    );
  });

  test('a flag without its value, and an argument that is not a flag', () => {
    assert.match(
      problemOf(() => read(['--rise'])),
      /^command line: .*--rise/,
    );
    assert.match(
      problemOf(() => read(['192.0.2.1'])),
      /^command line: .*192\.0\.2\.1/,
    );
  });
});

describe('a problem names the origin of the value:', () => {
  test('the flag', () => {
    assert.match(
      problemOf(() => read(['--rise=x'])),
      /^--rise: expected a whole number .*, got "x"$/,
    );
    assert.match(
      problemOf(() => read(['--destination=a.example', '--destination=a b?'])),
      /^--destination\[1\]\.uri: expected a SIP URI/,
    );
    assert.match(
      problemOf(() => read(['--shard=2', '--total-shards=2'])),
      /^--shard: expected less than total-shards \(2\), got 2$/,
    );
    assert.match(
      problemOf(() => read(['--discovery.dispatcher-list='], { SIP_KEEPALIVE_RISE: '0' })),
      /^SIP_KEEPALIVE_RISE: /,
    );
  });

  test('the environment variable', () => {
    const env = { SIP_KEEPALIVE_LOG_FORMAT: 'xml', SIP_KEEPALIVE_DESTINATION: 'http://x' };
    const problems = problemOf(() => read([], env)).split('\n');
    assert.equal(problems.length, 2);
    assert.match(problems[0] ?? '', /^SIP_KEEPALIVE_LOG_FORMAT: expected one of .*, got "xml"$/);
    assert.match(problems[1] ?? '', /^SIP_KEEPALIVE_DESTINATION\[0\]\.uri: expected a SIP URI/);
  });

  test('the line of the file, of the key or of the nearest level above it', () => {
    const file = [
      '# the third line is the first with a problem',
      'rise: 2',
      'ping_timout: 3',
      'modules:',
      '  m: &m',
      '    fall: 0',
      '  n:',
      '    auth: { username: u }',
      '  "quoted.name": { tls_config: { min_version: TLS9 } }',
      'destinations:',
      '  - a.example',
      '  - uri: http://x',
      '    lables: {}',
      '  - name: without',
      '  - { uri: b.example,',
      '      module: none }',
      'discovery:',
      '  http_sd:',
      '    - url: http://x.example/',
      '      module: none',
      '      tls_config:',
      '        ca_fil: x',
      '      basic_auth:',
      '        user: x',
      'webhooks:',
      '  - url: http://y.example/',
      '    event: [dst-up]',
    ].join('\n');
    const problems = problemOf(() => fromFile(file)).split('\n');
    assert.deepEqual(
      problems.map((line) => line.replace(/^config\.yaml:(\d+): ([^ ]+): .*$/, '$1 $2')).sort(),
      [
        '3 ping_timout',
        '6 modules.m.fall',
        '8 modules.n.auth',
        '9 modules.quoted.name.tls_config.min_version',
        '12 destinations[1].uri',
        '13 destinations[1].lables',
        '14 destinations[2].uri',
        '16 destinations[3].module',
        '20 discovery.http_sd[0].module',
        '22 discovery.http_sd[0].tls_config.ca_fil',
        '23 discovery.http_sd[0].basic_auth',
        '23 discovery.http_sd[0].basic_auth.username',
        '24 discovery.http_sd[0].basic_auth.user',
        '27 webhooks[0].event',
      ].sort(),
    );
    assert.ok(
      problems.includes('config.yaml:3: ping_timout: unknown setting (nearest: "ping_timeout")'),
    );
  });

  test('the line of a JSON file', () => {
    assert.match(
      problemOf(() => fromFile('{\n\t"rise": 1,\n\t"fall": 0\n}', 'lines.json')),
      /^lines\.json:3: fall: expected a whole number/,
    );
  });

  test('only the path if neither a file nor a flag has it', () => {
    assert.match(
      problemOf(() => read(['--dns.max_ttl=1'])),
      /^dns\.min_ttl: expected at most dns\.max_ttl \(1 s\), got 5 s$/,
    );
  });
});

describe('a module that does not exist', () => {
  test('is reported with the nearest one, or with up to ten existing ones', () => {
    const names = Array.from({ length: 12 }, (_, i) => `module${i}: {}`).join(', ');
    const problem = (module: string) =>
      withoutPlace(
        problemOf(() =>
          fromFile(`modules: { ${names} }\ndestinations: [{ uri: a.example, module: ${module} }]`),
        ),
      );
    assert.match(problem('modul3'), /unknown module "modul3" \(nearest: "module3"\)$/);
    assert.match(problem('x'), /unknown module "x" \(modules: default, .*module7, …\)$/);
  });
});

describe('all problems are in one error:', () => {
  const lines = (file: string) =>
    withoutPlace(problemOf(() => fromFile(file)))
      .split('\n')
      .sort();

  test('of single settings', () => {
    const problems = lines('{ rise: 0, fall: 0, log: { level: x, format: y } }');
    assert.deepEqual(
      problems.map((line) => line.split(':')[0]),
      ['fall', 'log.format', 'log.level', 'rise'],
    );
  });

  test('of modules and destinations', () => {
    const problems = lines(
      'modules: { m: { rise: 0, x: 1 } }\ndestinations: [{ uri: "", fall: 0 }, { uri: a.example, fall: 0 }]',
    );
    const paths = ['destinations[0].uri', 'destinations[1].fall', 'modules.m.rise', 'modules.m.x'];
    const reported = problems.map((line) => line.split(':')[0]);
    for (const path of paths) assert.ok(reported.includes(path), `${path} in ${reported}`);
  });

  test('of every kind', () => {
    const problems = lines(
      'rise: 0\nnonsense: 1\nmodules: { m: { fall: 0 } }\ndestinations: ["http://x"]',
    );
    assert.deepEqual(
      problems.map((line) => line.split(':')[0]),
      ['destinations[0].uri', 'modules.m.fall', 'nonsense', 'rise'],
    );
  });
});
