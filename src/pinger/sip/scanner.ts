/**
 * Scans a SIP message in one pass over its bytes, without copies, in linear time for any input. Finds
 * only what is needed to match a response to its request (RFC 3261 17.1.3, 18.1.2).
 */

/** A range of the message: `start` inclusive, `end` exclusive; both -1 when absent. */
export interface Span {
  start: number;
  end: number;
}

/** The result of a scan. One object is reused for all scans. */
export class Scan {
  /** The message is well-formed, and its body is complete if it has a Content-Length. */
  ok = false;
  isResponse = false;
  /** The body is shorter than its Content-Length; RFC 3261 18.3: such a response is discarded. */
  isCutOff = false;
  /** 100 to 699; 0 when the status line is invalid. */
  status = 0;
  /** Number of Via values; only the first is parsed. */
  vias = 0;
  readonly sentBy: Span = span();
  readonly branch: Span = span();
  readonly method: Span = span();
  readonly requestUri: Span = span();
  readonly cseqMethod: Span = span();
  readonly server: Span = span();
  readonly userAgent: Span = span();
  /** Offset of the body; -1 when the headers do not end. */
  bodyAt = -1;
}

const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const COLON = 58;
const SEMICOLON = 59;
const COMMA = 44;
const EQUALS = 61;
const QUOTE = 34;
const BACKSLASH = 92;
const SLASH = 47;

const VIA = word('via');
const COMPACT_VIA = word('v');
const CSEQ = word('cseq');
const CONTENT_LENGTH = word('content-length');
const COMPACT_CONTENT_LENGTH = word('l');
const SERVER = word('server');
const USER_AGENT = word('user-agent');
const BRANCH = word('branch');
const SIP = word('sip/');
const SIP_2 = word('sip/2.0 ');
const SP_SIP_2 = word(' sip/2.0');

/** Scans `bytes` into `into`. Never throws. */
export function scan(bytes: Uint8Array, into: Scan): void {
  reset(into);
  into.isResponse = startsWith(bytes, 0, SIP);
  let at = endOfLine(bytes, 0);
  let isWellFormed = at > 0 && scanStartLine(bytes, at, into);
  let contentLength = -1;
  let cseqs = 0;
  if (at < 0) return;
  at += 2;
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  while (at < bytes.length && !(bytes[at] === CR && bytes[at + 1] === LF)) {
    if (!readHeader(bytes, at, header)) return;
    const { nameEnd, valueStart, end } = header;
    switch (headerName(bytes, at, nameEnd)) {
      case 'via':
        scanVia(bytes, valueStart, end, into);
        break;
      case 'cseq':
        cseqs++;
        isWellFormed = scanCseq(bytes, valueStart, end, into) && isWellFormed;
        break;
      case 'content-length': {
        const length = decimal(bytes, valueStart, end);
        if (length < 0 || (contentLength >= 0 && contentLength !== length)) isWellFormed = false;
        contentLength = length;
        break;
      }
      case 'server':
        setSpan(into.server, valueStart, end);
        break;
      case 'user-agent':
        setSpan(into.userAgent, valueStart, end);
        break;
      default:
    }
    at = end + 2;
  }
  if (at + 2 > bytes.length) return;
  into.bodyAt = at + 2;
  into.isCutOff = isWellFormed && into.bodyAt + Math.max(contentLength, 0) > bytes.length;
  // RFC 3261 8.1.1.5: the method of CSeq is that of the request.
  const isConsistent = into.isResponse || isSame(bytes, into.method, into.cseqMethod);
  into.ok = isWellFormed && isConsistent && !into.isCutOff && cseqs === 1 && into.vias > 0;
}

type HeaderName = 'via' | 'cseq' | 'content-length' | 'server' | 'user-agent' | undefined;

/** The relevant header with this name. The length excludes nearly all other names at once. */
function headerName(bytes: Uint8Array, start: number, end: number): HeaderName {
  switch (end - start) {
    case 1:
      if (startsWith(bytes, start, COMPACT_VIA)) return 'via';
      return startsWith(bytes, start, COMPACT_CONTENT_LENGTH) ? 'content-length' : undefined;
    case 3:
      return startsWith(bytes, start, VIA) ? 'via' : undefined;
    case 4:
      return startsWith(bytes, start, CSEQ) ? 'cseq' : undefined;
    case 6:
      return startsWith(bytes, start, SERVER) ? 'server' : undefined;
    case 10:
      return startsWith(bytes, start, USER_AGENT) ? 'user-agent' : undefined;
    case 14:
      return startsWith(bytes, start, CONTENT_LENGTH) ? 'content-length' : undefined;
    default:
      return undefined;
  }
}

