/**
 * Cuts a byte stream into SIP messages (RFC 3261 18.3): headers up to the empty line, then as many
 * bytes as Content-Length says. Blank lines and NULs between messages are keep-alives (RFC 3261 7.5,
 * RFC 5626 4.4.1, PJSIP's CR LF NUL) and are skipped. Every byte is scanned once however the stream is
 * split, and the limits bound what is buffered.
 */

import { skipPadding } from '../sip/keepalives.js';
import {
  contentLengthProblem,
  headerLineProblem,
  PROBLEMS,
  tooLong,
} from '../sip/message-problems.js';
import { endOfLine, type Header, is, readHeader, word } from '../sip/scanner.js';

/** Maximum bytes of the start line, of the start line with the headers, and of the body. */
const MAX_LINE_LENGTH = 2048;
export const MAX_HEAD_LENGTH = 16 * 1024;
export const MAX_BODY_LENGTH = 64 * 1024;

/** A buffer of more bytes is released once its message is complete. */
const MAX_KEPT_BUFFER = 4 * 1024;
const NOTHING = Buffer.alloc(0);

const CR = 13;
const LF = 10;
/** RFC 5626 4.4.1: the keep-alive ping of a peer over a stream, and the pong that answers it. */
const PING = [CR, LF, CR, LF];
export const PONG = Buffer.from('\r\n', 'latin1');
const CONTENT_LENGTH = [word('content-length'), word('l')];

