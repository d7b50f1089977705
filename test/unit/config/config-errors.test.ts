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

/** What the error says, without the folder of the test. */
function faultOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error instanceof Error ? error.stack : error));
    return error.message.replaceAll(`${folder}/`, '');
  }
  return assert.fail('no ConfigError');
}

/** A file, and what is to stand in the error: path, what was wanted, what came. */
const FAULTS: readonly (readonly [name: string, file: string, ...wanted: RegExp[]])[] = [
  [
    'an unknown key',
    'ping_intervall: 3',
    /^ping_intervall: expected one of .*ping_interval.*, got "ping_intervall"$/,
  ],
  [
    'an unknown key in a section',
    'web: { port: 1 }',
    /^web\.port: expected one of enable-admin-api, listen-address, external-url, config, got "port"$/,
  ],
  [
    'an unknown key two sections down',
    'web: { config: { fil: x } }',
    /^web\.config\.fil: .*got "fil"$/,
  ],
  [
    'an unknown key in a module',
    'modules: { m: { uri: x } }',
    /^modules\.m\.uri: expected a setting of pings, got "uri"$/,
  ],
  [
    'an unknown key of a destination',
    'destinations: [{ uri: a.example, port: 1 }]',
    /^destinations\[0\]\.port: expected .*, got "port"$/,
  ],
  [
    'a key like a part of objects',
    '{ constructor: 1, __proto__: 2 }',
    /^constructor: expected one of/m,
    /^__proto__: expected one of/m,
  ],
  ['a single value for a section', 'log: debug', /^log: expected a mapping, got "debug"$/],
  [
    'a section for a single value',
    'rise: { a: 1 }',
    /^rise: expected a single value, got a mapping$/,
  ],
  [
    'destinations that are no list',
    'destinations: a.example',
    /^destinations: expected a list, got "a\.example"$/,
  ],
  ['modules that are no mapping', 'modules: [m]', /^modules: expected a mapping, got a list$/],
  [
    'a module that is no mapping',
    'modules: { m: 3 }',
    /^modules\.m: expected a mapping of settings, got "3"$/,
  ],
  ['a negative interval', 'ping_interval: -1', /^ping_interval: expected a duration .*, got "-1"$/],
  [
    'an interval of zero',
    'ping_interval: 0',
    /^ping_interval: expected a duration from 0\.1 s to 24h .*, got "0"$/,
  ],
  ['an interval past a day', 'ping_interval: 25h', /^ping_interval: .* got "25h"$/],
  [
    'a duration of no unit that we know',
    'ping_interval: 3 weeks',
    /^ping_interval: .* got "3 weeks"$/,
  ],
  ['a duration that is a truth', 'ping_interval: true', /^ping_interval: .* got "true"$/],
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
    'a timeout longer than the interval of one destination',
    'destinations: [{ uri: a.example, ping_interval: 2, ping_timeout: 3 }]',
    /^destinations\[0\]\.ping_timeout: .*\(2 s\), got 3 s$/,
  ],
  [
    'alive codes that are none',
    'alive_codes: 2xx,great',
    /^alive_codes: expected final codes: 2xx, .*, got "great"$/,
  ],
  [
    'alive codes like a part of objects',
    'alive_codes: constructor',
    /^alive_codes: expected final codes: 2xx, .*, got "constructor"$/,
  ],
  [
    'a level that does not exist',
    'log: { level: loud }',
    /^log\.level: expected one of debug, info, warn, error, got "loud"$/,
  ],
  [
    'an address that is none',
    'source_address: here',
    /^source_address: expected an IP address, got "here"$/,
  ],
  [
    'an address that no machine has',
    'source_address: 0.0.0.0',
    /^source_address: expected an address of this machine \(0\.0\.0\.0 means this host .*\), got "0\.0\.0\.0"$/,
  ],
  [
    'a port past the last',
    'source_port: 65536',
    /^source_port: expected a whole number from 0 to 65535, got "65536"$/,
  ],
  [
    'a header of two lines',
    'user_agent: "a\\nb: c"',
    /^user_agent: expected one line .*, got "a\\nb: c"$/,
  ],
  [
    'a From that is no SIP URI',
    'ping_from: http://x',
    /^ping_from: expected a SIP URI, got "http:\/\/x": /,
  ],
  [
    'a listen address without a port',
    'web: { listen-address: localhost }',
    /^web\.listen-address: expected an address to listen on, .*, got "localhost"$/,
  ],
  [
    'a DNS server that is no address',
    'dns: { servers: [nowhere] }',
    /^dns\.servers: expected .*, got .*nowhere/,
  ],
  [
    'DNS servers that are numbers',
    'dns: { servers: [1] }',
    /^dns\.servers: expected IP addresses, each with or without a port, got "1"$/,
  ],
  [
    'a transport that we lack',
    'transport: carrier-pigeon',
    /^transport: expected one of auto, udp, tcp, tls, ws, wss, got "carrier-pigeon"$/,
  ],
  [
    'a URI over a wire that we lack',
    'destinations: ["a.example;transport=sctp"]',
    /^destinations\[0\]\.uri: expected a URI over .*, got "a\.example;transport=sctp"$/,
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
    /^destinations\[0\]\.module: expected one of the modules default, teams, got "m"$/,
  ],
  [
    'a name twice',
    'destinations: [{ uri: a.example, name: x }, { uri: b.example, name: x }]',
    /^destinations\[1\]\.name: expected a name of its own, got "x", which is that of destinations\[0\]$/,
  ],
  [
    'one URI twice, spelled differently',
    'destinations: [192.0.2.1, "SIP:192.0.2.1:5060"]',
    /^destinations\[1\]\.name: expected a name of its own, got "sip:192\.0\.2\.1"/,
  ],
  [
    'an empty name',
    'destinations: [{ uri: a.example, name: "" }]',
    /^destinations\[0\]\.name: expected 1 to 256 printable characters, not \. or \.\., got ""$/,
  ],
  [
    'a name that no path can hold',
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
    'a label name that Prometheus refuses',
    'destinations: [{ uri: a.example, labels: { 1a: x, a-b: y } }]',
    /^destinations\[0\]\.labels\.1a: expected a Prometheus label name, got "1a"$/m,
    /labels\.a-b: /,
  ],
  [
    'a label name that Prometheus reserves',
    'destinations: [{ uri: a.example, labels: { __x: y } }]',
    /^destinations\[0\]\.labels\.__x: expected a Prometheus label name/,
  ],
  [
    'a label that our metrics have',
    'destinations: [{ uri: a.example, labels: { le: y, priority: gold } }]',
    /^destinations\[0\]\.labels\.le: expected a label that our metrics lack, got "le"$/m,
    /^destinations\[0\]\.labels\.priority: expected a label that our metrics lack, got "priority"$/m,
  ],
  [
    'a label value that is no text',
    'destinations: [{ uri: a.example, labels: { x: [y] } }]',
    /^destinations\[0\]\.labels\.x: expected a text, got a list$/,
  ],
  [
    'a list at the top',
    '- 192.0.2.1',
    /^config\.yaml: expected a mapping of settings, got a list$/,
  ],
  ['a text at the top', 'hello', /^config\.yaml: expected a mapping of settings, got "hello"$/],
  ['tabs in YAML', 'log:\n\tlevel: debug', /^config\.yaml:2: .*tab/i],
  ['a key twice', 'rise: 1\nrise: 2', /^config\.yaml:2: .*duplicated/],
];

