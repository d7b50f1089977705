import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { retryAfterMs } from '../../../src/pinger/sip/retry-after.js';

/** A 503 with these header lines. */
function busy(...lines: readonly string[]): Buffer {
  const head = ['SIP/2.0 503 Service Unavailable', 'Via: SIP/2.0/UDP a;branch=z9hG4bKx'];
  return Buffer.from(`${[...head, ...lines].join('\r\n')}\r\n\r\n`, 'latin1');
}

const MAX_MS = 1000 * (2 ** 32 - 1);

describe('Retry-After', () => {
  for (const [value, ms] of [
    ['300', 300_000],
    ['0', 0],
    ['007', 7_000],
    ['300 \t', 300_000],
    ['\r\n 300\r\n ', 300_000],
    ['18000;duration=3600', 18_000_000],
    ['120 (I am in a meeting)', 120_000],
    ['120(a (nested) \\) comment);x=y', 120_000],
    ['3600 ; x', 3_600_000],
    ['4294967295', MAX_MS],
    ['4294967296', MAX_MS],
    ['9'.repeat(60_000), MAX_MS],
    // Not as in RFC 3261 20.33.
    ['', undefined],
    [' ', undefined],
    ['-1', undefined],
    ['+5', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['0x10', undefined],
    ['5s', undefined],
    ['5 s', undefined],
    ['5,6', undefined],
    ['"5"', undefined],
    ['(5)', undefined],
    [';5', undefined],
    ['\u00a05', undefined],
    ['5\u00a0', undefined],
    ['٣', undefined],
    ['Thu, 01 Jan 2026 00:00:00 GMT', undefined],
    [`${'9'.repeat(60_000)}${' '.repeat(60_000)}x`, undefined],
  ] as const) {
    const shown = value.length > 40 ? `${value.slice(0, 10)}… (${value.length} bytes)` : value;
    test(`${JSON.stringify(shown)} is ${ms === undefined ? 'none' : `${ms} ms`}`, () => {
      assert.equal(retryAfterMs(busy(`Retry-After: ${value}`)), ms);
    });
  }

  test('is found by its name in any letters, among other headers', () => {
    assert.equal(retryAfterMs(busy('X-Retry-After: 1', 'rETRY-aFTER :2', 'Retry: 3')), 2_000);
    assert.equal(retryAfterMs(busy('X-Retry-After: 1')), undefined);
  });

  test('that occurs twice is none, even with the same value', () => {
    assert.equal(retryAfterMs(busy('Retry-After: 5', 'Retry-After: 5')), undefined);
  });

  test('in the body is none', () => {
    const message = Buffer.concat([busy('Content-Length: 16'), Buffer.from('Retry-After: 5\r\n')]);
    assert.equal(retryAfterMs(message), undefined);
  });

  test('of any bytes is a whole number of seconds within bounds, or none', () => {
    const isSane = (ms: number | undefined) =>
      ms === undefined || (Number.isInteger(ms / 1000) && ms >= 0 && ms <= MAX_MS);
    fc.assert(fc.property(fc.uint8Array(), (bytes) => isSane(retryAfterMs(bytes))));
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) =>
        isSane(retryAfterMs(busy(`Retry-After: ${value}`))),
      ),
    );
  });

  test('with a comment and parameters is the number before them', () => {
    const blank = fc.constantFrom('', ' ', '\t', '\r\n ');
    const rest = fc.constantFrom('', '(busy)', '(a (b))', ';duration=5', ';x="y"', '(c);d=1');
    fc.assert(
      fc.property(fc.nat(2 ** 31), blank, rest, (seconds, lws, text) => {
        assert.equal(retryAfterMs(busy(`Retry-After: ${seconds}${lws}${text}`)), 1000 * seconds);
      }),
    );
  });
});
