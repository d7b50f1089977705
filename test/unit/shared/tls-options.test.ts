import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { WebConfigFile } from '../../../src/http/server/web-config.js';
import { secureContextOptions } from '../../../src/shared/tls-options.js';
import { Authority } from '../../support/certificates.js';
import { folder } from '../../support/process.js';
import { settings } from '../../support/settings.js';
import { needs } from '../../support/tools.js';

const pem = (type: 'ec' | 'rsa') => {
  const format = { type: 'pkcs8', format: 'pem' } as const;
  const { privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-384' })
      : generateKeyPairSync('rsa', { modulusLength: 2048 });
  return privateKey.export(format).toString();
};

test(
  'a key that does not match the certificate is rejected, of any type',
  needs('openssl'),
  (t) => {
    const { cert, key } = Authority.root(t).issue({ name: 'ours' });
    const { tls } = settings({ tls: { certFile: '/cert', keyFile: '/key' } });
    const optionsWith = (privateKey: string) =>
      secureContextOptions(tls, (path) => (path === '/cert' ? cert : privateKey));
    assert.deepEqual(optionsWith(key).key, key);
    const path = folder(t);
    const webConfig = join(path, 'web.yml');
    writeFileSync(webConfig, 'tls_server_config: { cert_file: cert.pem, key_file: key.pem }\n');
    writeFileSync(join(path, 'cert.pem'), cert);
    writeFileSync(join(path, 'key.pem'), key);
    new WebConfigFile(webConfig);
    for (const type of ['ec', 'rsa'] as const) {
      const other = pem(type);
      assert.throws(
        () => optionsWith(other),
        /^Error: \/key is not the key of the certificate in \/cert$/,
      );
      writeFileSync(join(path, 'key.pem'), other);
      assert.throws(
        () => new WebConfigFile(webConfig),
        /key_file: expected the key of the certificate/,
      );
    }
    writeFileSync(join(path, 'key.pem'), 'no key');
    assert.throws(
      () => new WebConfigFile(webConfig),
      /key_file: expected the key of the certificate/,
    );
  },
);
