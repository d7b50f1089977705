/**
 * Describes why a response to one of the exporter's requests is malformed. The scanner, which sees every
 * message, only detects that it is.
 */

import { contentLengthProblem, headerLineProblem, invalid, PROBLEMS } from './message-problems.js';
import { endOfLine, type Header, is, readHeader, word } from './scanner.js';

const CR = 13;
const LF = 10;
const VIA = [word('via'), word('v')];
const CSEQ = [word('cseq')];
const CONTENT_LENGTH = [word('content-length'), word('l')];

/** The detail of a ping's outcome: `malformed response: no Via header`. */
export function malformedResponseDetail(response: Uint8Array): string {
  return `malformed response: ${responseProblem(response)}`;
}

/** Why a response is malformed: `no Via header`. */
export function responseProblem(response: Uint8Array): string {
  const lineEnd = endOfLine(response, 0);
  if (lineEnd < 0) return headerLineProblem(response, 0);
  const statusLine = Buffer.from(response.subarray(0, lineEnd));
  if (!/^SIP\/2\.0 [1-6]\d\d(?: |$)/i.test(statusLine.toString('latin1'))) {
    return invalid('status line', statusLine);
  }
  const lengths: string[] = [];
  const cseqs: string[] = [];
  let vias = 0;
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  let at = lineEnd + 2;
  while (at < response.length && !isLineEnd(response, at)) {
    if (!readHeader(response, at, header)) return headerLineProblem(response, at);
    const isNamed = (names: readonly Uint8Array[]) =>
      names.some((name) => is(response, at, header.nameEnd, name));
    const value = () => Buffer.from(response.subarray(header.valueStart, header.end));
    if (isNamed(VIA)) vias++;
    else if (isNamed(CSEQ)) cseqs.push(value().toString('latin1').trim());
    else if (isNamed(CONTENT_LENGTH)) lengths.push(value().toString('latin1').trim());
    at = header.end + 2;
  }
  if (!isLineEnd(response, at)) return PROBLEMS.noEmptyLine;
  return headersProblem(vias, cseqs, lengths);
}

function headersProblem(
  vias: number,
  cseqs: readonly string[],
  lengths: readonly string[],
): string {
  const [cseq] = cseqs;
  if (vias === 0) return PROBLEMS.noVia;
  if (cseq === undefined) return PROBLEMS.noCSeq;
  if (cseqs.length > 1) return PROBLEMS.manyCSeqs;
  const [, number] = /^(\d{1,10})\s+\S+$/.exec(cseq) ?? [];
  if (number === undefined || Number(number) >= 2 ** 31) return invalid('CSeq', cseq);
  return contentLengthProblem(lengths) ?? PROBLEMS.notSip;
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}