describe('a fault stops the start with the path, what was wanted and what came:', () => {
  for (const [name, file, ...wanted] of FAULTS) {
    test(name, () => {
      const fault = faultOf(() => fromFile(file));
      for (const pattern of wanted) assert.match(fault, pattern);
    });
  }

  test('a file that cannot be read', () => {
    const args = [`--config.file=${join(folder, 'nowhere.yaml')}`];
    assert.match(
      faultOf(() => read(args)),
      /^nowhere\.yaml: expected a readable file, got ENOENT/,
    );
  });

  test('a JSON file that is none', () => {
    assert.match(
      faultOf(() => fromFile('{', 'bad.json')),
      /^bad\.json: .*JSON/,
    );
  });

  test('a flag that does not exist, lacks its value, or comes without dashes', () => {
    assert.match(
      faultOf(() => read(['--ping_intervall=3'])),
      /^command line: .*--ping_intervall/,
    );
    assert.match(
      faultOf(() => read(['--rise'])),
      /^command line: .*--rise/,
    );
    assert.match(
      faultOf(() => read(['192.0.2.1'])),
      /^command line: .*192\.0\.2\.1/,
    );
  });

  test('a bad value from a flag or the environment, like one from the file', () => {
    assert.match(
      faultOf(() => read(['--rise=x'])),
      /^rise: expected a whole number .*, got "x"$/,
    );
    const env = { SIP_KEEPALIVE_LOG_FORMAT: 'xml' };
    assert.match(
      faultOf(() => read([], env)),
      /^log\.format: expected one of .*, got "xml"$/,
    );
    assert.match(
      faultOf(() => read(['--destination=a b?'])),
      /^destination\[0\]\.uri: expected a SIP URI/,
    );
  });
});

describe('all faults are told in one error:', () => {
  const lines = (file: string) =>
    faultOf(() => fromFile(file))
      .split('\n')
      .sort();

  test('of single settings', () => {
    const fault = lines('{ rise: 0, fall: 0, log: { level: x, format: y } }');
    assert.deepEqual(
      fault.map((line) => line.split(':')[0]),
      ['fall', 'log.format', 'log.level', 'rise'],
    );
  });

  test('of modules and destinations', () => {
    const fault = lines(
      'modules: { m: { rise: 0, x: 1 } }\ndestinations: [{ uri: "", fall: 0 }, { uri: a.example, fall: 0 }]',
    );
    const paths = ['destinations[0].uri', 'destinations[1].fall', 'modules.m.rise', 'modules.m.x'];
    const told = fault.map((line) => line.split(':')[0]);
    for (const path of paths) assert.ok(told.includes(path), `${path} in ${told}`);
  });

  test('of every kind', () => {
    const fault = lines(
      'rise: 0\nnonsense: 1\nmodules: { m: { fall: 0 } }\ndestinations: ["http://x"]',
    );
    assert.deepEqual(
      fault.map((line) => line.split(':')[0]),
      ['destinations[0].uri', 'modules.m.fall', 'nonsense', 'rise'],
    );
  });
});
