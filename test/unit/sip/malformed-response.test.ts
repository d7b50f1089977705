import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { responseProblem } from '../../../src/pinger/sip/malformed-response.js';

const VIA = 'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx\r\n';
const CSEQ = 'CSeq: 1 OPTIONS\r\n';
const OK = 'SIP/2.0 200 OK\r\n';

describe('the fault of an answer is told:', () => {
  for (const [wanted, text] of [
    ['its status line is "SIP/2.0 099 \\"x\\" é?"', `SIP/2.0 099 "x" é\u202e\r\n${VIA}${CSEQ}\r\n`],
    ['its status line is "SIP/2.0 2000"', `SIP/2.0 2000\r\n${VIA}${CSEQ}\r\n`],
    ['it has no Via', `${OK}${CSEQ}\r\n`],
    ['it has no CSeq', `${OK}${VIA}\r\n`],
    ['it has more than one CSeq', `${OK}${VIA}${CSEQ}${CSEQ}\r\n`],
    ['its CSeq is "OPTIONS"', `${OK}${VIA}CSeq: OPTIONS\r\n\r\n`],
    ['its CSeq is "4294967296 OPTIONS"', `${OK}${VIA}CSeq: 4294967296 OPTIONS\r\n\r\n`],
    ['its Content-Length is "x"', `${OK}${VIA}${CSEQ}l: x\r\n\r\n`],
    ['its Content-Length is "-1"', `${OK}${VIA}${CSEQ}Content-Length: -1\r\n\r\n`],
    ['it has two different Content-Lengths', `${OK}${VIA}${CSEQ}l: 0\r\nl: 1\r\n\r\n`],
    ['its lines end in LF, not in CR LF', `${OK}${VIA}A: b\n${CSEQ}\r\n`],
    ['its lines end in CR, not in CR LF', `${OK}${VIA}A: b\rc\r\n${CSEQ}\r\n`],
    ['it has a NUL in its headers', `${OK}${VIA}A: \0\r\n${CSEQ}\r\n`],
    ['it has a line that is not a header, "no header"', `${OK}${VIA}no header\r\n${CSEQ}\r\n`],
    ['no empty line follows its headers', `${OK}${VIA}${CSEQ}`],
    ['it ends within its headers', `${OK}${VIA}CSe`],
    ['it ends within its headers', 'SIP/2.0 200'],
  ] as const) {
    test(wanted, () => assert.equal(responseProblem(Buffer.from(text)), wanted));
  }

  test('whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => assert.ok(responseProblem(bytes).length < 200)),
    );
  });
});
