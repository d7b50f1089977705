/** The file of `--web.config.file`. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebConfigFile } from '../../../src/http/server/web-config.js';
import { WebConfigError } from '../../../src/http/server/web-config-error.js';
import { type FuzzTarget, seedsOf } from '../target.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'sip-keepalive-fuzz-'));
const PATH = join(FOLDER, 'web.yml');
process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));

export const WEB_CONFIG: FuzzTarget = {
  seeds: seedsOf('web', '.yml'),
  dictionary: [
    ...['basic_auth_users', 'tls_server_config', 'cert_file', 'key_file', 'min_version', 'TLS12'],
    ...['client_auth_type', 'client_ca_file', ': ', '\n  ', '$2b$10$', '__proto__', '&a ', '*a'],
    ...['web.yml', '../', '\0', '[', ']', '{', '}', 'http_server_config', 'null'],
  ],
  run: (input) => {
    writeFileSync(PATH, input);
    try {
      const { users } = new WebConfigFile(PATH).current();
      for (const hash of users.values()) assert.match(hash, /^\$2[aby]?\$\d\d\$.{53}$/);
    } catch (error) {
      if (!(error instanceof WebConfigError)) throw error;
      assert.match(error.message, /^\/.*: /s, 'the message starts with the path');
    }
  },
};
