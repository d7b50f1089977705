import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { createSecureContext } from 'node:tls';
import { hashSync } from 'bcryptjs';
import { lastGood } from '../../../src/http/server/last-good.js';
import { CIPHER_SUITES, CURVES } from '../../../src/http/server/tls-names.js';
import { WebConfigFile } from '../../../src/http/server/web-config.js';
import { WebConfigError } from '../../../src/http/server/web-config-error.js';
import { Authority } from '../../support/certificates.js';
import { folder } from '../../support/process.js';
import { needs } from '../../support/tools.js';

const HASH = hashSync('secret', 4);
const OTHER = hashSync('other', 4);

/** A web configuration in a folder of its own. */
function written(t: TestContext, text: string) {
  const path = join(folder(t), 'web.yml');
  const write = (next: string) => writeFileSync(path, next);
  write(text);
  return { path, write };
}

function withCertificate(t: TestContext, text: string) {
  const root = Authority.root(t);
  const { cert, key } = root.issue({ name: 'exporter' });
  const { path, write } = written(t, text);
  const beside = (name: string, content: string) => writeFileSync(join(path, '..', name), content);
  beside('cert.pem', cert);
  beside('key.pem', key);
  beside('ca.pem', root.ca);
  return { path, write, beside, cert, key, ca: root.ca, root };
}

test('an empty file is plain HTTP without users', (t) => {
  const { path } = written(t, '');
  assert.deepEqual(new WebConfigFile(path).current(), {
    ...{ tls: undefined, users: new Map(), headers: [], rateLimit: undefined, warnings: [] },
  });
});

test('users are read with their hashes', (t) => {
  const { path } = written(t, `basic_auth_users: { alice: "${HASH}", bob: "${OTHER}" }`);
  const { users } = new WebConfigFile(path).current();
  assert.deepEqual(
    users,
    new Map([
      ['alice', HASH],
      ['bob', OTHER],
    ]),
  );
});

for (const [what, text, message] of [
  ['a list', '[]', 'expected a mapping, got a list'],
  [
    'an unknown key',
    'basic_auth_user: 1',
    'expected one of tls_server_config, http_server_config, basic_auth_users, rate_limit, got "basic_auth_user" (nearest: "basic_auth_users")',
  ],
  [
    'users that are a list',
    'basic_auth_users: []',
    'basic_auth_users: expected a mapping, got a list',
  ],
  [
    'http2 that is a text',
    'http_server_config: { http2: "x" }',
    'http_server_config.http2: expected true or false, got "x"',
  ],
  [
    'a header that exporters do not have',
    'http_server_config: { headers: { Server: x } }',
    'http_server_config.headers: expected one of Content-Security-Policy, X-Frame-Options, X-Content-Type-Options, X-XSS-Protection, Strict-Transport-Security, got "Server"',
  ],
  [
    'a value that a header cannot have',
    'http_server_config: { headers: { X-Frame-Options: allow } }',
    'http_server_config.headers.X-Frame-Options: expected deny or sameorigin, got "allow"',
  ],
  [
    'a header with a line break',
    'http_server_config: { headers: { X-XSS-Protection: "1\\nX: y" } }',
    'http_server_config.headers.X-XSS-Protection: expected a header without line breaks, got "1\\nX: y"',
  ],
  [
    'an interval that is no duration',
    'rate_limit: { interval: soon }',
    'rate_limit.interval: expected a duration such as 100ms, 1s or 1m30s, got "soon"',
  ],
  [
    'a burst below zero',
    'rate_limit: { interval: 1s, burst: -1 }',
    'rate_limit.burst: expected a whole number from 0, got "-1"',
  ],
  ['a plain password', 'basic_auth_users: { a: x }', 'basic_auth_users.a: expected a bcrypt hash'],
  [
    'a hash that is too cheap',
    `basic_auth_users: { a: "${HASH.replace('$04$', '$03$')}" }`,
    'basic_auth_users.a: expected a bcrypt hash with a cost from 4 to 17, got one with 3',
  ],
  [
    'a hash that is too expensive',
    `basic_auth_users: { a: "${HASH.replace('$04$', '$18$')}" }`,
    'basic_auth_users.a: expected a bcrypt hash with a cost from 4 to 17, got one with 18',
  ],
  [
    'TLS without a certificate',
    'tls_server_config: { client_auth_type: NoClientCert }',
    'tls_server_config.cert_file: expected a file name, or cert, got neither',
  ],
  [
    'an unknown client_auth_type',
    'tls_server_config: { client_auth_type: RequestClientCerts }',
    'tls_server_config.client_auth_type: expected one of NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert, RequireClientCert, got "RequestClientCerts" (nearest: "RequestClientCert")',
  ],
  [
    'a certificate twice',
    'tls_server_config: { cert: x, cert_file: y }',
    'tls_server_config: expected cert or cert_file, got both',
  ],
  [
    'a CA without a policy that uses it',
    'tls_server_config: { client_ca: x }',
    'tls_server_config.client_auth_type: expected another type, because client_ca is given, got "NoClientCert"',
  ],
  [
    'allowed names of clients that need no certificate',
    'tls_server_config: { client_auth_type: VerifyClientCertIfGiven, client_allowed_sans: [a] }',
    'tls_server_config.client_auth_type: expected RequireAndVerifyClientCert or RequireAnyClientCert for client_allowed_sans, got "VerifyClientCertIfGiven"',
  ],
] as const) {
  test(`${what} is an error that names the file and the key`, (t) => {
    const { path } = written(t, text);
    assert.throws(() => new WebConfigFile(path), {
      name: 'WebConfigError',
      message: `${path}: ${message}`,
    });
  });
}

