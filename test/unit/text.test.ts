import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decode, printable, printableLines } from '../../src/shared/text.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

describe('bytes from outside', () => {
  test('are read as UTF-8 where they are UTF-8, else as ISO 8859-1', () => {
    assert.equal(decode(Buffer.from('Büro 日本 🚀')), 'Büro 日本 🚀');
    assert.equal(decode(latin1('Büro')), 'Büro');
    assert.equal(decode(new Uint8Array(0)), '');
  });

  test('may be the beginning of a longer text, cut within a character', () => {
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

  test('lose nothing, whatever they are', () => {
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
