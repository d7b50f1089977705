/**
 * Describes why a response to one of the exporter's requests is malformed. The scanner, which sees every
 * message, only finds that it is; this is for messages to the user.
 */

import { decode, printable } from '../../shared/text.js';
import { endOfLine, type Header, is, readHeader, word } from './scanner.js';

const CR = 13;
const LF = 10;
const MAX_QUOTED_LENGTH = 60;
const VIA = [word('via'), word('v')];
const CSEQ = [word('cseq')];
const CONTENT_LENGTH = [word('content-length'), word('l')];

/** {@link responseProblem} as a sentence. */
export function malformedResponseDetail(answer: Uint8Array): string {
  return `malformed response: ${responseProblem(answer)}`;
}

/** Why a response is malformed: a clause. */
export function responseProblem(response: Uint8Array): string {
  const lineEnd = endOfLine(response, 0);
  if (lineEnd < 0) return lineProblem(response, 0);
  const statusLine = Buffer.from(response.subarray(0, lineEnd));
  if (!/^SIP\/2\.0 [1-6]\d\d(?: |$)/i.test(statusLine.toString('latin1'))) {
    return `its status line is ${quote(statusLine)}`;
  }
  const lengths: string[] = [];
  const cseqs: string[] = [];
  let vias = 0;
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  let at = lineEnd + 2;
  while (at < response.length && !isLineEnd(response, at)) {
    if (!readHeader(response, at, header)) return lineProblem(response, at);
    const isNamed = (names: readonly Uint8Array[]) =>
      names.some((name) => is(response, at, header.nameEnd, name));
    const value = () => Buffer.from(response.subarray(header.valueStart, header.end));
    if (isNamed(VIA)) vias++;
    else if (isNamed(CSEQ)) cseqs.push(value().toString('latin1').trim());
    else if (isNamed(CONTENT_LENGTH)) lengths.push(value().toString('latin1').trim());
    at = header.end + 2;
  }
  if (!isLineEnd(response, at)) return 'no empty line follows its headers';
  return headersProblem(vias, cseqs, lengths);
}

function headersProblem(
  vias: number,
  cseqs: readonly string[],
  lengths: readonly string[],
): string {
  const [cseq] = cseqs;
  if (vias === 0) return 'it has no Via';
  if (cseq === undefined) return 'it has no CSeq';
  if (cseqs.length > 1) return 'it has more than one CSeq';
  const [, number] = /^(\d{1,10})\s+\S+$/.exec(cseq) ?? [];
  if (number === undefined || Number(number) >= 2 ** 31) {
    return `its CSeq is ${quote(Buffer.from(cseq, 'latin1'))}`;
  }
  const invalid = lengths.find((length) => !/^\d{1,10}$/.test(length));
  if (invalid !== undefined) {
    return `its Content-Length is ${quote(Buffer.from(invalid, 'latin1'))}`;
  }
  if (new Set(lengths.map(Number)).size > 1) return 'it has two different Content-Lengths';
  return 'it is not SIP';
}

/** Why the line at `at` is not a header line. */
function lineProblem(bytes: Uint8Array, at: number): string {
  for (let end = at; end < bytes.length; end++) {
    const byte = bytes[end];
    if (byte === LF) return 'its lines end in LF, not in CR LF';
    if (byte === 0) return 'it has a NUL in its headers';
    if (byte !== CR) continue;
    if (bytes[end + 1] !== LF) return 'its lines end in CR, not in CR LF';
    return `it has a line that is not a header, ${quote(bytes.subarray(at, end))}`;
  }
  return 'it ends within its headers';
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

function quote(bytes: Uint8Array): string {
  return JSON.stringify(printable(decode(bytes), MAX_QUOTED_LENGTH));
}
