/** Settings of SIP identity, credentials, TLS, transports and probes. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Config, readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';
import { PING_SETTINGS } from '../../../src/config/ping-schema.js';
import { showConfig } from '../../../src/config/show.js';
import { pingTemplate } from '../../../src/pinger/sip/request.js';
import { parseUri } from '../../../src/shared/uri.js';
import { comparable, settings as defaults } from '../../support/settings.js';

const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-config-'));
after(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly file?: unknown;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

function read({ file = {}, args = [], env = {} }: Given): Config {
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify(file));
  const flags = readFlags([`--config.file=${path}`, ...args]);
  return comparable(readConfig({ flags, env, version: '1' }));
}

/** The settings of the only destination. */
function settingsOf(given: Given) {
  const { destinations } = read(given);
  const [only] = destinations;
  assert.ok(only !== undefined && destinations.length === 1);
  return only.settings;
}

function problemsOf(given: Given): string {
  try {
    read(given);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    // Without the file and the line before each path.
    return error.message.replaceAll(/^\/\S*config\.json:\d+: /gm, '');
  }
  return assert.fail('no ConfigError');
}

const DESTINATION = { uri: 'sip.example' };
const at = {
  'top level': (pings: object) => ({ ...pings, destinations: [DESTINATION] }),
  module: (pings: object) => ({
    modules: { m: pings },
    destinations: [{ ...DESTINATION, module: 'm' }],
  }),
  destination: (pings: object) => ({ destinations: [{ ...DESTINATION, ...pings }] }),
};

describe('a ping setting', () => {
  const given = {
    ...{ method: 'info', connection: 'per_ping', ws_path: '/sip?x=1', user: '+4930', dscp: 46 },
    interface: 'vrf-blue@0.15',
    ...{ to: 'sip:t@a.example', contact: 'sip:c@a.example', via_host: 'Me.example:5062' },
    ...{ route: 'sip:proxy.example:5070;transport=tcp', ip_protocol: 'ip4' },
    headers: { 'X-One': 'a: b', 'X-Two': 2 },
    auth: { username: 'u', password: 'p' },
    tls_config: {
      ...{
        ca_file: 'ca.pem',
        cert_file: '/abs/c.pem',
        key_file: 'k.pem',
        server_name: 'A.Example',
      },
      ...{ key_passphrase_file: 'pass', min_version: 'TLS11', max_version: 'TLS12' },
      ...{ insecure_skip_verify: true, strict_rfc5922: true },
    },
  };
  for (const [level, wrap] of Object.entries(at)) {
    test(`can be given at the ${level}`, () => {
      const read = settingsOf({ file: wrap(given) });
      const { method, connection, wsPath, dscp, ipProtocol, identity, auth, tls } = read;
      assert.equal(read.interfaceName, 'vrf-blue@0.15');
      assert.deepEqual(
        [method, connection, wsPath, dscp, ipProtocol],
        ['INFO', 'per_ping', '/sip?x=1', 46, 'ip4'],
      );
      const { user, to, contact, viaHost, route, headers } = identity;
      assert.deepEqual([user, to, contact], ['+4930', 'sip:t@a.example', 'sip:c@a.example']);
      assert.deepEqual([viaHost, route], ['me.example:5062', given.route]);
      assert.deepEqual(headers, [
        ['X-One', 'a: b'],
        ['X-Two', '2'],
      ]);
      assert.deepEqual(auth, { username: 'u', password: 'p', passwordFile: '' });
      assert.deepEqual(tls, {
        // File names are relative to the configuration file.
        ...{ caFile: join(folder, 'ca.pem'), certFile: '/abs/c.pem' },
        ...{ keyFile: join(folder, 'k.pem'), keyPassphraseFile: join(folder, 'pass') },
        ...{ serverName: 'a.example', minVersion: 'TLS11', maxVersion: 'TLS12' },
        ...{ ciphers: '', legacyRenegotiation: false },
        ...{ insecureSkipVerify: true, strictRfc5922: true },
      });
    });
  }

  test('can be a flag or an environment variable, also in a group', () => {
    const settings = settingsOf({
      args: [
        ...['--destination=sip.example', '--headers=X-A: 1', '--headers', 'X-B:2', '--user=bob'],
        ...['--tls_config.ca_file=ca.pem', '--tls_config.insecure_skip_verify', '--method=NOTIFY'],
      ],
      env: { SIP_KEEPALIVE_AUTH_USERNAME: 'u', SIP_KEEPALIVE_AUTH_PASSWORD_FILE: 'secret' },
    });
    assert.deepEqual(settings.identity.headers, [
      ['X-A', '1'],
      ['X-B', '2'],
    ]);
    assert.equal(settings.identity.user, 'bob');
    assert.deepEqual([settings.tls.caFile, settings.tls.insecureSkipVerify], ['ca.pem', true]);
    assert.deepEqual(settings.auth, { username: 'u', password: '', passwordFile: 'secret' });
    assert.equal(settings.method, 'NOTIFY');
  });

  test('of a module overrides the top level, in a group one by one', () => {
    const file = {
      tls_config: { ca_file: '/top', server_name: 'top.example' },
      modules: { m: { tls_config: { ca_file: '/m' } } },
      destinations: [{ ...DESTINATION, module: 'm', tls_config: { strict_rfc5922: true } }],
    };
    const { tls } = settingsOf({ file });
    assert.deepEqual([tls.caFile, tls.serverName, tls.strictRfc5922], ['/m', 'top.example', true]);
  });
});

