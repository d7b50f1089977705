import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { responseProblem } from '../../../src/pinger/sip/malformed-response.js';

const VIA = 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n';
const CSEQ = 'CSeq: 1 OPTIONS\r\n';
const OK = 'SIP/2.0 200 OK\r\n';

describe('the problem of a malformed response is reported:', () => {
  for (const [wanted, text] of [
    [
      'invalid status line "SIP/2.0 099 \\"x\\" é?"',
      `SIP/2.0 099 "x" é\u202e\r\n${VIA}${CSEQ}\r\n`,
    ],
    ['invalid status line "SIP/2.0 2000"', `SIP/2.0 2000\r\n${VIA}${CSEQ}\r\n`],
    ['no Via header', `${OK}${CSEQ}\r\n`],
    ['no CSeq header', `${OK}${VIA}\r\n`],
    ['more than one CSeq header', `${OK}${VIA}${CSEQ}${CSEQ}\r\n`],
    ['invalid CSeq "OPTIONS"', `${OK}${VIA}CSeq: OPTIONS\r\n\r\n`],
    ['invalid CSeq "4294967296 OPTIONS"', `${OK}${VIA}CSeq: 4294967296 OPTIONS\r\n\r\n`],
    ['invalid Content-Length "x"', `${OK}${VIA}${CSEQ}l: x\r\n\r\n`],
    ['invalid Content-Length "-1"', `${OK}${VIA}${CSEQ}Content-Length: -1\r\n\r\n`],
    ['different values of Content-Length', `${OK}${VIA}${CSEQ}l: 0\r\nl: 1\r\n\r\n`],
    ['line ends in LF, not in CR LF', `${OK}${VIA}A: b\n${CSEQ}\r\n`],
    ['line ends in CR, not in CR LF', `${OK}${VIA}A: b\rc\r\n${CSEQ}\r\n`],
    ['NUL byte in the headers', `${OK}${VIA}A: \0\r\n${CSEQ}\r\n`],
    ['invalid header line "no header"', `${OK}${VIA}no header\r\n${CSEQ}\r\n`],
    ['no empty line after the headers', `${OK}${VIA}${CSEQ}`],
    ['message ends within the headers', `${OK}${VIA}CSe`],
    ['message ends within the headers', 'SIP/2.0 200'],
  ] as const) {
    test(wanted, () => assert.equal(responseProblem(Buffer.from(text)), wanted));
  }

  test('in less than 200 characters for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => assert.ok(responseProblem(bytes).length < 200)),
    );
  });
});
