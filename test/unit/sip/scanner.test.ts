import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import * as sip from 'sip';
import { Scan, type Span, scan } from '../../../src/pinger/sip/scanner.js';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const lines = (...parts: string[]) => `${parts.join('\r\n')}\r\n\r\n`;

/** The result of a scan of `text`, with its spans as text. */
function found(text: string | Uint8Array) {
  const bytes = typeof text === 'string' ? latin1(text) : text;
  const result = new Scan();
  scan(bytes, result);
  const piece = ({ start, end }: Span) =>
    start < 0 ? undefined : Buffer.from(bytes.subarray(start, end)).toString('latin1');
  const { ok, isResponse, status, vias, bodyAt } = result;
  return {
    ...{ ok, isResponse, status, vias, bodyAt },
    sentBy: piece(result.sentBy),
    branch: piece(result.branch),
    method: piece(result.method),
    cseqMethod: piece(result.cseqMethod),
    server: piece(result.server),
    userAgent: piece(result.userAgent),
  };
}

const VIA = 'Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport';
const CSEQ = 'CSeq: 1 OPTIONS';
const OK = lines('SIP/2.0 200 OK', VIA, 'From: <sip:a@b>;tag=1', CSEQ, 'Content-Length: 0');
/** A response with one of its lines changed. */
const withVia = (...vias: string[]) => lines('SIP/2.0 200 OK', ...vias, CSEQ);
const withStart = (start: string) => lines(start, VIA, CSEQ);
const withMore = (...more: string[]) => lines('SIP/2.0 200 OK', VIA, CSEQ, ...more);

type Found = Partial<ReturnType<typeof found>>;

const UNDERSTOOD: readonly (readonly [name: string, text: string, wanted: Found])[] = [
  [
    'a plain response',
    OK,
    { isResponse: true, status: 200, vias: 1, sentBy: '192.0.2.1:5060', branch: 'z9hG4bKabc' },
  ],
  ['the method of its CSeq', OK, { cseqMethod: 'OPTIONS', method: undefined }],
  ['a request', `OPTIONS sip:a SIP/2.0\r\n${VIA}\r\n${CSEQ}\r\n\r\n`, { method: 'OPTIONS' }],
  [
    'compact forms',
    lines('SIP/2.0 404 Not Found', `v: ${VIA.slice(5)}`, CSEQ, 'l: 0'),
    { status: 404, branch: 'z9hG4bKabc' },
  ],
  [
    'header names in any case, with blanks before the colon',
    lines('SIP/2.0 200 OK', VIA.replace('Via:', 'vIA \t:'), 'cSEQ :1 OPTIONS', 'SERVER: x'),
    { branch: 'z9hG4bKabc', server: 'x', cseqMethod: 'OPTIONS' },
  ],
  [
    'folded lines',
    withVia('Via:\r\n SIP/2.0/UDP\r\n\t192.0.2.1:5060\r\n ;branch=z9hG4bKabc\r\n ;rport'),
    { vias: 1, sentBy: '192.0.2.1:5060', branch: 'z9hG4bKabc' },
  ],
  ['a folded CSeq', lines('SIP/2.0 200 OK', VIA, 'CSeq: 1\r\n OPTIONS'), { cseqMethod: 'OPTIONS' }],
  [
    'blanks around the slashes of a Via and in its sent-by',
    withVia('Via: SIP / 2.0 / UDP first.example: 4000 ; branch = z9hG4bKabc ;ttl=16'),
    { sentBy: 'first.example: 4000', branch: 'z9hG4bKabc' },
  ],
  [
    'an IPv6 sent-by',
    withVia('Via: SIP/2.0/UDP [2001:db8::9:1]:5060;received=[2001:db8::1];branch=z9hG4bKabc'),
    { sentBy: '[2001:db8::9:1]:5060', branch: 'z9hG4bKabc' },
  ],
  [
    'an IPv6 received without brackets',
    withVia('Via: SIP/2.0/UDP [::1];received=2001:db8::1;branch=z9hG4bKabc'),
    { sentBy: '[::1]', branch: 'z9hG4bKabc' },
  ],
  [
    'several Vias in one line, of which the first counts',
    withVia(`${VIA}, SIP/2.0/TCP b.example;branch=z9hG4bKdef`),
    { vias: 2, branch: 'z9hG4bKabc' },
  ],
  [
    'several Vias in several lines',
    withVia(VIA, 'v: SIP/2.0/TCP b.example;branch=z9hG4bKdef', 'Via: SIP/2.0/UDP c, SIP/2.0/UDP d'),
    { vias: 4, branch: 'z9hG4bKabc' },
  ],
  [
    'a first Via without a branch: the branch of the second is not used',
    withVia('Via: SIP/2.0/UDP a.example', VIA),
    { vias: 2, branch: undefined, sentBy: 'a.example' },
  ],
  [
    'quoted parameters with commas, semicolons and quotes in them',
    withVia('Via: SIP/2.0/UDP a.example;x="1,2;branch=no\\",3";branch=z9hG4bKabc'),
    { vias: 1, branch: 'z9hG4bKabc' },
  ],
  [
    'the first branch of two',
    withVia('Via: SIP/2.0/UDP a;branch=z9hG4bK1;branch=z9hG4bK2'),
    { branch: 'z9hG4bK1' },
  ],
  [
    'a branch that is only the cookie',
    withVia('Via: SIP/2.0/UDP a;branch=z9hG4bK'),
    { branch: 'z9hG4bK' },
  ],
  ['an empty reason phrase', withStart('SIP/2.0 200 '), { status: 200 }],
  ['no reason phrase and no blank before it', withStart('SIP/2.0 100'), { status: 100 }],
  ['a reason phrase in UTF-8', withStart('SIP/2.0 200 = \xd0\x9f\xc3\xa9'), { status: 200 }],
  ['a version in lower case', withStart('sip/2.0 486 Busy Here'), { status: 486 }],
  [
    'the Server and User-Agent headers',
    withMore('Server: a', 'User-Agent: b'),
    { server: 'a', userAgent: 'b' },
  ],
  ['two equal Content-Lengths', withMore('l: 0', 'Content-Length: 0'), { status: 200 }],
  ['a complete body', `${withMore('Content-Length: 3')}abc`, { status: 200 }],
  ['a body longer than its length', `${withMore('Content-Length: 3')}abcd`, { status: 200 }],
  [
    'headers named like properties of objects',
    withMore('__proto__: x', 'constructor: y'),
    { vias: 1 },
  ],
  [
    'parameters named like properties of objects',
    withVia('Via: SIP/2.0/UDP a;__proto__;constructor=x;hasOwnProperty;branch=z9hG4bKabc'),
    { branch: 'z9hG4bKabc' },
  ],
];