/** A value for each ping setting that is not its default. Only one of the passwords may be used. */
const ONE_OF_EACH: Readonly<Record<keyof typeof PING_SETTINGS, string>> = {
  ...{ ping_interval: '77s', ping_timeout: '7s', ping_from: 'sip:f@f.example', rise: '2' },
  ...{ fall: '3', alive_codes: '2xx,404', method: 'INFO', transport: 'wss', dscp: '46' },
  ...{ connection: 'per_ping', ws_path: '/x', user: 'bob', to: 'sip:t@t.example' },
  ...{ contact: 'sip:c@c.example', via_host: 'sbc.example', user_agent: 'ua', headers: 'X-A: b' },
  ...{ route: 'sip:proxy.example', source_address: '192.0.2.9', source_port: '5099' },
  ...{ resolve: 'first', alive_when: 'all', max_targets: '7', interface: 'eth0' },
  ...{ delete_counter: '4', max_backoff: '9m', max_forwards: '0' },
  ...{ retry_interval: '8s', down_interval: '99s' },
  ...{ draining_codes: '480,503', respect_retry_after: 'true' },
  ...{ ws_origin: 'https://phone.example', 'tls_config.legacy_renegotiation': 'true' },
  'tls_config.ciphers': 'DEFAULT@SECLEVEL=0',
  ...{ ip_protocol: 'ip4', 'auth.username': 'u', 'auth.password': 'p', 'auth.password_file': '/p' },
  ...{
    'tls_config.ca_file': '/ca',
    'tls_config.cert_file': '/cert',
    'tls_config.key_file': '/key',
  },
  ...{ 'tls_config.key_passphrase_file': '/pass', 'tls_config.server_name': 's.example' },
  ...{ 'tls_config.min_version': 'TLS11', 'tls_config.max_version': 'TLS12' },
  ...{ 'tls_config.insecure_skip_verify': 'true', 'tls_config.strict_rfc5922': 'true' },
};