export interface Header {
  nameEnd: number;
  valueStart: number;
  /** Offset of the CR LF that ends the line, with its folded lines. */
  end: number;
}

/** Reads the header at `at`. Returns false when it has no name, no colon or no end of line. */
export function readHeader(bytes: Uint8Array, at: number, into: Header): boolean {
  const { length } = bytes;
  let nameEnd = at;
  while (nameEnd < length && isNameByte(bytes[nameEnd] ?? 0)) nameEnd++;
  let colon = nameEnd;
  while (bytes[colon] === SPACE || bytes[colon] === TAB) colon++;
  if (nameEnd === at || bytes[colon] !== COLON) return false;
  let end = endOfLine(bytes, colon);
  while (end >= 0 && isBlank(bytes[end + 2] ?? 0)) end = endOfLine(bytes, end + 2);
  if (end < 0) return false;
  into.nameEnd = nameEnd;
  into.valueStart = skipBlanks(bytes, colon + 1, end);
  into.end = end;
  return true;
}

/** Offset of the next CR LF; -1 when a bare CR or LF, a NUL, or the end of the bytes comes first. */
export function endOfLine(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  for (let at = from; at < length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte > CR) continue;
    if (byte === CR) return bytes[at + 1] === LF ? at : -1;
    if (byte === LF || byte === 0) return -1;
  }
  return -1;
}

/** Whether the span equals `text`, which is in lower case, ignoring case. */
export function is(bytes: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  return end - start === text.length && startsWith(bytes, start, text);
}

/** As {@link is}, ignoring whitespace too (RFC 3261 25.1 allows it around a colon). */
export function isIgnoringBlanks(
  bytes: Uint8Array,
  { start, end }: Span,
  text: Uint8Array,
): boolean {
  let matched = 0;
  for (let at = start; at < end; at++) {
    if (isBlankOrFold(bytes[at] ?? 0)) continue;
    if (lower(bytes[at] ?? 0) !== text[matched]) return false;
    matched++;
  }
  return matched === text.length;
}

/** Bytes of a text in lower case, for {@link is}. */
export function word(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function startsWith(bytes: Uint8Array, start: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) {
    if (lower(bytes[start + i] ?? 0) !== text[i]) return false;
  }
  return true;
}

function scanStartLine(bytes: Uint8Array, end: number, into: Scan): boolean {
  if (!into.isResponse) {
    let methodEnd = 0;
    while (methodEnd < end && isNameByte(bytes[methodEnd] ?? 0)) methodEnd++;
    setSpan(into.method, 0, methodEnd);
    // RFC 3261 25.1: Request-Line = Method SP Request-URI SP SIP-Version CRLF.
    const versionAt = end - SP_SIP_2.length;
    const hasUri = versionAt > methodEnd + 1 && bytes[methodEnd] === SPACE;
    if (methodEnd === 0 || !hasUri || !startsWith(bytes, versionAt, SP_SIP_2)) return false;
    setSpan(into.requestUri, methodEnd + 1, versionAt);
    return !hasBlank(bytes, methodEnd + 1, versionAt);
  }
  // RFC 3261 25.1: Status-Line = SIP-Version SP 3DIGIT SP Reason-Phrase. Many peers
  // omit the SP before an empty reason.
  const code = decimal(bytes, 8, Math.min(11, end));
  const isCode = code >= 100 && code <= 699 && (end === 11 || bytes[11] === SPACE);
  if (!isCode || !startsWith(bytes, 0, SIP_2)) return false;
  into.status = code;
  return true;
}

/** Via = sent-protocol LWS sent-by *( SEMI via-params ), values separated by commas. */
function scanVia(bytes: Uint8Array, start: number, end: number, into: Scan): void {
  const isFirst = into.vias === 0;
  into.vias += 1 + countCommas(bytes, start, end);
  if (!isFirst) return;
  let at = start;
  for (let slashes = 0; at < end && slashes < 2; at++) if (bytes[at] === SLASH) slashes++;
  at = skipBlanks(bytes, at, end);
  while (at < end && !isBlankOrFold(bytes[at] ?? 0)) at++;
  at = skipBlanks(bytes, at, end);
  const sentByStart = at;
  while (at < end && bytes[at] !== SEMICOLON && bytes[at] !== COMMA) at++;
  setSpan(into.sentBy, sentByStart, trimEnd(bytes, sentByStart, at));
  while (at < end && bytes[at] === SEMICOLON) at = scanViaParam(bytes, at + 1, end, into);
}

