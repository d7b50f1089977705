/** Passwords are in configurations, and nowhere else. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { readConfig } from '../../../src/config/config.js';
import { readFlags } from '../../../src/config/flags.js';
import { ConfigError } from '../../../src/config/formats.js';
import { showConfig, showModule } from '../../../src/config/show.js';

const folder = mkdtempSync(join(tmpdir(), 'sip-keepalive-secrets-'));
after(() => rmSync(folder, { recursive: true }));

interface Given {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly name?: string;
}

/** Everything that is shown of this configuration: its settings, or its errors. */
function shownOf(file: string, { args = [], env = {}, name = 'config.yaml' }: Given = {}): string {
  const path = join(folder, name);
  writeFileSync(path, file);
  try {
    const flags = readFlags([`--config.file=${path}`, ...args]);
    const config = readConfig({ flags, env, version: '1' });
    const modules = Object.keys(config.modules).map((module) => showModule(config, module));
    return [showConfig(config), ...modules].join('\n');
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.message;
  }
}

const SECRET = 'hunter2hunter2';
const assertHidden = (shown: string, secret = SECRET) =>
  assert.ok(
    !shown.includes(secret) && !shown.includes(JSON.stringify(secret).slice(1, -1)),
    `shown: ${shown}`,
  );

describe('a password is not shown', () => {
  const DESTINATION = { uri: 'a.example' };
  const levels = (pings: object) => [
    { ...pings, destinations: [DESTINATION] },
    { modules: { m: pings }, destinations: [{ ...DESTINATION, module: 'm' }] },
    { destinations: [{ ...DESTINATION, ...pings }] },
  ];

  test('wherever it is, whatever else is wrong', () => {
    const secret = fc.string({
      minLength: 8,
      maxLength: 200,
      unit: fc.constantFrom('s', 'e', 'c', 'r', 't', '\n', '\0', '\u00e9', '"', '\\'),
    });
    const problems = fc.constantFrom({}, { rise: 0 }, { nonsense: 1 }, { ping_timeout: '1h' });
    const auths = fc.constantFrom(
      { username: 'u' },
      { username: '' },
      {},
      { username: 'u', password_file: '/p' },
      { username: 'u\n' },
      { usrname: 'u' },
    );
    fc.assert(
      fc.property(secret, problems, auths, (password, problem, auth) => {
        for (const file of levels({ ...problem, auth: { ...auth, password } })) {
          assertHidden(shownOf(JSON.stringify(file)), password);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('in flags and in the environment', () => {
    const file = '{"destinations": ["a.example"]}';
    for (const more of [['--auth.username=u'], [], ['--auth.username=u', '--rise=0']]) {
      assertHidden(shownOf(file, { args: [`--auth.password=${SECRET}`, ...more] }));
      assertHidden(shownOf(file, { args: more, env: { SIP_KEEPALIVE_AUTH_PASSWORD: SECRET } }));
    }
    const twoLines = `${SECRET}\n`;
    assertHidden(shownOf(file, { args: [`--auth.password=${twoLines}`] }));
    assertHidden(shownOf(file, { args: [`--auth.passwd=${SECRET}`] }));
    assertHidden(shownOf(file, { args: [`--auth.username=${SECRET}\n`, '--auth.password=x'] }));
  });

  test('as a number', () => {
    for (const file of levels({ auth: { username: 'u', password: 1234567890 } })) {
      assertHidden(shownOf(JSON.stringify(file)), '1234567890');
    }
  });

  for (const file of [
    `auth: ${SECRET}`,
    `auth: [${SECRET}]`,
    `auth: { username: u, password: { is: ${SECRET} } }`,
    `auth: { username: u, password: [${SECRET}] }`,
    `modules: { m: { auth: ${SECRET} } }`,
    `modules: { m: { auth: { username: u, password: { is: ${SECRET} } } } }`,
    `destinations: [{ uri: a.example, auth: ${SECRET} }]`,
    `destinations: [{ uri: a.example, auth: { password: { is: ${SECRET} } } }]`,
    `destinations: [sip:u:${SECRET}@a.example]`,
    `destinations: ["sip:u:${SECRET}:x@a.example"]`,
    `destinations: ["sip:u:${SECRET}/x@a.example"]`,
    `destinations: [{ uri: a.example, route: "sip:u:${SECRET}@a.example" }]`,
    `auth: { username: u, password: "${SECRET}`,
    `auth: { username: u, password: '${SECRET}\n`,
    `auth: { username: u, password: ${SECRET}`,
    `auth: { username: u, password: ${SECRET} ]`,
    `auth:\n  username: u\n\tpassword: ${SECRET}`,
    `auth:\n  username: u\n  password: ${SECRET}: x`,
    `auth:\n  username: u\n  password: @${SECRET}`,
    `auth:\n  username: u\n  password: *${SECRET}`,
    `auth:\n  username: u\n  password: "\\${SECRET}"`,
    `auth:\n  password: ${SECRET}\n  password: ${SECRET}`,
    `auth:\n  username: u\n  password: ${SECRET}\n   x: y`,
  ]) {
    test(`in an invalid file: ${JSON.stringify(file.replaceAll(SECRET, '...'))}`, () => {
      assertHidden(shownOf(file));
    });
  }

  for (const file of [
    `{"auth":{"username":"u","password":${SECRET}}}`,
    `{"auth":{"username":"u","password":"${SECRET}}}`,
    `{"auth":{"username":"u","password":"${SECRET}" "x":1}}`,
    `{"auth":{"password":"${SECRET}"`,
    `{'auth':{'password':'${SECRET}'}}`,
  ]) {
    test(`in a file with invalid JSON: ${file.replaceAll(SECRET, '...')}`, () => {
      assertHidden(shownOf(file, { name: 'config.json' }));
    });
  }
});