describe('every ping setting', () => {
  for (const other of ['auth.password', 'auth.password_file']) {
    const given = Object.entries(ONE_OF_EACH).filter(([path]) => path !== other);
    /** As in a file, where groups are mappings. */
    const inFile: Record<string, unknown> = {};
    for (const [path, value] of given) {
      const [group, name] = path.split('.') as [string, string | undefined];
      if (name === undefined) inFile[group] = value;
      else inFile[group] = { ...(inFile[group] as object), [name]: value };
    }
    const uri = 'sip.example';
    const wanted = () => settingsOf({ file: at.destination(inFile) });

    test(`can be given at every level, as a flag and as a variable (without ${other})`, () => {
      const args = given.map(([path, value]) => {
        const { isSwitch } = {
          isSwitch: false,
          ...PING_SETTINGS[path as keyof typeof PING_SETTINGS],
        };
        return isSwitch ? `--${path}` : `--${path}=${value}`;
      });
      const env = Object.fromEntries(
        given.map(([path, value]) => [
          `SIP_KEEPALIVE_${path.toUpperCase().replace('.', '_')}`,
          value,
        ]),
      );
      const flag = `--destination=${uri}`;
      assert.deepEqual(settingsOf({ file: at['top level'](inFile) }), wanted());
      assert.deepEqual(settingsOf({ file: at.module(inFile) }), wanted());
      assert.deepEqual(settingsOf({ args: [...args, flag] }), wanted());
      assert.deepEqual(settingsOf({ args: [flag], env }), wanted());
    });

    test(`has an effect (without ${other})`, () => {
      const { identity, tls, auth, ...rest } = wanted();
      const { identity: who, tls: how, auth: _none, ...others } = defaults();
      for (const [given, untouched] of [
        [identity, who],
        [tls, how],
        [rest, others],
      ] as const) {
        for (const [key, value] of Object.entries(untouched)) {
          assert.notDeepEqual(new Map(Object.entries(given)).get(key), value, key);
        }
      }
      const isFile = other === 'auth.password';
      const secret = isFile
        ? { password: '', passwordFile: '/p' }
        : { password: 'p', passwordFile: '' };
      assert.deepEqual(auth, { username: 'u', ...secret });
    });
  }
});

describe('headers', () => {
  const headersOf = (given: Given) => settingsOf(given).identity.headers;

  for (const [what, headers, wanted] of [
    [
      'a mapping',
      { 'X-A': 'a', 'X-B': 2 },
      [
        ['X-A', 'a'],
        ['X-B', '2'],
      ],
    ],
    [
      'a list of lines',
      ['X-A: a', 'X-B:2', 'X-C :  c: d '],
      [
        ['X-A', 'a'],
        ['X-B', '2'],
        ['X-C', 'c: d '],
      ],
    ],
    ['one line', 'X-A: a', [['X-A', 'a']]],
    [
      'a list with one header twice',
      ['X-A: 1', 'X-A: 2'],
      [
        ['X-A', '1'],
        ['X-A', '2'],
      ],
    ],
    ['a mapping to an empty text', { 'X-A': '' }, [['X-A', '']]],
    ['no lines', [], []],
    ['an empty mapping', {}, []],
    ['a value beyond ASCII', { Subject: 'gr\u00fc\u00df' }, [['Subject', 'gr\u00fc\u00df']]],
  ] as const) {
    test(`can be ${what}, at every level`, () => {
      for (const wrap of Object.values(at)) {
        assert.deepEqual(headersOf({ file: wrap({ headers }) }), wanted);
      }
    });
  }

  test('of a level replace those of the levels below it', () => {
    const file = {
      headers: { 'X-Top': '1' },
      modules: { m: { headers: ['X-Module: 2'] }, bare: { headers: [] } },
      destinations: [
        { uri: 'a.example', module: 'm' },
        { uri: 'b.example', module: 'm', headers: { 'X-Own': '3' } },
        { uri: 'c.example', module: 'bare' },
        { uri: 'd.example' },
      ],
    };
    const own = read({ file }).destinations.map(({ settings }) => settings.identity.headers);
    assert.deepEqual(own, [[['X-Module', '2']], [['X-Own', '3']], [], [['X-Top', '1']]]);
  });

  test('of a variable override those of the file, and those of flags override both', () => {
    const file = at['top level']({ headers: { 'X-File': '1', 'X-More': '2' } });
    const env = { SIP_KEEPALIVE_HEADERS: 'X-Env: a b' };
    assert.deepEqual(headersOf({ file, env }), [['X-Env', 'a b']]);
    const args = ['--headers=X-A: 1', '--headers', 'X-B: 2'];
    assert.deepEqual(headersOf({ file, env, args }), [
      ['X-A', '1'],
      ['X-B', '2'],
    ]);
  });

  test('that every ping has are rejected, in any spelling', () => {
    const identity = { route: 'sip:proxy.example' };
    const { bytes } = pingTemplate({
      ...{ uri: parseUri('a.example'), transport: 'tcp', settings: defaults({ identity }) },
      ...{ local: { address: '192.0.2.9', port: 4000 }, index: 1, cseq: 1 },
      credentials: [
        ['Authorization', 'Digest x'],
        ['Proxy-Authorization', 'Digest x'],
      ],
    });
    const names =
      Buffer.from(bytes)
        .toString('latin1')
        .match(/^[A-Za-z-]+(?=:)/gm) ?? [];
    assert.ok(names.length >= 14, String(names));
    // RFC 3261 7.3.3 and 20: their compact forms.
    for (const name of [...names, 'v', 'f', 't', 'i', 'm', 'l']) {
      for (const written of [name, name.toLowerCase(), name.toUpperCase()]) {
        for (const headers of [{ [written]: 'x' }, [`${written}: x`], `${written} : x`]) {
          const problems = problemsOf({ file: at.destination({ headers }) });
          assert.match(
            problems,
            /^destinations\[0\]\.headers: expected a header that pings do not have already/,
          );
        }
      }
    }
  });
});

