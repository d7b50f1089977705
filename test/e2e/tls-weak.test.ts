/** Peers with weak keys and signatures: the error names a setting, and that setting helps. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Authority } from '../support/certificates.js';
import { startExporter } from '../support/exporter.js';
import { startFarEnd } from '../support/far-end.js';
import { eventually } from '../support/process.js';
import { needs } from '../support/tools.js';

const WEAK = 'DEFAULT:@SECLEVEL=0';

test(
  'a key or a signature that is too weak is reported, and accepted with tls_config.ciphers',
  needs('openssl'),
  async (t) => {
    const authority = Authority.root(t);
    const cases = {
      'short key': [{ rsaBits: 512 }, /has a key of 512 bits, too short; tls_config\.ciphers/],
      'weak hash': [{ digest: 'sha1' }, /is signed with SHA-1, too weak; tls_config\.ciphers/],
    } as const;
    const tls_config = { ca_file: authority.caFile };
    const destinations = [];
    for (const [name, [spec]] of Object.entries(cases)) {
      const { cert, key } = authority.issue({ name: 'far', alternative: 'IP:127.0.0.1', ...spec });
      const tls = { cert, key, ciphers: WEAK, maxVersion: 'TLSv1.2' } as const;
      const { port } = await startFarEnd(t, 'tls', (_request, good) => [good], { tls });
      const uri = `127.0.0.1:${port};transport=tls`;
      destinations.push({ name, uri });
      destinations.push({
        name: `${name} accepted`,
        uri,
        tls_config: { ...tls_config, ciphers: WEAK },
      });
    }
    const exporter = await startExporter(t, { ping_interval: 1, tls_config, destinations });
    for (const [name, [, error]] of Object.entries(cases)) {
      const detail = async () => (await exporter.destination(name)).targets[0]?.detail ?? '';
      await eventually(`${name} is reported`, async () => (await detail()) !== '');
      assert.match(await detail(), error);
      await eventually(
        `${name} is accepted`,
        async () => (await exporter.isAlive(`${name} accepted`)) === 1,
      );
    }
  },
);
