/** Problems of SIP messages in the words that users read, the same over every transport. */

import { decode, printable } from '../../shared/text.js';

const CR = 13;
const LF = 10;
const MAX_QUOTED_LENGTH = 60;

export const PROBLEMS = {
  notSip: 'not a SIP message',
  firstLine: 'first line is not SIP',
  lineFeed: 'line ends in LF, not in CR LF',
  carriageReturn: 'line ends in CR, not in CR LF',
  nul: 'NUL byte in the headers',
  cutInHeaders: 'message ends within the headers',
  noEmptyLine: 'no empty line after the headers',
  noVia: 'no Via header',
  noCSeq: 'no CSeq header',
  manyCSeqs: 'more than one CSeq header',
  noContentLength: 'no Content-Length header, which streams require (RFC 3261 18.3)',
  differentContentLengths: 'different values of Content-Length',
} as const;

/** `invalid CSeq "OPTIONS"` */
export function invalid(part: string, value: Uint8Array | string): string {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value;
  return `invalid ${part} ${JSON.stringify(printable(decode(bytes), MAX_QUOTED_LENGTH))}`;
}

/** `headers longer than 16384 bytes` */
export function tooLong(part: string, maxBytes: number): string {
  return `${part} longer than ${maxBytes} bytes`;
}

/** Why the line at `at` is not a header line. */
export function headerLineProblem(bytes: Uint8Array, at: number): string {
  for (let end = at; end < bytes.length; end++) {
    const byte = bytes[end];
    if (byte === LF) return PROBLEMS.lineFeed;
    if (byte === 0) return PROBLEMS.nul;
    if (byte !== CR) continue;
    if (bytes[end + 1] !== LF) return PROBLEMS.carriageReturn;
    return invalid('header line', bytes.subarray(at, end));
  }
  return PROBLEMS.cutInHeaders;
}

/**
 * Why the Content-Length of a message is invalid; undefined when it is valid or absent.
 *
 * @param values of all its Content-Length headers.
 */
export function contentLengthProblem(values: readonly string[]): string | undefined {
  const wrong = values.find((value) => !/^\d{1,10}$/.test(value));
  if (wrong !== undefined) return invalid('Content-Length', wrong);
  return new Set(values.map(Number)).size > 1 ? PROBLEMS.differentContentLengths : undefined;
}