describe('a problem', () => {
  for (const [pings, ...wanted] of [
    [
      { method: 'INVITE' },
      /method: expected a method such as OPTIONS \(INVITE would set up a call\)/,
    ],
    [{ method: 'ack' }, /method: expected a method that gets a response/],
    [{ method: 'CANCEL' }, /method: expected a method that gets a response/],
    [{ method: 'NO SUCH' }, /method: expected a SIP method/],
    [{ headers: { 'X-A': 'a\r\nEvil: yes' } }, /headers: expected one line without control/],
    [{ headers: { 'X-A': 'a\0' } }, /headers: expected one line without control/],
    [{ headers: { 'X-A': 'a\nEvil: yes' } }, /headers: expected one line without control/],
    [{ headers: { 'X-A': 'a\r' } }, /headers: expected one line without control/],
    [{ headers: { 'X-A': '\x7f' } }, /headers: expected one line without control/],
    [{ headers: ['X-A: a\r\n b'] }, /headers: expected one line without control/],
    [{ headers: { 'X-A\r\nEvil': 'a' } }, /headers: expected headers as a mapping/],
    [{ headers: { 'X-A': 'x'.repeat(1025) } }, /headers: expected one line without control/],
    [{ headers: { '': 'a' } }, /headers: expected headers as a mapping/],
    [{ method: 'invite' }, /method: expected a method such as OPTIONS/],
    [{ method: '' }, /method: expected a SIP method/],
    [{ method: 'OPTIONS\r\nX: y' }, /method: expected a SIP method/],
    [{ to: 'sip:a\r\nX: y' }, /to: expected a SIP URI/],
    [{ contact: 'a b' }, /contact: expected a SIP URI/],
    [{ to: '<sip:a>' }, /to: expected a SIP URI/],
    [{ user: 'a b' }, /user: expected the user part/],
    [{ user: 'a\r\nb' }, /user: expected the user part/],
    [{ via_host: 'a\r\nb' }, /via_host: expected host or host:port/],
    [{ via_host: 'u@a' }, /via_host: expected host or host:port/],
    [{ via_host: 'a:70000' }, /via_host: expected host or host:port/],
    [{ auth: { username: 'u\r\nX: y', password: 'p' } }, /auth\.username: expected one line/],
    [{ tls_config: { key_passphrase_file: '/p' } }, /tls_config\.key_file: expected the key/],
    [{ tls_config: { insecure_skip_verify: 'perhaps' } }, /insecure_skip_verify: expected true/],
    [{ transport: 'sctp' }, /transport: expected one of auto, udp, tcp, tls, ws, wss/],
    [{ ip_protocol: 'ipv4' }, /ip_protocol: expected one of any, ip4, ip6/],
    [{ headers: { 'X A': 'a' } }, /headers: expected headers as a mapping/],
    [{ headers: ['no colon'] }, /headers: expected headers as a mapping/],
    [{ headers: { 'X-A': [1] } }, /headers: expected one line/],
    ...['via', 'F', 'to', 'Call-ID', 'i', 'cseq', 'm', 'Content-Length', 'l', 'Route', 'v'].map(
      (name) =>
        [
          { headers: { [name]: 'x' } },
          /headers: expected a header that pings do not have already/,
        ] as const,
    ),
    [
      { headers: { Authorization: 'x' } },
      /headers: expected a header that pings do not have already/,
    ],
    [{ auth: { username: 'u' } }, /auth: expected either password or password_file, got neither/],
    [
      { auth: { username: 'u', password: 'p', password_file: 'f' } },
      /auth: expected either password or password_file, got both/,
    ],
    [{ auth: { password: 'p' } }, /auth\.username: expected a user name/],
    [{ auth: { user: 'u' } }, /auth\.user: unknown setting/],
    [{ tls_config: { cert_file: '/c' } }, /tls_config\.key_file: expected the key of cert_file/],
    [{ tls_config: { key_file: '/k' } }, /tls_config\.cert_file: expected the certificate/],
    [
      { tls_config: { min_version: 'TLS13', max_version: 'TLS12' } },
      /min_version: expected at most/,
    ],
    [{ tls_config: { min_version: 'SSL3' } }, /min_version: expected one of TLS10, TLS11, TLS12/],
    [{ tls_config: { cafile: 'x' } }, /tls_config\.cafile: unknown setting \(nearest: /],
    [{ tls_config: { server_name: 'a b' } }, /server_name: expected a host name/],
    [{ ws_path: 'sip' }, /ws_path: expected a path that begins with \//],
    [{ ws_path: '/a b' }, /ws_path: expected a path/],
    [{ dscp: 64 }, /dscp: expected a whole number from 0 to 63/],
    [{ interface: 'sixteen-letters-' }, /interface: expected a network interface such as eth0/],
    [{ interface: 'eth 0' }, /interface: expected a network interface such as eth0: 1 to 15/],
    [{ interface: 'eth/0' }, /interface: expected a network interface/],
    [{ interface: 'eth0:1' }, /interface: expected a network interface/],
    [{ interface: '..' }, /interface: expected a network interface/],
    [{ interface: ['eth0'] }, /interface: expected a network interface/],
    [{ max_forwards: 256 }, /max_forwards: expected a whole number from 0 to 255, got 256/],
    [{ ws_origin: 'phone.example' }, /ws_origin: expected auto, an origin such as/],
    [{ ws_origin: 'https://phone.example/path' }, /ws_origin: expected auto, an origin/],
    [{ tls_config: { ciphers: 'NO-SUCH' } }, /ciphers: expected a cipher list with at least one/],
    [{ tls_config: { legacy_renegotiation: 7 } }, /legacy_renegotiation: expected true or false/],
    [{ user: 'a@b' }, /user: expected the user part/],
    [{ user: 'a:b' }, /user: expected the user part/],
    [{ via_host: 'sip:a' }, /via_host: expected host or host:port/],
    [{ via_host: 'a;x=y' }, /via_host: expected host or host:port/],
    [{ route: 'http://x' }, /route: expected a SIP URI/],
    [{ connection: 'often' }, /connection: expected one of persistent, per_ping/],
  ] as const) {
    test(`${JSON.stringify(pings)} is reported with its path, at every level`, () => {
      for (const wrap of Object.values(at)) {
        const problems = problemsOf({ file: wrap(pings) });
        for (const want of wanted) assert.match(problems, want);
      }
    });
  }

  for (const [destination, wanted] of [
    [{ uri: 'sips:a.example;transport=udp' }, /uri: expected a URI with transport .*sips: not udp/],
    [{ uri: '[::1]', ip_protocol: 'ip4' }, /ip_protocol: expected any or ip6, got "ip4"/],
    [{ uri: '192.0.2.1', ip_protocol: 'ip6' }, /ip_protocol: expected any or ip4/],
    [
      { uri: 'a.example', ip_protocol: 'ip6', source_address: '192.0.2.1' },
      /source_address: expected an IPv6/,
    ],
    [{ uri: 'sips:192.0.2.1;transport=UDP' }, /uri: expected a URI with transport .*sips: not udp/],
    [{ uri: '[::1]', source_address: '192.0.2.1' }, /source_address: expected an IPv6/],
    [{ uri: '192.0.2.1', source_address: '::1' }, /source_address: expected an IPv4/],
    [
      { uri: 'a.example', ip_protocol: 'ip4', source_address: '::1' },
      /source_address: expected an IPv4/,
    ],
    [
      { uri: 'a.example', route: 'sip:[::1]', ip_protocol: 'ip4' },
      /ip_protocol: expected any or ip6/,
    ],
    [{ uri: 'a.example', module: 'teams' }, /via_host: expected the host name of your SBC/],
  ] as const) {
    test(`${JSON.stringify(destination)} cannot be pinged`, () => {
      assert.match(problemsOf({ file: { destinations: [destination] } }), wanted);
    });
  }

  for (const [item, wanted] of [
    ['10.0.0.0/33', /prefix length from 0 to 32/],
    ['10.0.0.0/x', /prefix length/],
    ['2001:db8::/129', /prefix length from 0 to 128/],
    ['not a domain', /CIDR blocks and domains/],
    ['*', /CIDR blocks and domains/],
    ['*.*.a.example', /CIDR blocks and domains/],
    ['a.example/8', /CIDR blocks and domains/],
    ['a.example:5060', /CIDR blocks and domains/],
    ['10/8', /CIDR blocks and domains/],
    ['256.0.0.0/8', /CIDR blocks and domains/],
    ['10.0.0.0/', /prefix length/],
    ['10.0.0.0/-1', /prefix length/],
    ['::ffff:10.0.0.0/80', /prefix length from 96 to 128/],
    ['10.0.0.0/8/9', /prefix length|CIDR blocks and domains/],
    ['', undefined],
  ] as const) {
    test(`probe.allow rejects ${JSON.stringify(item)}`, () => {
      const file = { probe: { allow: [item] } };
      if (wanted !== undefined) assert.match(problemsOf({ file }), wanted);
      else assert.match(problemsOf({ file }), /probe\.allow/);
    });
  }
});

test('probe.allow accepts blocks, addresses and domains in any spelling', () => {
  const allow = [
    '10.0.0.0/8',
    '192.0.2.1',
    '2001:DB8:0::/32',
    '::ffff:10.1.0.0/112',
    'Example.COM',
    '*.a.example',
    '.b.example',
  ];
  assert.deepEqual(read({ file: { probe: { allow } } }).probeAllow, [
    ...['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32', '10.1.0.0/16'],
    ...['example.com', 'a.example', 'b.example'],
  ]);
});

test('the module teams is built in, and the file can change its settings', () => {
  const file = {
    ping_interval: 10,
    modules: { teams: { via_host: 'sbc.example:5061', ping_interval: 90 } },
    destinations: [{ uri: 'sip:sip.pstnhub.microsoft.com:5061', module: 'teams' }],
  };
  const { transport, intervalMs, identity, tls } = settingsOf({ file });
  assert.deepEqual([transport, intervalMs, tls.minVersion], ['tls', 90_000, 'TLS12']);
  assert.equal(identity.viaHost, 'sbc.example:5061');
  const own = { destinations: [{ uri: 'a.example', module: 'teams', via_host: 'sbc.example' }] };
  assert.equal(settingsOf({ file: own }).intervalMs, 60_000);
});

describe('the module teams', () => {
  test('takes its host name from any level', () => {
    const destination = { uri: 'sip.example', module: 'teams' };
    for (const file of [
      { via_host: 'sbc.example', destinations: [destination] },
      { modules: { teams: { via_host: 'sbc.example' } }, destinations: [destination] },
      { destinations: [{ ...destination, via_host: 'sbc.example' }] },
    ]) {
      assert.equal(settingsOf({ file }).identity.viaHost, 'sbc.example');
    }
    const without = { modules: { teams: { rise: 2 } }, destinations: [destination] };
    assert.match(problemsOf({ file: without }), /^destinations\[0\]\.via_host: .*got none$/);
  });

  for (const [what, top] of [
    ['a timeout longer than its interval', { ping_interval: 120, ping_timeout: 90 }],
    [
      'a TLS version below its minimum',
      { tls_config: { min_version: 'TLS10', max_version: 'TLS11' } },
    ],
  ] as const) {
    test(`that no destination uses is no problem of a file with ${what}`, () => {
      assert.equal(read({ file: at['top level'](top) }).destinations.length, 1);
    });
  }

  test('that a destination uses must be valid with the settings of the top level', () => {
    for (const [top, problem] of [
      [{ ping_interval: 120, ping_timeout: 90 }, /ping_timeout: expected less than ping_interval/],
      [
        { tls_config: { min_version: 'TLS10', max_version: 'TLS11' } },
        /tls_config\.min_version: expected at most max_version/,
      ],
    ] as const) {
      const destination = { uri: 'a.example', module: 'teams' };
      const file = { ...top, via_host: 'sbc.example', destinations: [destination] };
      assert.match(problemsOf({ file }), problem);
    }
  });

  test('does not repeat the problems of the top level', () => {
    const problems = problemsOf({ file: at['top level']({ auth: { username: 'u' } }) });
    assert.equal(problems, 'auth: expected either password or password_file, got neither');
  });
});

test('TLS versions that contradict each other across levels are reported where they meet', () => {
  const file = {
    tls_config: { min_version: 'TLS13' },
    modules: { m: { tls_config: { max_version: 'TLS12' } } },
    destinations: [{ ...DESTINATION, tls_config: { max_version: 'TLS12' } }],
  };
  const problems = problemsOf({ file });
  for (const path of ['modules\\.m', 'destinations\\[0\\]']) {
    assert.match(
      problems,
      new RegExp(`^${path}\\.tls_config\\.min_version: expected at most`, 'm'),
    );
  }
  assert.doesNotMatch(problems, /^tls_config/m);
});

test('a group is a mapping at every level: a name with a dot is not a setting in a file', () => {
  for (const wrap of Object.values(at)) {
    const problems = problemsOf({ file: wrap({ 'tls_config.ca_file': 'ca.pem' }) });
    assert.match(
      problems,
      /tls_config\.ca_file: unknown setting \(a dot is a level in the file: tls_config: \{ ca_file: /,
    );
  }
});

test('file names are relative to the configuration file', () => {
  const files = { auth: { username: 'u', password_file: 'secret/p' } };
  for (const wrap of Object.values(at)) {
    const { auth } = settingsOf({ file: wrap(files) });
    assert.equal(auth?.passwordFile, join(folder, 'secret/p'));
  }
  const up = at.destination({ tls_config: { ca_file: '../ca.pem', cert_file: '', key_file: '' } });
  assert.equal(settingsOf({ file: up }).tls.caFile, join(folder, '../ca.pem'));
  assert.equal(settingsOf({ file: up }).tls.certFile, '');
});

test('a route keeps its port and its transport under a module with another transport', () => {
  for (const [transport, route, wanted] of [
    ['tls', 'sip:127.0.0.9:5060', 'sip:127.0.0.9:5060'],
    ['tls', '127.0.0.9:5061', 'sip:127.0.0.9'],
    ['ws', 'sip:127.0.0.9:5060', 'sip:127.0.0.9:5060'],
    ['tcp', 'sip:127.0.0.9;transport=udp', 'sip:127.0.0.9;transport=udp'],
  ] as const) {
    const file = {
      modules: { m: { transport, route } },
      destinations: [{ ...DESTINATION, module: 'm' }],
    };
    assert.equal(settingsOf({ file }).identity.route, wanted);
  }
  for (const route of ['sip:224.0.0.1', 'sip:a.example;transport=sctp']) {
    assert.match(problemsOf({ file: at.destination({ route }) }), /\.route: expected /);
  }
});

test('an explicit port remains explicit under a module whose transport has another default', () => {
  const file = {
    modules: { secure: { transport: 'tls' } },
    destinations: [
      { name: 'a', uri: '192.0.2.1:5060', module: 'secure' },
      { name: 'b', uri: '192.0.2.1:5061', module: 'secure' },
      { name: 'c', uri: '192.0.2.1:5060' },
    ],
  };
  const uris = read({ file }).destinations.map(({ uri }) => uri);
  assert.deepEqual(uris, ['sip:192.0.2.1:5060', 'sip:192.0.2.1', 'sip:192.0.2.1']);
});

describe('the configuration at /config', () => {
  for (const [what, file] of [
    [
      'modules and destinations of all kinds',
      {
        headers: { 'X-One': 'a' },
        modules: {
          m: { auth: { username: 'u', password: 'p4ssw0rd' }, transport: 'wss', ws_path: '/x' },
          teams: { via_host: 'sbc.example:5061' },
        },
        destinations: [
          { uri: 'a.example', module: 'm', tls_config: { ca_file: '/ca' }, labels: { a: 'b' } },
          { uri: 'sips:192.0.2.1', route: 'sip:proxy.example', dscp: 8 },
          { uri: 'b.example', module: 'teams' },
        ],
      },
    ],
    [
      'the built-in module',
      { destinations: [{ uri: 'b.example', module: 'teams', via_host: 'sbc.example' }] },
    ],
    ['a header twice', at.module({ headers: ['X-A: 1', 'X-A: 2'] })],
    ['headers in an unusual order', at.module({ headers: ['X-B: 1', '2: x', '1: y'] })],
    [
      'a destination without the credentials of all others',
      {
        auth: { username: 'u', password: 'p4ssw0rd' },
        destinations: [{ uri: 'a.example', auth: { username: '', password: '' } }],
      },
    ],
    [
      'a destination without the headers of all others',
      { headers: { 'X-A': '1' }, destinations: [{ uri: 'a.example', headers: [] }] },
    ],
    [
      'ports that are written out',
      {
        modules: { secure: { transport: 'tls' } },
        destinations: [{ uri: '192.0.2.1:5060', module: 'secure' }, 'a.example:5060'],
      },
    ],
    [
      'targets that may be probed',
      { probe: { enabled: false, allow: ['10.0.0.0/8', '::1', '*.a.example'] } },
    ],
    [
      'files of all kinds',
      at['top level']({ tls_config: { ca_file: 'ca.pem', cert_file: '/c', key_file: 'k' } }),
    ],
  ] as const) {
    test(`means the same when it is loaded again with its secrets: ${what}`, () => {
      const config = read({ file });
      const shown = showConfig(config).replaceAll('<secret>', 'p4ssw0rd');
      assert.deepEqual(read({ file: JSON.parse(shown) }), config);
    });
  }
});