const REFUSED: readonly (readonly [name: string, text: string])[] = [
  ['nothing', ''],
  ['a keepalive of blank lines', '\r\n\r\n'],
  ['lines that end in LF only', OK.replaceAll('\r\n', '\n')],
  ['lines that end in CR only', OK.replaceAll('\r\n', '\r')],
  ['a NUL', withMore('X: a\0b')],
  ['a status that exceeds 32 bits', withStart('SIP/2.0 4294967301 better not break')],
  ['a status of two digits', withStart('SIP/2.0 20 OK')],
  ['a status of no class', withStart('SIP/2.0 700 No')],
  ['a status below 100', withStart('SIP/2.0 099 No')],
  ['a status that is not a number', withStart('SIP/2.0 2x0 OK')],
  ['a reason phrase without a space before it', withStart('SIP/2.0 200OK')],
  ['a negative status', withStart('SIP/2.0 -20 OK')],
  ['another version', withStart('SIP/7.0 200 OK')],
  ['a status line without a version', withStart('200 OK')],
  ['a request line without a version', withStart('OPTIONS sip:a')],
  ['a request of another version', withStart('OPTIONS sip:a SIP/7.0')],
  ['no Via', lines('SIP/2.0 200 OK', CSEQ)],
  ['no CSeq', lines('SIP/2.0 200 OK', VIA)],
  ['two CSeqs', lines('SIP/2.0 200 OK', VIA, CSEQ, CSEQ)],
  ['a CSeq of 2^31', lines('SIP/2.0 200 OK', VIA, 'CSeq: 2147483648 OPTIONS')],
  ['a CSeq without a number', lines('SIP/2.0 200 OK', VIA, 'CSeq: OPTIONS')],
  ['a CSeq without a method', lines('SIP/2.0 200 OK', VIA, 'CSeq: 1 ')],
  [
    'a CSeq without a space between number and method',
    lines('SIP/2.0 200 OK', VIA, 'CSeq: 1OPTIONS'),
  ],
  ['two different Content-Lengths', `${withMore('Content-Length: 0', 'l: 1')}a`],
  ['a negative Content-Length', withMore('Content-Length: -1')],
  ['a Content-Length that is not a number', withMore('Content-Length: 1e1')],
  ['an empty Content-Length', withMore('Content-Length:')],
  ['a Content-Length beyond the datagram', `${withMore('Content-Length: 4')}abc`],
  [
    'a Content-Length that exceeds every integer type',
    withMore('Content-Length: 99999999999999999999'),
  ],
  ['a header without a colon', withMore('nonsense')],
  ['a header without a name', withMore(': x')],
  ['a header with a blank in its name', withMore('a b: c')],
  ['no empty line at the end', OK.slice(0, -2)],
];