test('a file that is absent, or is not YAML, is an error', (t) => {
  const { path, write } = written(t, 'a: [');
  assert.throws(() => new WebConfigFile(path), WebConfigError);
  assert.throws(() => new WebConfigFile(`${path}.absent`), /absent: expected a readable file/);
  write('');
  assert.ok(new WebConfigFile(path));
});

test('the TLS files are found beside the configuration', needs('openssl'), (t) => {
  const text = 'tls_server_config: { cert_file: cert.pem, key_file: key.pem }';
  const { path, cert, key } = withCertificate(t, text);
  assert.deepEqual(new WebConfigFile(path).current().tls, {
    context: {
      ...{ cert, key, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
      honorCipherOrder: true,
    },
    clients: { type: 'NoClientCert', allowedSans: undefined },
  });
});

test(
  'clients are verified and TLS versions are limited if the file says so',
  needs('openssl'),
  (t) => {
    const { path, ca, write } = withCertificate(
      t,
      'tls_server_config: { cert_file: cert.pem, key_file: key.pem, client_ca_file: ca.pem, client_auth_type: RequireAndVerifyClientCert, min_version: TLS13 }',
    );
    const { tls } = new WebConfigFile(path).current();
    assert.deepEqual(
      [tls?.context.ca, tls?.clients.type, tls?.context.minVersion],
      [[ca.trim()], 'RequireAndVerifyClientCert', 'TLSv1.3'],
    );
    write('tls_server_config: { cert_file: cert.pem, key_file: key.pem, min_version: SSL3 }');
    assert.throws(
      () => new WebConfigFile(path),
      /min_version: expected one of TLS10, .*TLS13, got "SSL3"$/,
    );
  },
);

test('a changed file is read again, and an unchanged one is not', (t) => {
  const { path, write } = written(t, `basic_auth_users: { alice: "${HASH}" }`);
  const file = new WebConfigFile(path);
  const first = file.current();
  assert.equal(file.current(), first);
  write(`basic_auth_users: { alice: "${HASH}", bob: "${OTHER}" }`);
  assert.deepEqual([...file.current().users.keys()], ['alice', 'bob']);
});

test('a changed certificate is read again', needs('openssl'), (t) => {
  const text = 'tls_server_config: { cert_file: cert.pem, key_file: key.pem }';
  const { path, beside, root } = withCertificate(t, text);
  const file = new WebConfigFile(path);
  file.current();
  const renewed = root.issue({ name: 'a longer name, so that the size differs' });
  beside('cert.pem', renewed.cert);
  assert.throws(() => file.current(), /key_file: expected the key of the certificate/);
  beside('key.pem', renewed.key);
  assert.equal(file.current().tls?.context.cert, renewed.cert);
});

test('while the file is invalid, the last good configuration stays in force, and each error is reported once', (t) => {
  const { path, write } = written(t, `basic_auth_users: { alice: "${HASH}" }`);
  const file = new WebConfigFile(path);
  const errors: string[] = [];
  const inForce = lastGood(
    () => file.current(),
    (error) => errors.push(String(error)),
  );
  const users = () => [...inForce().users.keys()];
  assert.deepEqual(users(), ['alice']);
  write('basic_auth_users: wrong');
  assert.deepEqual([users(), users()], [['alice'], ['alice']]);
  const wrong = `WebConfigError: ${path}: basic_auth_users: expected a mapping, got "wrong"`;
  assert.deepEqual(errors, [wrong]);
  write(`basic_auth_users: { bob: "${OTHER}", carol: "${OTHER}" }`);
  assert.deepEqual(users(), ['bob', 'carol']);
  write('basic_auth_users: wrong again');
  assert.deepEqual(users(), ['bob', 'carol']);
  assert.deepEqual(errors, [wrong, wrong.replace('wrong', 'wrong again')]);
});

test('an invalid configuration at the start is an error', () => {
  const wrong = lastGood.bind(
    undefined,
    () => {
      throw new Error('wrong');
    },
    () => {},
  );
  assert.throws(wrong, /wrong/);
});

test(
  'every key of the exporters is accepted, and one without effect is a warning',
  needs('openssl'),
  (t) => {
    const { path, cert, key, ca, write } = withCertificate(t, '');
    write(
      JSON.stringify({
        tls_server_config: {
          ...{ cert, key, client_ca: ca, client_auth_type: 'RequireAnyClientCert' },
          ...{ client_allowed_sans: ['a.example'], min_version: 'TLS10', max_version: 'TLS12' },
          cipher_suites: ['TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'],
          ...{ prefer_server_cipher_suites: false, curve_preferences: ['X25519', 'CurveP256'] },
        },
        http_server_config: {
          http2: true,
          headers: { 'X-Frame-Options': 'SAMEORIGIN', 'Strict-Transport-Security': 'max-age=1' },
        },
        basic_auth_users: null,
        rate_limit: { interval: '1m30.5s', burst: 20 },
      }),
    );
    const { tls, headers, rateLimit, warnings } = new WebConfigFile(path).current();
    assert.deepEqual(tls?.clients, {
      ...{ type: 'RequireAnyClientCert', allowedSans: ['a.example'] },
    });
    assert.deepEqual(tls?.context.honorCipherOrder, false);
    assert.equal(tls?.context.ecdhCurve, 'X25519:P-256');
    assert.match(String(tls?.context.ciphers), /^ECDHE-RSA-AES128-GCM-SHA256:TLS_.*:@SECLEVEL=0$/);
    assert.deepEqual(headers, [
      ['X-Frame-Options', 'SAMEORIGIN'],
      ['Strict-Transport-Security', 'max-age=1'],
    ]);
    assert.deepEqual(rateLimit, { intervalMs: 90_500, burst: 20 });
    assert.deepEqual(warnings, [
      `${path}: http_server_config.http2: HTTP/2 is not supported; clients get HTTP/1.1`,
    ]);
  },
);

test('sections without content turn nothing on', (t) => {
  const { path } = written(t, 'tls_server_config: {}\nhttp_server_config: {}\nrate_limit: {}\n');
  const { tls, headers, rateLimit, warnings } = new WebConfigFile(path).current();
  assert.deepEqual([tls, headers, rateLimit, warnings], [undefined, [], undefined, []]);
});

test('every cipher suite and curve has a name that OpenSSL knows', () => {
  for (const suite of CIPHER_SUITES.values()) {
    const level = suite.startsWith('TLS_') ? '' : ':@SECLEVEL=0';
    assert.ok(createSecureContext({ ciphers: `${suite}${level}` }), suite);
  }
  for (const curve of CURVES.values()) assert.ok(createSecureContext({ ecdhCurve: curve }), curve);
});
