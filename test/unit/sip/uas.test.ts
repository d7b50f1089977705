import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Scan, scan } from '../../../src/pinger/sip/scanner.js';
import { buildOptionsResponse } from '../../../src/pinger/sip/uas.js';

const SOURCE = { address: '192.0.2.7', port: 45_678 };
const VIA = 'SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;rport';
const HEADERS: Readonly<Record<string, string>> = {
  Via: VIA,
  From: '"A, B" <sip:a@peer.example>;tag=f1',
  To: '<sip:192.0.2.1>',
  'Call-ID': 'x@10.0.0.1',
  CSeq: '102 OPTIONS',
};

/** An OPTIONS with its headers changed; undefined leaves one out. */
function request(changed: Readonly<Record<string, string | undefined>> = {}, more = ''): Buffer {
  const lines = Object.entries({ ...HEADERS, ...changed })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`OPTIONS sip:192.0.2.1 SIP/2.0\r\n${lines.join('')}${more}\r\n`, 'latin1');
}

function answer(bytes: Buffer): string | undefined {
  const answered = buildOptionsResponse(bytes, SOURCE, 't2');
  return answered && Buffer.from(answered).toString('latin1');
}

/** The values of all headers of the answer with this name. */
function valuesOf(bytes: Buffer, name: string): string[] {
  const lines = (answer(bytes) ?? '').split(/\r\n(?![ \t])/);
  const own = lines.filter((line) => line.startsWith(`${name}: `));
  return own.map((line) => line.slice(name.length + 2));
}

describe('the answer to an OPTIONS', () => {
  test('is a well-formed 200 without a body, with Allow and Accept', () => {
    const text = answer(request()) ?? '';
    const result = new Scan();
    scan(Buffer.from(text, 'latin1'), result);
    assert.deepEqual([result.ok, result.status, result.vias], [true, 200, 1]);
    assert.ok(text.startsWith('SIP/2.0 200 OK\r\n'));
    assert.ok(text.endsWith('\r\n\r\n'));
    assert.deepEqual(valuesOf(request(), 'Content-Length'), ['0']);
    assert.deepEqual(valuesOf(request(), 'Allow'), ['OPTIONS']);
    assert.deepEqual(valuesOf(request(), 'Accept'), ['application/sdp']);
  });

  test('copies From, Call-ID and CSeq as they are (RFC 3261 8.2.6.2)', () => {
    for (const name of ['From', 'Call-ID', 'CSeq']) {
      assert.deepEqual(valuesOf(request(), name), [HEADERS[name]]);
    }
  });

  test('copies every Via in order', () => {
    const more = 'v: SIP/2.0/TCP b.example;branch=z9hG4bK2\r\nVIA: SIP/2.0/TCP c.example\r\n';
    const [, ...others] = valuesOf(request({}, more), 'Via');
    assert.deepEqual(others, ['SIP/2.0/TCP b.example;branch=z9hG4bK2', 'SIP/2.0/TCP c.example']);
  });

  test('knows the compact names', () => {
    const compact = { Via: undefined, From: undefined, To: undefined, 'Call-ID': undefined };
    const more = `v: ${VIA}\r\nf: <sip:a>;tag=1\r\nt: <sip:b>\r\ni: y\r\n`;
    assert.deepEqual(valuesOf(request(compact, more), 'To'), ['<sip:b>;tag=t2']);
    assert.deepEqual(valuesOf(request(compact, more), 'Call-ID'), ['y']);
  });

  test('keeps folded lines folded', () => {
    const From = '<sip:a@b>\r\n ;tag=f1';
    assert.deepEqual(valuesOf(request({ From }), 'From'), [From]);
  });

  for (const [to, wanted] of [
    ['<sip:192.0.2.1>', '<sip:192.0.2.1>;tag=t2'],
    ['sip:192.0.2.1', 'sip:192.0.2.1;tag=t2'],
    ['<sip:192.0.2.1>;tag=old', '<sip:192.0.2.1>;tag=old'],
    ['<sip:192.0.2.1> ; Tag = old', '<sip:192.0.2.1> ; Tag = old'],
    ['<sip:192.0.2.1;tag=of-the-uri>', '<sip:192.0.2.1;tag=of-the-uri>;tag=t2'],
    ['"a;tag=b" <sip:192.0.2.1>', '"a;tag=b" <sip:192.0.2.1>;tag=t2'],
  ] as const) {
    test(`To: ${to} becomes ${wanted}`, () => {
      assert.deepEqual(valuesOf(request({ To: to }), 'To'), [wanted]);
    });
  }

  const FILLED = 'rport=45678;received=192.0.2.7';
  for (const [via, wanted] of [
    [VIA, `SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bKabc;${FILLED}`],
    ['SIP/2.0/UDP a;rport;branch=z9hG4bK1', `SIP/2.0/UDP a;${FILLED};branch=z9hG4bK1`],
    ['SIP/2.0/UDP a; RPort ;branch=z9hG4bK1', `SIP/2.0/UDP a;${FILLED};branch=z9hG4bK1`],
    // RFC 3261 18.2.1: without rport, received is added if the sent-by differs from the source.
    [
      'SIP/2.0/UDP a;rportx;branch=z9hG4bK1',
      'SIP/2.0/UDP a;rportx;branch=z9hG4bK1;received=192.0.2.7',
    ],
    ['SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1', 'SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1'],
    [
      'SIP/2.0/UDP a;branch=z9hG4bK1;rport, SIP/2.0/UDP b;rport',
      `SIP/2.0/UDP a;branch=z9hG4bK1;${FILLED}, SIP/2.0/UDP b;rport`,
    ],
    [
      'SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b;rport',
      'SIP/2.0/UDP a;branch=z9hG4bK1;received=192.0.2.7, SIP/2.0/UDP b;rport',
    ],
  ] as const) {
    test(`Via: ${via} gets its rport and received (RFC 3581 4) as ${wanted}`, () => {
      assert.deepEqual(valuesOf(request({ Via: via }), 'Via'), [wanted]);
    });
  }

  for (const name of Object.keys(HEADERS)) {
    test(`is not sent when ${name} is missing`, () => {
      assert.equal(answer(request({ [name]: undefined })), undefined);
    });
  }

  test('ignores headers in the body', () => {
    const bytes = Buffer.concat([request({ CSeq: undefined }), Buffer.from('CSeq: 1 OPTIONS\r\n')]);
    assert.equal(answer(bytes), undefined);
  });
});