/** 60 kB of input for which a careless parser takes quadratic time or worse. */
const SIZE = 60_000;
const HOSTILE: readonly (readonly [name: string, text: string])[] = [
  ['10,000 blanks in the status line', `SIP/2.0 200 ${' '.repeat(10_000)}\nx\ny`],
  ['60 kB of LF', '\n'.repeat(SIZE)],
  ['60 kB of CR LF', '\r\n'.repeat(SIZE / 2)],
  ['60 kB of blanks', ' '.repeat(SIZE)],
  ['a start line without an end', `SIP/2.0 200 ${'x'.repeat(SIZE)}`],
  ['a header without an end', `SIP/2.0 200 OK\r\nVia: ${' '.repeat(SIZE)}`],
  ['many folded lines', `SIP/2.0 200 OK\r\nVia:${'\r\n '.repeat(SIZE / 3)}`],
  ['many headers', `SIP/2.0 200 OK\r\n${'a:b\r\n'.repeat(SIZE / 5)}`],
  ['many Vias and no end', `SIP/2.0 200 OK\r\n${'v:a\r\n'.repeat(SIZE / 5)}`],
  ['many quotes', lines('SIP/2.0 200 OK', `Via: SIP/2.0/UDP a${';a="'.repeat(SIZE / 4)}`)],
  ['many escapes', lines('SIP/2.0 200 OK', `Via: SIP/2.0/UDP a;a="${'\\"'.repeat(SIZE / 2)}`)],
  ['many parameters', lines('SIP/2.0 200 OK', `Via: SIP/2.0/UDP a${'; \t'.repeat(SIZE / 3)}`)],
  ['many slashes', lines('SIP/2.0 200 OK', `Via: ${'/ '.repeat(SIZE / 2)}`)],
];

describe('a scan accepts', () => {
  for (const [name, text, wanted] of UNDERSTOOD) {
    test(name, () => {
      const result = found(text);
      assert.equal(result.ok, true);
      for (const [key, value] of Object.entries(wanted)) {
        assert.deepEqual(Reflect.get(result, key), value, key);
      }
    });
  }
});

describe('a scan rejects', () => {
  for (const [name, text] of [...REFUSED, ...HOSTILE]) {
    test(name, () => assert.equal(found(text).ok, false));
  }

  test('nothing for having many Vias, but counts them, even 60,000 commas', () => {
    assert.equal(found(withVia(`Via: SIP/2.0/UDP a${','.repeat(SIZE)}`)).vias, SIZE + 1);
  });

  test('a response that is cut off anywhere', () => {
    const whole = `${withMore('Server: x', 'Content-Length: 5')}12345`;
    assert.equal(found(whole).ok, true);
    for (let length = 0; length < whole.length; length++) {
      assert.equal(found(whole.slice(0, length)).ok, false, `${length} bytes`);
    }
  });

  test('a message without traces of the previous scan into the same object', () => {
    const result = new Scan();
    scan(latin1(withMore('Server: x', 'User-Agent: y')), result);
    scan(latin1('x'), result);
    assert.deepEqual(result, new Scan());
  });
});

