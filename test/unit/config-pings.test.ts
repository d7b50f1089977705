/** The settings of who pings are from, of credentials, TLS, wires and probes. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Config, readConfig } from '../../src/config/config.js';
import { readFlags } from '../../src/config/flags.js';
import { ConfigError } from '../../src/config/formats.js';
import { showConfig, showModule } from '../../src/config/show.js';

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
  return readConfig({ flags: readFlags([`--config.file=${path}`, ...args]), env, version: '1' });
}

/** The settings of the only destination. */
function settingsOf(given: Given) {
  const { destinations } = read(given);
  const [only] = destinations;
  assert.ok(only !== undefined && destinations.length === 1);
  return only.settings;
}

function faultsOf(given: Given): string {
  try {
    read(given);
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
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

describe('a setting of pings', () => {
  const given = {
    ...{ method: 'info', connection: 'per_ping', ws_path: '/sip?x=1', user: '+4930', dscp: 46 },
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
    test(`holds at the ${level}`, () => {
      const { method, connection, wsPath, dscp, ipProtocol, identity, auth, tls } = settingsOf({
        file: wrap(given),
      });
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
        // Names of files are relative to the file that names them.
        ...{ caFile: join(folder, 'ca.pem'), certFile: '/abs/c.pem' },
        ...{ keyFile: join(folder, 'k.pem'), keyPassphraseFile: join(folder, 'pass') },
        ...{ serverName: 'a.example', minVersion: 'TLS11', maxVersion: 'TLS12' },
        ...{ insecureSkipVerify: true, strictRfc5922: true },
      });
    });
  }

  test('can be a flag or a variable, in groups too', () => {
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

  test('in a module goes before the top level, in a group one by one', () => {
    const file = {
      tls_config: { ca_file: '/top', server_name: 'top.example' },
      modules: { m: { tls_config: { ca_file: '/m' } } },
      destinations: [{ ...DESTINATION, module: 'm', tls_config: { strict_rfc5922: true } }],
    };
    const { tls } = settingsOf({ file });
    assert.deepEqual([tls.caFile, tls.serverName, tls.strictRfc5922], ['/m', 'top.example', true]);
  });
});

describe('a fault', () => {
  for (const [pings, ...wanted] of [
    [{ method: 'INVITE' }, /method: expected a method that sets up no call.*would ring/],
    [{ method: 'ack' }, /method: expected a method that is answered/],
    [{ method: 'CANCEL' }, /method: expected a method that is answered/],
    [{ method: 'NO SUCH' }, /method: expected a SIP method/],
    [{ headers: { 'X-A': 'a\r\nEvil: yes' } }, /headers: expected one line without control/],
    [{ headers: { 'X-A': 'a\0' } }, /headers: expected one line without control/],
    [{ headers: { 'X A': 'a' } }, /headers: expected headers as a mapping/],
    [{ headers: ['no colon'] }, /headers: expected headers as a mapping/],
    [{ headers: { 'X-A': [1] } }, /headers: expected one line/],
    ...['via', 'F', 'to', 'Call-ID', 'i', 'cseq', 'm', 'Content-Length', 'l', 'Route', 'v'].map(
      (name) =>
        [
          { headers: { [name]: 'x' } },
          /headers: expected headers that a ping does not have/,
        ] as const,
    ),
    [{ headers: { Authorization: 'x' } }, /headers: expected headers that a ping does not have/],
    [{ auth: { username: 'u' } }, /auth: expected either password or password_file, got neither/],
    [
      { auth: { username: 'u', password: 'p', password_file: 'f' } },
      /auth: expected either password or password_file, got both/,
    ],
    [{ auth: { password: 'p' } }, /auth\.username: expected a user name/],
    [{ auth: { user: 'u' } }, /auth\.user: expected /],
    [{ tls_config: { cert_file: '/c' } }, /tls_config\.key_file: expected the key of cert_file/],
    [{ tls_config: { key_file: '/k' } }, /tls_config\.cert_file: expected the certificate/],
    [
      { tls_config: { min_version: 'TLS13', max_version: 'TLS12' } },
      /min_version: expected at most/,
    ],
    [{ tls_config: { min_version: 'SSL3' } }, /min_version: expected one of TLS10, TLS11, TLS12/],
    [{ tls_config: { cafile: 'x' } }, /tls_config\.cafile: expected /],
    [{ tls_config: { server_name: 'a b' } }, /server_name: expected a host name/],
    [{ ws_path: 'sip' }, /ws_path: expected a path that begins with \//],
    [{ ws_path: '/a b' }, /ws_path: expected a path/],
    [{ dscp: 64 }, /dscp: expected a whole number from 0 to 63/],
    [{ user: 'a@b' }, /user: expected the user part/],
    [{ user: 'a:b' }, /user: expected the user part/],
    [{ via_host: 'sip:a' }, /via_host: expected host or host:port/],
    [{ via_host: 'a;x=y' }, /via_host: expected host or host:port/],
    [{ route: 'http://x' }, /route: expected a SIP URI/],
    [{ connection: 'often' }, /connection: expected one of persistent, per_ping/],
  ] as const) {
    test(`${JSON.stringify(pings)} is told with its place, at every level`, () => {
      for (const wrap of Object.values(at)) {
        const faults = faultsOf({ file: wrap(pings) });
        for (const want of wanted) assert.match(faults, want);
      }
    });
  }

  for (const [destination, wanted] of [
    [{ uri: 'sips:a.example;transport=udp' }, /uri: expected a URI over .*sips not over udp/],
    [{ uri: '[::1]', ip_protocol: 'ip4' }, /ip_protocol: expected any or ip6, got "ip4"/],
    [{ uri: '192.0.2.1', ip_protocol: 'ip6' }, /ip_protocol: expected any or ip4/],
    [
      { uri: 'a.example', ip_protocol: 'ip6', source_address: '192.0.2.1' },
      /source_address: expected an IPv6/,
    ],
    [{ uri: 'a.example', module: 'teams' }, /via_host: expected the host name of your SBC/],
  ] as const) {
    test(`${JSON.stringify(destination)} cannot be pinged`, () => {
      assert.match(faultsOf({ file: { destinations: [destination] } }), wanted);
    });
  }

  for (const [item, wanted] of [
    ['10.0.0.0/33', /prefix length from 0 to 32/],
    ['10.0.0.0/x', /prefix length/],
    ['2001:db8::/129', /prefix length from 0 to 128/],
    ['not a domain', /CIDR blocks and domains/],
    ['', undefined],
  ] as const) {
    test(`probe.allow does not take ${JSON.stringify(item)} for what it is not`, () => {
      const file = { probe: { allow: [item] } };
      if (wanted !== undefined) assert.match(faultsOf({ file }), wanted);
      else assert.match(faultsOf({ file }), /probe\.allow/);
    });
  }

  test('never shows a password, wherever it stands', () => {
    const password = fc.string({
      minLength: 8,
      unit: fc.constantFrom('s', 'e', 'c', 'r', 't', '\n', 'é'),
    });
    fc.assert(
      fc.property(password, fc.boolean(), (secret, isRight) => {
        const auth = { username: isRight ? 'u' : '', password: secret };
        const file = { modules: { m: { auth } }, destinations: [{ ...DESTINATION, auth }] };
        let shown: string;
        try {
          const config = read({ file });
          shown = showConfig(config) + showModule(config, 'm');
        } catch (error) {
          shown = String(error);
        }
        assert.ok(!shown.includes(secret) && !shown.includes(JSON.stringify(secret).slice(1, -1)));
      }),
      { numRuns: 50 },
    );
  });
});

test('probe.allow takes blocks, addresses and domains in any spelling', () => {
  const allow = [
    '10.0.0.0/8',
    '192.0.2.1',
    '2001:db8::/32',
    'Example.COM',
    '*.a.example',
    '.b.example',
  ];
  assert.deepEqual(read({ file: { probe: { allow } } }).probeAllow, [
    ...['10.0.0.0/8', '192.0.2.1/32', '2001:db8::/32', 'example.com', 'a.example', 'b.example'],
  ]);
});

test('the module teams is there, and the file lays its own over it', () => {
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

test('an explicit port stays one under a module whose wire has another', () => {
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

test('what /config shows loads again to the same, once the secret is put back', () => {
  const file = {
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
  };
  const config = read({ file });
  const shown = showConfig(config).replaceAll('<secret>', 'p4ssw0rd');
  assert.deepEqual(read({ file: JSON.parse(shown) }), config);
});
