import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { POLICIES, parseStatusCodes, StatusCodesError } from '../../../src/shared/status-codes.js';

const FINAL = Array.from({ length: 500 }, (_, i) => 200 + i);

function allBut(...codes: number[]): number[] {
  return FINAL.filter((code) => !codes.includes(code));
}

function range(first: number, last: number): number[] {
  return FINAL.filter((code) => code >= first && code <= last);
}

const GRAMMAR: readonly (readonly [text: string, codes: readonly number[]])[] = [
  ['2xx', range(200, 299)],
  ['6XX', range(600, 699)],
  ['200', [200]],
  ['200-202', [200, 201, 202]],
  ['486-486', [486]],
  ['any', FINAL],
  ['Any', FINAL],
  ['200,404,486', [200, 404, 486]],
  [' 200 ,\t404 ', [200, 404]],
  ['2xx,!202', range(200, 299).filter((code) => code !== 202)],
  ['!202,2xx', range(200, 299).filter((code) => code !== 202)],
  ['any,!4xx,!500-599', [...range(200, 399), ...range(600, 699)]],
  ['!503', allBut(503)],
  ['!408,!503', allBut(408, 503)],
  ['kamailio,404', [...range(200, 299), 404]],
  ['cucm,!481', allBut(408, 481, 503)],
];

/** The codes that each system accepts. */
const POLICY_CODES: Readonly<Record<string, readonly number[]>> = {
  kamailio: range(200, 299),
  opensips: [200],
  asterisk: FINAL,
  oracle: FINAL,
  cucm: allBut(408, 503),
  cube: allBut(503, 505),
  freeswitch: range(200, 599).filter((code) => code !== 408 && code !== 503),
};

const REFUSED = [
  ...['', ' ', ',', '200,', ',200', '200,,404', '!', '!!200', '! 200', '2 00'],
  ...['100', '1xx', '199', '700', '7xx', '0', '20', '2000', '-200', '200-', '2x', '2xxx', 'xx'],
  ...['299-200', '200-299-300', '200 - 299', '2xx-3xx', '200;404', '200 404'],
  ...['nobody', '!kamailio', 'constructor', '__proto__', 'toString', '٢٠٠'],
  ...['200,!200', '!any', '2xx,!200-299'],
];

describe('alive codes', () => {
  for (const [text, codes] of GRAMMAR) {
    test(`${JSON.stringify(text)} means ${codes.length} codes`, () => {
      assert.deepEqual([...parseStatusCodes(text)].sort(), codes);
    });
  }

  for (const [name, codes] of Object.entries(POLICY_CODES)) {
    test(`the policy ${name} accepts what ${name} accepts`, () => {
      assert.deepEqual([...parseStatusCodes(name)].sort(), codes);
    });
  }

  test('every policy is in the table of this test', () => {
    assert.deepEqual(Object.keys(POLICIES), Object.keys(POLICY_CODES));
  });

  for (const text of REFUSED) {
    test(`${JSON.stringify(text)} is rejected`, () => {
      assert.throws(() => parseStatusCodes(text), StatusCodesError);
    });
  }

  test('an error names the invalid item', () => {
    assert.throws(() => parseStatusCodes('2xx,quux'), /got "quux"/);
    assert.throws(() => parseStatusCodes('200,!200'), /at least one code, got "200,!200"/);
  });
});

const code = fc.integer({ min: 200, max: 699 });
const item = fc.oneof(
  code.map(String),
  fc.integer({ min: 2, max: 6 }).map((digit) => `${digit}xx`),
  fc.tuple(code, code).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
  fc.constantFrom('any', ...Object.keys(POLICIES)),
);
const listed = fc.array(
  fc.oneof(
    item,
    code.map((c) => `!${c}`),
  ),
  { minLength: 1, maxLength: 6 },
);

describe('a list of alive codes', () => {
  test('means the same in every order', () => {
    const shuffled = listed.chain((items) =>
      fc.tuple(
        fc.constant(items),
        fc.shuffledSubarray(items, { minLength: items.length, maxLength: items.length }),
      ),
    );
    const meaning = (items: readonly string[]) => {
      try {
        return [...parseStatusCodes(items.join(','))].sort();
      } catch (error) {
        assert.ok(error instanceof StatusCodesError, String(error));
        return 'refused';
      }
    };
    fc.assert(fc.property(shuffled, ([a, b]) => assert.deepEqual(meaning(a), meaning(b))));
  });

  test('that excludes X from any has all codes but X', () => {
    const isAllBut = (removed: readonly number[]) => {
      const codes = parseStatusCodes(['any', ...removed.map((c) => `!${c}`)].join(','));
      assert.deepEqual([...codes].sort(), allBut(...removed));
    };
    fc.assert(fc.property(fc.array(code, { maxLength: 20 }), isAllBut));
  });

  test('of any text is read or rejected with an StatusCodesError', () => {
    const isHandled = (text: string) => {
      try {
        assert.ok(parseStatusCodes(text).size > 0);
      } catch (error) {
        assert.ok(error instanceof StatusCodesError, String(error));
      }
    };
    fc.assert(fc.property(fc.string({ unit: 'binary' }), isHandled));
  });
});