const token = fc.stringMatching(/^[a-zA-Z0-9.-]{1,10}$/);
/** Text that `sip` can read too: no IPv6, no folding, no reason that begins with a blank. */
const via = fc
  .record({
    transport: fc.constantFrom('UDP', 'TCP', 'TLS'),
    host: fc.oneof(fc.ipV4(), fc.constantFrom('a.example', 'B-1.example')),
    port: fc.option(fc.integer({ min: 1, max: 65535 })),
    branch: token,
    more: fc.constantFrom('', ';rport', ';rport=5062;received=192.0.2.9', ';x="a;b"', ' ; ttl = 1'),
  })
  .map(({ transport, host, port, branch, more }) => {
    const sentBy = port === null ? host : `${host}:${port}`;
    return { text: `SIP/2.0/${transport} ${sentBy}${more};branch=z9hG4bK${branch}`, sentBy };
  });
const response = fc.record({
  status: fc.integer({ min: 100, max: 699 }),
  reason: fc.constantFrom('OK', '', 'Not Found', 'x  y'),
  vias: fc.array(via, { minLength: 1, maxLength: 4 }),
  isOneLine: fc.boolean(),
  viaName: fc.constantFrom('Via', 'v', 'VIA', 'via '),
  seq: fc.nat(2 ** 31 - 1),
  method: fc.constantFrom('OPTIONS', 'INVITE', 'register'),
  server: fc.constantFrom('', 'sip:x/1.0 (a, b; c="d")'),
  body: fc.constantFrom('', 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n', 'a\0b\n'),
});

type Response = typeof response extends fc.Arbitrary<infer T> ? T : never;

describe('a scan of any bytes', () => {
  test('never throws and never points outside them', () => {
    const prefix = fc.constantFrom('', 'SIP/2.0 200 OK\r\nVia: ', withMore().slice(0, -2));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc
        .tuple(prefix, fc.string({ unit: 'binary-ascii', maxLength: 100 }))
        .map((p) => latin1(p.join(''))),
      fc
        .tuple(fc.nat(OK.length - 1), fc.nat(255))
        .map(([at, byte]) => latin1(OK).fill(byte, at, at + 1)),
    );
    const holds = (given: Uint8Array) => {
      const result = new Scan();
      scan(given, result);
      for (const { start, end } of [
        result.branch,
        result.sentBy,
        result.cseqMethod,
        result.method,
      ]) {
        assert.ok(start <= end && end <= given.length && start >= -1);
      }
      assert.ok(!result.ok || (result.vias > 0 && result.bodyAt > 0));
    };
    fc.assert(fc.property(bytes, holds), { numRuns: 3000 });
  });

  test('agrees with sip.parse about well-formed responses', () => {
    const agrees = (r: Response) => {
      const values = r.vias.map(({ text }) => text);
      const vias = r.isOneLine ? [values.join(', ')] : values;
      const head = lines(
        `SIP/2.0 ${r.status} ${r.reason}`,
        ...vias.map((text) => `${r.viaName}: ${text}`),
        'To: <sip:b@c>;tag=2',
        `CSeq: ${r.seq} ${r.method}`,
        ...(r.server === '' ? [] : [`Server: ${r.server}`]),
        `Content-Length: ${r.body.length}`,
      );
      const theirs = sip.parse(head + r.body);
      const ours = found(head + r.body);
      assert.ok(theirs !== undefined && 'status' in theirs);
      const theirVias = theirs.headers['via'] as readonly sip.Via[];
      const theirCseq = theirs.headers['cseq'] as { readonly method: string };
      assert.equal(ours.ok, true);
      assert.equal(ours.status, theirs.status);
      assert.equal(ours.vias, theirVias.length);
      assert.equal(ours.branch, theirVias[0]?.params['branch']);
      assert.equal(ours.cseqMethod, theirCseq.method);
      assert.equal(ours.server, theirs.headers['server']);
      assert.equal(ours.bodyAt, head.length);
      assert.equal(ours.sentBy, r.vias[0]?.sentBy);
      assert.equal(sentByOf(theirVias[0]), ours.sentBy);
    };
    fc.assert(fc.property(response, agrees), { numRuns: 1000 });
  });
});

function sentByOf(via: sip.Via | undefined): string | undefined {
  return via?.port === undefined ? via?.host : `${via.host}:${via.port}`;
}