/** The stream is not SIP or cannot be split into messages. The rest of it cannot be parsed. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

export class Framer {
  readonly #onMessage: (message: Uint8Array) => void;
  readonly #onPing: () => void;
  #buffer = NOTHING;
  /** Number of bytes of `#buffer` that are in use. */
  #used = 0;
  /** Number of bytes already searched for the end of the headers. */
  #searched = 0;
  #isLineChecked = false;
  /** Length of the message whose headers are complete; 0 until then. */
  #length = 0;
  /** Number of bytes of a keep-alive ping received so far. */
  #pingBytes = 0;

  /**
   * @param onMessage may keep the bytes.
   * @param onPing the peer expects a pong (RFC 5626 4.4.1).
   */
  constructor(onMessage: (message: Uint8Array) => void, onPing: () => void = () => {}) {
    this.#onMessage = onMessage;
    this.#onPing = onPing;
  }

  /** A message has been received in part. */
  get isWithinMessage(): boolean {
    return this.#used > 0;
  }

  /** Parses a chunk. @throws FramingError, after which the stream is unusable. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#used > 0) {
        at = this.#append(chunk, at);
        continue;
      }
      const start = skipPadding(chunk, at);
      if (start > at) this.#takePings(chunk.subarray(at, start));
      if (start === chunk.length) return;
      this.#pingBytes = 0;
      // A chunk usually is one whole message, which is copied only once.
      const next = this.#takeWhole(chunk, start);
      at = next > start ? next : this.#append(chunk, start);
    }
  }

  #takePings(padding: Uint8Array): void {
    for (const byte of padding) {
      if (byte === PING[this.#pingBytes]) this.#pingBytes++;
      else this.#pingBytes = byte === CR ? 1 : 0;
      if (this.#pingBytes < PING.length) continue;
      this.#pingBytes = 0;
      this.#onPing();
    }
  }

  /** Takes a message that the chunk holds completely; returns where the next one begins. */
  #takeWhole(chunk: Uint8Array, at: number): number {
    const rest = chunk.subarray(at, at + MAX_HEAD_LENGTH + MAX_BODY_LENGTH);
    const headEnd = indexOfHeadEnd(rest, 0, rest.length);
    if (headEnd < 0) return at;
    const length = messageLength(rest.subarray(0, headEnd));
    if (length > rest.length) return at;
    this.#onMessage(Buffer.from(rest.subarray(0, length)));
    return at + length;
  }

  /** Appends to the message in progress; returns where its part of the chunk ends. */
  #append(chunk: Uint8Array, at: number): number {
    const missing = this.#length > 0 ? this.#length - this.#used : chunk.length;
    const end = Math.min(chunk.length, at + missing);
    const before = this.#used;
    this.#keep(chunk.subarray(at, end));
    if (this.#length === 0) {
      this.#isLineChecked ||= hasSipLine(this.#buffer.subarray(0, this.#used));
      const headEnd = indexOfHeadEnd(this.#buffer, this.#searched, this.#used);
      this.#searched = Math.max(this.#used - 3, 0);
      if (headEnd < 0) {
        if (this.#used > MAX_HEAD_LENGTH) throw headersTooLong();
        return end;
      }
      this.#length = messageLength(this.#buffer.subarray(0, headEnd));
    }
    if (this.#used < this.#length) return end;
    const length = this.#length;
    const message = Buffer.from(this.#buffer.subarray(0, length));
    if (this.#buffer.length > MAX_KEPT_BUFFER) this.#buffer = NOTHING;
    this.#used = 0;
    this.#searched = 0;
    this.#isLineChecked = false;
    this.#length = 0;
    this.#onMessage(message);
    return at + length - before;
  }

  #keep(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#buffer.length) {
      const capacity = Math.max(needed, 2 * this.#buffer.length, 1024);
      const grown = Buffer.alloc(this.#length > 0 ? this.#length : capacity);
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used = needed;
  }
}

function headersTooLong(): FramingError {
  return new FramingError(tooLong('headers', MAX_HEAD_LENGTH));
}

/**
 * Whether the first line is complete.
 *
 * @throws FramingError when its bytes so far are not the start of a SIP message (RFC 3261 7.1, 7.2).
 */
function hasSipLine(bytes: Uint8Array): boolean {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, MAX_LINE_LENGTH));
  const end = line.indexOf(LF);
  const isWhole = end >= 0;
  const text = line.toString('latin1', 0, isWhole ? end + 1 : line.length);
  const isSip = isWhole
    ? /^(?:SIP\/\S+ [^\0\r\n]*|[A-Za-z0-9\-.!%*_+`'~]+ [^\0\r\n]* SIP\/\S+)\r\n$/i.test(text)
    : line.length < MAX_LINE_LENGTH && /^[A-Za-z0-9\-.!%*_+`'~]+(?:[ /]|$)/.test(text);
  if (isWhole && /^SIP\/\S+ [^\0\r\n]*\n$/i.test(text)) {
    throw new FramingError(PROBLEMS.lineFeed);
  }
  if (!isSip) throw new FramingError(PROBLEMS.firstLine);
  return isWhole;
}

/** The index after the empty line that ends the headers; -1 without one. */
function indexOfHeadEnd(bytes: Uint8Array, from: number, end: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  const at = text.indexOf('\r\n\r\n', from, 'latin1');
  return at < 0 ? -1 : at + 4;
}

/** Length of the whole message that begins with these headers, in bytes. @throws FramingError */
function messageLength(head: Uint8Array): number {
  if (head.length > MAX_HEAD_LENGTH) throw headersTooLong();
  hasSipLine(head);
  const lengths: string[] = [];
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  let at = endOfLine(head, 0) + 2;
  while (at < head.length - 2) {
    if (!readHeader(head, at, header)) throw new FramingError(headerLineProblem(head, at));
    const { nameEnd, valueStart, end } = header;
    const lineAt = at;
    if (CONTENT_LENGTH.some((name) => is(head, lineAt, nameEnd, name))) {
      lengths.push(Buffer.from(head.subarray(valueStart, end)).toString('latin1').trim());
    }
    at = end + 2;
  }
  const problem = lengths.length === 0 ? PROBLEMS.noContentLength : contentLengthProblem(lengths);
  if (problem !== undefined) throw new FramingError(problem);
  const bodyLength = Number(lengths[0]);
  if (bodyLength > MAX_BODY_LENGTH) throw new FramingError(tooLong('body', MAX_BODY_LENGTH));
  return head.length + bodyLength;
}