function scanViaParam(bytes: Uint8Array, start: number, end: number, into: Scan): number {
  const nameStart = skipBlanks(bytes, start, end);
  let at = nameStart;
  while (at < end && isNameByte(bytes[at] ?? 0)) at++;
  const nameEnd = at;
  at = skipBlanks(bytes, at, end);
  const hasValue = bytes[at] === EQUALS && at < end;
  const valueStart = hasValue ? skipBlanks(bytes, at + 1, end) : at;
  at = endOfParam(bytes, valueStart, end);
  if (hasValue && into.branch.start < 0 && is(bytes, nameStart, nameEnd, BRANCH)) {
    setSpan(into.branch, valueStart, trimEnd(bytes, valueStart, at));
  }
  return at;
}

/** Offset of the next `;` or `,` outside quotes. */
function endOfParam(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const byte = bytes[at];
    if (byte === SEMICOLON || byte === COMMA) return at;
    if (byte === QUOTE) at = endOfQuoted(bytes, at, end);
  }
  return end;
}

function countCommas(bytes: Uint8Array, start: number, end: number): number {
  let commas = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === COMMA) commas++;
    else if (bytes[at] === QUOTE) at = endOfQuoted(bytes, at, end);
  }
  return commas;
}

/** Offset of the closing quote, or the end. */
function endOfQuoted(bytes: Uint8Array, quote: number, end: number): number {
  for (let at = quote + 1; at < end; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at;
  }
  return end;
}

/** CSeq = 1*DIGIT LWS Method (RFC 3261 20.16; the number is below 2^31, 8.1.1.5). */
function scanCseq(bytes: Uint8Array, start: number, end: number, into: Scan): boolean {
  let at = start;
  while (at < end && isDigit(bytes[at] ?? 0)) at++;
  const number = decimal(bytes, start, at);
  const methodStart = skipBlanks(bytes, at, end);
  const methodEnd = trimEnd(bytes, methodStart, end);
  if (number < 0 || number >= 2 ** 31 || methodStart === at || methodStart === methodEnd) {
    return false;
  }
  setSpan(into.cseqMethod, methodStart, methodEnd);
  return true;
}

/** The decimal number in the span; -1 when there is none or it has more than 10 digits. */
function decimal(bytes: Uint8Array, start: number, end: number): number {
  const last = trimEnd(bytes, start, end);
  if (last === start || last - start > 10) return -1;
  let number = 0;
  for (let at = start; at < last; at++) {
    const byte = bytes[at] ?? 0;
    if (!isDigit(byte)) return -1;
    number = number * 10 + (byte - 48);
  }
  return number;
}

function isSame(bytes: Uint8Array, a: Span, b: Span): boolean {
  const length = a.end - a.start;
  if (b.end - b.start !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[a.start + i] !== bytes[b.start + i]) return false;
  return true;
}

function hasBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (isBlank(bytes[at] ?? 0)) return true;
  return false;
}

function lower(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

function isBlank(byte: number): boolean {
  return byte === SPACE || byte === TAB;
}

/** Blank, or part of the line break of a folded line (RFC 3261 25.1, LWS). */
function isBlankOrFold(byte: number): boolean {
  return byte === SPACE || byte === TAB || byte === CR || byte === LF;
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlankOrFold(bytes[at] ?? 0)) at++;
  return at;
}

function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlankOrFold(bytes[at - 1] ?? 0)) at--;
  return at;
}

const NAME_BYTES = new Uint8Array(256);
for (const char of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  NAME_BYTES[char.charCodeAt(0)] = 1;
}

/** A byte of a token (RFC 3261 25.1). */
function isNameByte(byte: number): boolean {
  return NAME_BYTES[byte] === 1;
}

function span(): Span {
  return { start: -1, end: -1 };
}

function setSpan(into: Span, start: number, end: number): void {
  into.start = start;
  into.end = end;
}

function reset(into: Scan): void {
  into.ok = false;
  into.isResponse = false;
  into.isCutOff = false;
  into.status = 0;
  into.vias = 0;
  into.bodyAt = -1;
  setSpan(into.sentBy, -1, -1);
  setSpan(into.branch, -1, -1);
  setSpan(into.method, -1, -1);
  setSpan(into.requestUri, -1, -1);
  setSpan(into.cseqMethod, -1, -1);
  setSpan(into.server, -1, -1);
  setSpan(into.userAgent, -1, -1);
}
