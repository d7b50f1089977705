import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readConfig } from '../../../src/config/config.js';
import { WatchedFiles } from '../../../src/platform/watched-files.js';
import { decode, decodeUtf8, printable, printableLines } from '../../../src/shared/text.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('bytes from outside', () => {
  test('are decoded as UTF-8 if they are valid UTF-8, else as ISO 8859-1', () => {
    assert.equal(decode(Buffer.from('Büro 日本 🚀')), 'Büro 日本 🚀');
    assert.equal(decode(latin1('Büro')), 'Büro');
    assert.equal(decode(new Uint8Array(0)), '');
  });

  test('may be the beginning of a longer text that is cut within a character', () => {
    const whole = Buffer.from('aé日🚀');
    for (const [length, wanted] of [
      [whole.length, 'aé日🚀'],
      [whole.length - 1, 'aé日'],
      [whole.length - 3, 'aé日'],
      [whole.length - 5, 'aé'],
      [2, 'a'],
      [0, ''],
    ] as const) {
      assert.equal(decode(whole.subarray(0, length), true), wanted, String(length));
    }
  });

  test('can be recovered from the text, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = decode(bytes);
        const back = [Buffer.from(text, 'utf8'), Buffer.from(text, 'latin1')];
        assert.ok(back.some((buffer) => buffer.equals(Buffer.from(bytes))));
      }),
    );
  });
});

describe('text that is shown', () => {
  test('has no control, format or unpaired surrogate characters and no line separators', () => {
    const evil = 'a\u001b[2Jb\u202ec\u200bd\ud800e\u2028f\u0085g\nh';
    assert.equal(printable(evil), 'a?[2Jb?c?d?e?f?g?h');
    assert.equal(printable('Zürich 日本 🚀'), 'Zürich 日本 🚀');
    assert.equal(printableLines('a\tb\nc\rd\u2029e\u001b'), 'a\tb\nc?d?e?');
  });

  test('is cut between characters', () => {
    assert.equal(printable('ab🚀c', 3), 'ab');
    assert.equal(printable('ab🚀c', 4), 'ab🚀');
    assert.equal(printable('ab', 4), 'ab');
  });
});

describe('a file of the user', () => {
  test('is UTF-8, without its byte order mark', () => {
    assert.equal(decodeUtf8(Buffer.from('\uFEFFgrün', 'utf8')), 'grün');
    assert.throws(
      () => decodeUtf8(Buffer.from('grün', 'latin1')),
      /bytes that are not valid UTF-8/,
    );
  });

  test('is rejected with the reason if it is not UTF-8, except for the hosts file', (t) => {
    const where = mkdtempSync(join(tmpdir(), 'sip-keepalive-test-'));
    t.after(() => rmSync(where, { recursive: true }));
    const write = (name: string) => {
      const path = join(where, name);
      writeFileSync(path, Buffer.from('192.0.2.1 pbx # f\xfcr alle', 'latin1'));
      return path;
    };
    const hosts = write('hosts');
    assert.match(
      new WatchedFiles([], [hosts], () => {}).contents().get(hosts) ?? '',
      /^192.0.2.1 pbx # für/,
    );
    assert.throws(() => new WatchedFiles([write('password')], [], () => {}), {
      name: 'FilesError',
      message: /password: expected a readable file, got bytes that are not valid UTF-8/,
    });
    const given = { 'config.file': write('config.yml') };
    const flags = { given, help: false, version: false, problems: [] };
    assert.throws(() => readConfig({ flags, env: {}, version: '0' }), {
      name: 'ConfigError',
      message: /config.yml: expected a readable file, got bytes that are not valid UTF-8/,
    });
  });
});
