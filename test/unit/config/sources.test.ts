import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';
import { load } from '../../../src/config/load.js';
import { showConfig, showModule } from '../../../src/config/show.js';
import { LEDGER_CAPACITY } from '../../../src/shared/ledger/layout.js';
import { Authority } from '../../support/certificates.js';
import { folder } from '../../support/process.js';
import { needs } from '../../support/tools.js';

const read = (content: Readonly<Record<string, unknown>>, args: readonly string[] = []) =>
  readConfig({ flags: readFlags(args), env: {}, version: '1', content });

/** The problems of a configuration. */
function problemsOf(content: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    read(content);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.message.split('\n');
  }
  return assert.fail('no ConfigError');
}

describe('sources and webhooks', () => {
  const content = {
    discovery: {
      file_sd: [{ files: ['/a/*.yml'], labels: { from: 'files' } }],
      http_sd: [
        {
          url: 'https://x.example/sd?token=S3CRET',
          refresh_interval: 30,
          follow_redirects: false,
          basic_auth: { username: 'u', password: 'S3CRET' },
        },
        { url: 'https://y.example/', basic_auth: { username: 'u', password_file: '/p' } },
        { url: 'https://z.example/', authorization: { credentials_file: '/c' } },
      ],
      dispatcher_list: [{ file: '/d.list', module: 'm', owner: 'o' }],
      kamailio_cfg: [{ file: '/k.cfg' }],
      kamailio_rpc: [
        { url: 'http://192.0.2.5:5060/RPC' },
        {
          ...{ url: 'https://proxy.example/RPC', kamailio: 'proxy-b', owner: 'o', uac: true },
          ...{ attributes: ['Carrier'], ping_interval: 10, set_state: true, timeout: 2 },
          basic_auth: { username: 'u', password: 'S3CRET' },
        },
      ],
    },
    webhooks: [
      { url: 'https://h.example/S3CRET', events: ['dst-up'], secret_file: '/s' },
      { url: 'https://h.example/S3CRET', basic_auth: { username: 'u', password: 'S3CRET' } },
      { url: 'https://i.example/', authorization: { type: 'Token', credentials: 'S3CRET' } },
    ],
    modules: { m: { auth: { username: 'u', password: 'S3CRET' } } },
  };

  test('are shown without their secrets, and what is shown loads again', () => {
    const shown = showConfig(read(content));
    assert.ok(!shown.includes('S3CRET'));
    const again: unknown = JSON.parse(shown);
    const parsed = again as { discovery: object; webhooks: { url: string }[]; modules: object };
    const config = read({
      ...parsed,
      webhooks: parsed.webhooks.map((webhook) => ({ ...webhook, url: 'http://w' })),
    });
    assert.deepEqual(
      config.sources.map(({ kind, owner, module, refreshMs }) => [kind, owner, module, refreshMs]),
      read(content).sources.map(({ kind, owner, module, refreshMs }) => [
        kind,
        owner,
        module,
        refreshMs,
      ]),
    );
    assert.match(showModule(read(content), 'm'), /"password": "<secret>"/);
    assert.equal(showModule(read(content), 'none'), '');
  });

  test('have unique names', () => {
    assert.deepEqual(
      read(content).webhooks.map(({ name }) => name),
      ['h.example', 'h.example (2)', 'i.example'],
    );
  });

  test('of flags come before those of the file', () => {
    const { sources } = read(content, [
      '--discovery.file-sd=/f.yml',
      '--discovery.kamailio-cfg=/l.cfg',
    ]);
    assert.deepEqual(
      sources.map(({ name }) => name.replace(/ .*\//, ' ')),
      [
        'file_sd f.yml',
        'file_sd *.yml',
        'http_sd sd',
        'http_sd ',
        'http_sd ',
        'dispatcher_list d.list',
        'kamailio_cfg l.cfg',
        'kamailio_cfg k.cfg',
        'kamailio_rpc 192.0.2.5:5060',
        'kamailio_rpc proxy-b',
      ],
    );
  });

  test('of a running Kamailio have its name, and what is read and set there', () => {
    const flag = '--discovery.kamailio-rpc=http://[2001:db8::1]/RPC';
    const { sources } = read(content, [flag]);
    const seen = sources.flatMap((source) => {
      if (source.kind !== 'kamailio_rpc') return [];
      const { http, kamailio, owner, refreshMs, lists, attributes } = source;
      const { pingIntervalMs, setState, allowEmptySet } = source;
      return [
        [
          ...[new URL(http.url).host, http.timeoutMs, kamailio, owner, refreshMs, attributes],
          ...[lists, pingIntervalMs, setState, allowEmptySet],
        ],
      ];
    });
    const first = { dispatcher: true, keepalive: false, uac: false };
    const second = { dispatcher: true, keepalive: false, uac: true };
    const [a, b] = ['[2001:db8::1]:80', '192.0.2.5:5060'];
    assert.deepEqual(seen, [
      ['[2001:db8::1]', 10_000, a, a, 10_000, [], first, 30_000, false, false],
      ['192.0.2.5:5060', 10_000, b, b, 10_000, [], first, 30_000, false, false],
      ['proxy.example', 2_000, 'proxy-b', 'o', 10_000, ['carrier'], second, 10_000, true, false],
    ]);
  });

  test('of running Kamailios with problems are reported', () => {
    const url = 'http://192.0.2.5/RPC';
    const kamailioRpc = [
      { url, dispatcher: false },
      { url: `${url}2`, attributes: ['a b'] },
      { kamailio: 'x' },
    ];
    assert.deepEqual(problemsOf({ discovery: { kamailio_rpc: kamailioRpc } }), [
      'discovery.kamailio_rpc[0]: expected one of dispatcher, keepalive, uac to be true, got none',
      'discovery.kamailio_rpc[1].attributes: expected names of attributes, got "a b"',
      'discovery.kamailio_rpc[2].url: expected a URL, got none',
      'discovery.kamailio_rpc: expected a unique name as kamailio, got "192.0.2.5:80" twice',
    ]);
  });

  test('with problems are reported with their paths', () => {
    const problems = problemsOf({
      discovery: {
        file_sd: [{ files: [] }],
        kamailio_cfg: [{ owner: '' }],
        http_sd: [
          { url: 'ftp://x', tls_config: 'x', basic_auth: { username: 'u' } },
          { url: 'http://x', tls_config: { cafile: 'x' } },
        ],
        dns_sd: [],
      },
      webhooks: [{ url: 'http://x', events: ['dst-sideways'] }, 'http://S3CRET', { name: 'x' }],
      destinations: [{ uri: 'a.example', labels: { ['x'.repeat(20_000)]: 'y' } }],
    });
    assert.deepEqual(problems.map((problem) => problem.slice(0, problem.indexOf(': '))).sort(), [
      'destinations[0].labels',
      'discovery.dns_sd',
      'discovery.file_sd[0].files',
      'discovery.http_sd[0].basic_auth',
      'discovery.http_sd[0].tls_config',
      'discovery.http_sd[0].url',
      'discovery.http_sd[1].tls_config.cafile',
      'discovery.kamailio_cfg[0].file',
      'discovery.kamailio_cfg[0].owner',
      'webhooks[0].events',
      'webhooks[1]',
      'webhooks[2].url',
    ]);
    assert.ok(!problems.join().includes('S3CRET'));
  });
});

describe('the names and modules of a source', () => {
  const list = (settings: object) => ({
    ...{ discovery: { dispatcher_list: [{ file: '/d', ...settings }] } },
    modules: { teams: {}, 'teams-two': {} },
  });
  const only = (content: Readonly<Record<string, unknown>>) => {
    const [source] = read(content).sources;
    assert.ok(source);
    const { nameFrom, moduleFrom, modules } = source;
    return { nameFrom: nameFrom.map(({ text }) => text), moduleFrom: moduleFrom?.text, modules };
  };

  test('come from the duid by default, in target groups from nothing', () => {
    const defaults = { nameFrom: ['duid'], moduleFrom: undefined, modules: {} };
    assert.deepEqual(only(list({})), defaults);
    const groups = { discovery: { file_sd: [{ files: ['/f'] }] } };
    assert.deepEqual(only(groups), { ...defaults, nameFrom: [] });
  });

  test('come from what is listed, and what is shown loads again', () => {
    const settings = {
      name_from: ['attribute:Carrier', 'label:service.name', 'description', 'duid', 'uri'],
      module_from: 'attribute:Profile',
      modules: { setid: { 2: 'teams-two', 3: null }, region: null },
    };
    const wanted = {
      nameFrom: ['attribute:carrier', 'label:service.name', 'description', 'duid', 'uri'],
      moduleFrom: 'attribute:profile',
      modules: { setid: { 2: 'teams-two' } },
    };
    assert.deepEqual(only(list(settings)), wanted);
    assert.deepEqual(only(JSON.parse(showConfig(read(list(settings))))), wanted);
    assert.deepEqual(only(list({ name_from: [] })).nameFrom, []);
  });

  for (const [settings, problem] of [
    [
      { name_from: ['duit'] },
      'name_from: expected duid, attribute:NAME, label:NAME, description or uri (nearest: "duid"), got "duit"',
    ],
    [
      { name_from: ['labels:x'] },
      'name_from: expected duid, attribute:NAME, label:NAME, description or uri (nearest: "label:x"), got "labels:x"',
    ],
    [{ name_from: ['label:__meta'] }, 'name_from: expected duid, .*, got "label:__meta"'],
    [{ name_from: ['attribute:'] }, 'name_from: expected duid, .*, got "attribute:"'],
    [{ name_from: 7 }, 'name_from: expected a list of strings, got 7'],
    [{ module_from: 'duid' }, 'module_from: expected attribute:NAME or label:NAME, got "duid"'],
    [{ module_from: ['x'] }, 'module_from: expected attribute:NAME or label:NAME, got a list'],
    [{ modules: 'x' }, 'modules: expected a mapping of labels to mappings of values.*, got "x"'],
    [{ modules: { setid: 'x' } }, 'modules.setid: expected a mapping of values .*, got "x"'],
    [{ modules: { __x: {} } }, 'modules.__x: expected a label name .*, got "__x"'],
    [
      { modules: { setid: { 2: 'team' } } },
      'modules.setid.2: unknown module "team" (nearest: "teams")',
    ],
    [{ modules: { setid: { 2: ['x'] } } }, 'modules.setid.2: expected a module, got a list'],
  ] as const) {
    test(`with a problem are reported: ${JSON.stringify(settings)}`, () => {
      const [got = '', ...others] = problemsOf(list(settings));
      const pattern = problem.replace(/[()]/g, '\\$&');
      assert.match(got, new RegExp(`^discovery\\.dispatcher_list\\[0\\]\\.${pattern}$`));
      assert.deepEqual(others, []);
    });
  }

  test('of target groups cannot come from attributes, which they do not have', () => {
    const settings = { name_from: ['duid'], module_from: 'attribute:x' };
    assert.deepEqual(problemsOf({ discovery: { file_sd: [{ files: ['/f'], ...settings }] } }), [
      'discovery.file_sd[0].name_from: expected label:NAME or uri, got "duid"',
      'discovery.file_sd[0].module_from: expected label:NAME, got "attribute:x"',
    ]);
  });
});

test('there are at most as many destinations as the ledger has rows', () => {
  const destinations = Array.from({ length: LEDGER_CAPACITY + 1 }, (_, i) => `d${i}.example`);
  assert.match(
    problemsOf({ destinations }).join(),
    /^destinations: expected at most \d+ destinations, got \d+$/,
  );
});

test('an entry of a source is read like one of the file, and all its problems are in one error', () => {
  const config = read({ modules: { m: { fall: 3 } } });
  assert.equal(config.readEntry({ uri: 'a.example', module: 'm' }).settings.fall, 3);
  assert.throws(() => config.readEntry({ uri: 'http://x', rise: 0 }), {
    name: 'ConfigError',
    message: /^rise: expected a whole number .*\nuri: expected a SIP URI/,
  });
});

describe('files that settings name', () => {
  const given = (content: Readonly<Record<string, unknown>>) =>
    load({
      flags: readFlags([]),
      env: {},
      version: '1',
      content: { dns: { resolv_conf: '/none' }, ...content },
    });

  test('are read, including those of webhooks and sources', (t) => {
    const password = join(folder(t), 'password');
    writeFileSync(password, 'secret\n');
    const auth = { username: 'u', password_file: password };
    const { files } = given({
      modules: { m: { auth } },
      destinations: [{ uri: 'a.example', auth }],
      webhooks: [{ url: 'http://x', secret_file: password }],
      discovery: { http_sd: [{ url: 'http://x', basic_auth: auth }] },
    });
    assert.equal(files.contents().get(password), readFileSync(password, 'utf8'));
    files.close();
  });

  test('that are missing stop the start, and the setting that names them is reported', () => {
    const missing = '/none/x: expected a readable file, got ENOENT: ';
    for (const [content, place] of [
      [{ tls_config: { ca_file: '/none/x' } }, 'tls_config.ca_file'],
      [
        { modules: { m: { auth: { username: 'u', password_file: '/none/x' } } } },
        'modules.m.auth.password_file',
      ],
      [
        { destinations: [{ uri: 'a.example', tls_config: { ca_file: '/none/x' } }] },
        'destinations[0].tls_config.ca_file',
      ],
      [{ webhooks: [{ url: 'http://x', secret_file: '/none/x' }] }, 'webhooks[0].secret_file'],
      [
        {
          discovery: {
            http_sd: [{ url: 'http://x', basic_auth: { username: 'u', password_file: '/none/x' } }],
          },
        },
        'discovery.http_sd[0].basic_auth.password_file',
      ],
      [
        { webhooks: [{ url: 'http://x', authorization: { credentials_file: '/none/x' } }] },
        'webhooks[0].authorization.credentials_file',
      ],
      [
        {
          web: {
            prometheus_url: { url: 'http://x', authorization: { credentials_file: '/none/x' } },
          },
        },
        'web.prometheus_url.authorization.credentials_file',
      ],
    ] as const) {
      assert.throws(
        () => given(content),
        (error) => error instanceof ConfigError && error.message.startsWith(`${place}: ${missing}`),
        place,
      );
    }
  });

  test(
    'that hold no certificate, key or password stop the start with the line of the setting',
    needs('openssl'),
    (t) => {
      const at = folder(t);
      const root = Authority.root(t);
      const [one, other] = [root.issue({ name: 'one' }), root.issue({ name: 'other' })];
      writeFileSync(join(at, 'two-lines'), 'a\nb\n');
      writeFileSync(join(at, 'no-line'), '');
      writeFileSync(
        join(at, 'broken.pem'),
        '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      );
      writeFileSync(join(at, 'cert.pem'), one.cert);
      writeFileSync(join(at, 'other.key'), other.key);
      writeFileSync(
        join(at, 'sip.yml'),
        [
          'auth: { username: u, password_file: two-lines }',
          'dns: { servers: [192.0.2.1] }',
          'modules:',
          '  m:',
          '    tls_config:',
          '      server_name: x',
          '      ca_file: two-lines',
          'destinations:',
          '  - uri: a.example',
          '    tls_config:',
          '      cert_file: two-lines',
          '      key_file: other.key',
          '  - uri: b.example',
          '    tls_config: { cert_file: cert.pem, key_file: two-lines }',
          '  - { uri: c.example, module: m, fall: 7 }',
          '  - uri: d.example',
          '    tls_config:',
          '      cert_file: cert.pem',
          '      key_file: other.key',
          'webhooks:',
          '  - url: https://secret.example',
          '    tls_config: { ca_file: broken.pem }',
          'web:',
          '  alertmanager_url:',
          '    url: https://secret.example',
          '    authorization: { credentials_file: no-line }',
        ].join('\n'),
      );
      const flags = readFlags([`--config.file=${at}/sip.yml`, '--destination=z.example']);
      const problems = [
        'sip.yml:1: auth.password_file: expected one line in two-lines, got none or several',
        'sip.yml:7: modules.m.tls_config.ca_file: expected PEM certificates in two-lines, got no certificate',
        'sip.yml:11: destinations[0].tls_config.cert_file: expected a PEM certificate in two-lines, got …',
        'sip.yml:14: destinations[1].tls_config.key_file: expected a PEM private key in two-lines, got …',
        'sip.yml:19: destinations[3].tls_config.key_file: expected the key of the certificate in cert.pem, got another key in other.key',
        'sip.yml:22: webhooks[0].tls_config.ca_file: expected PEM certificates in broken.pem, got …',
        'sip.yml:26: web.alertmanager_url.authorization.credentials_file: expected one line in no-line, got none or several',
      ];
      const shown = (message: string) =>
        message
          .replaceAll(`${at}/`, '')
          .replace(/got error:.*/g, 'got …')
          .split('\n');
      assert.throws(
        () => load({ flags, env: {}, version: '1' }),
        (error) => {
          assert.ok(error instanceof ConfigError);
          assert.deepEqual(shown(error.message), problems);
          return true;
        },
      );
    },
  );

  test('that a flag or the environment names are reported by the flag or the variable', () => {
    for (const [args, env, place] of [
      [['--tls_config.ca_file=/none/x'], {}, '--tls_config.ca_file: '],
      [[], { SIP_KEEPALIVE_TLS_CONFIG_CA_FILE: '/none/x' }, 'SIP_KEEPALIVE_TLS_CONFIG_CA_FILE: '],
    ] as const) {
      assert.throws(
        () => load({ flags: readFlags(args), env, version: '1' }),
        (error) => error instanceof ConfigError && error.message.startsWith(place),
      );
    }
  });
});
