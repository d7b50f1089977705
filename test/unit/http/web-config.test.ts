import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { hashSync } from 'bcryptjs';
import { lastGood } from '../../../src/http/server/last-good.js';
import { WebConfigError, WebConfigFile } from '../../../src/http/server/web-config.js';
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
  assert.deepEqual(new WebConfigFile(path).current(), { tls: undefined, users: new Map() });
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
  ['a list', '[]', 'expected a mapping'],
  ['an unknown key', 'x: 1', 'expected one of tls_server_config, basic_auth_users, got x'],
  ['users that are a list', 'basic_auth_users: []', 'basic_auth_users: expected a mapping'],
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
    'tls_server_config: {}',
    'tls_server_config.cert_file: expected a file name',
  ],
  [
    'an unknown client_auth_type',
    'tls_server_config: { client_auth_type: RequestClientCert }',
    'tls_server_config.client_auth_type: expected one of NoClientCert, RequireAndVerifyClientCert, got "RequestClientCert"',
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
    ...{ cert, key, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
    ...{ requestCert: false, rejectUnauthorized: false },
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
      [tls?.ca, tls?.requestCert, tls?.rejectUnauthorized, tls?.minVersion],
      [ca, true, true, 'TLSv1.3'],
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
  assert.equal(file.current().tls?.cert, renewed.cert);
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
  const wrong = `WebConfigError: ${path}: basic_auth_users: expected a mapping`;
  assert.deepEqual(errors, [wrong]);
  write(`basic_auth_users: { bob: "${OTHER}", carol: "${OTHER}" }`);
  assert.deepEqual(users(), ['bob', 'carol']);
  write('basic_auth_users: wrong again');
  assert.deepEqual(users(), ['bob', 'carol']);
  assert.deepEqual(errors, [wrong, wrong]);
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
