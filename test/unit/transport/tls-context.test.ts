import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rootCertificates } from 'node:tls';
import { TlsContexts } from '../../../src/pinger/transport/tls-context.js';
import { Files } from '../../../src/shared/file-contents.js';
import type { LogLine } from '../../../src/shared/protocol.js';
import { settings } from '../../support/settings.js';

const [CA = '', ANOTHER_CA = ''] = rootCertificates;

function setUp() {
  const files = new Files();
  const logged: LogLine[] = [];
  const contexts = new TlsContexts(files, (line) => logged.push(line));
  const write = (ca: string, other = '') => {
    files.set(
      new Map([
        ['ca.pem', ca],
        ['other.pem', other],
      ]),
    );
  };
  write(CA);
  return { contexts, logged, write };
}

const tlsSettings = () => settings({ tls: { caFile: 'ca.pem' } }).tls;

describe('the TLS context of settings', () => {
  test('is shared by all destinations with the same settings', () => {
    const { contexts } = setUp();
    const first = tlsSettings();
    assert.equal(contexts.of(first), contexts.of(first));
    assert.equal(contexts.of(first), contexts.of(tlsSettings()));
    assert.notEqual(contexts.of(first), contexts.of(settings().tls));
  });

  test('is replaced when one of their files changes, and not when another does', () => {
    const { contexts, write } = setUp();
    const first = tlsSettings();
    const before = contexts.of(first);
    write(CA, 'something else');
    assert.equal(contexts.of(first), before);
    write(ANOTHER_CA);
    const after = contexts.of(first);
    assert.notEqual(after, before);
    assert.equal(contexts.of(tlsSettings()), after);
  });

  test('stays in use when a file becomes invalid, which is logged once, until it is valid again', () => {
    const { contexts, logged, write } = setUp();
    const first = tlsSettings();
    const before = contexts.of(first);
    write('no certificate at all');
    assert.equal(contexts.of(first), before);
    assert.equal(contexts.of(first), before);
    assert.deepEqual(
      logged.map(({ level, event, fields }) => [level, event, fields]),
      [['error', 'tls_files_invalid', { error: 'ca.pem: no certificate' }]],
    );
    write(ANOTHER_CA);
    assert.notEqual(contexts.of(first), before);
    assert.equal(logged.length, 1);
  });

  test('does not exist while a file has never been valid', () => {
    const { contexts, write } = setUp();
    write('no certificate at all');
    assert.throws(() => contexts.of(tlsSettings()), /^Error: ca\.pem: no certificate$/);
    write(CA);
    assert.ok(contexts.of(tlsSettings()));
  });
});
