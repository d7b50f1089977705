/**
 * Cuts a byte stream into SIP messages (RFC 3261 18.3): headers up to the empty line, then as many
 * bytes as Content-Length says. Blank lines and NULs between messages are keep-alives (RFC 3261 7.5,
 * RFC 5626 4.4.1, PJSIP's CR LF NUL) and are skipped. Every byte is scanned once however the stream is
 * split, and the limits bound what is buffered.
 */

import { skipPadding } from '../sip/keepalives.js';
import { endOfLine, type Header, is, readHeader, word } from '../sip/scanner.js';

/** The longest start line, the longest start line and headers, and the longest body, in bytes. */
const MAX_LINE_LENGTH = 2048;
export const MAX_HEAD_LENGTH = 16 * 1024;
export const MAX_BODY_LENGTH = 64 * 1024;

/** A larger buffer is released once its message is complete. */
const MAX_HELD = 4 * 1024;
const NOTHING = Buffer.alloc(0);

const CR = 13;
const LF = 10;
/** RFC 5626 4.4.1: the ping of a peer over a stream; a pong answers it. */
const PING = [CR, LF, CR, LF];
export const PONG = Buffer.from('\r\n', 'latin1');
const CONTENT_LENGTH = [word('content-length'), word('l')];

/** The stream is not SIP or cannot be split into messages: what follows cannot be parsed. */
export class FramingError extends Error {
  override readonly name = 'FramingError';
}

export class Framer {
  readonly #onMessage: (message: Uint8Array) => void;
  readonly #onPing: () => void;
  #buffer = NOTHING;
  /** The bytes of `#buffer` that are in use. */
  #used = 0;
  /** Searched so far for the end of the headers. */
  #searched = 0;
  #isLineChecked = false;
  /** Length of the message whose headers are complete; 0 until then. */
  #length = 0;
  /** Bytes of a ping received so far. */
  #pinged = 0;

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
      this.#pinged = 0;
      // A chunk usually is a whole message, which needs one copy only.
      const next = this.#takeWhole(chunk, start);
      at = next > start ? next : this.#append(chunk, start);
    }
  }

  #takePings(padding: Uint8Array): void {
    for (const byte of padding) {
      if (byte === PING[this.#pinged]) this.#pinged++;
      else this.#pinged = byte === CR ? 1 : 0;
      if (this.#pinged < PING.length) continue;
      this.#pinged = 0;
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
    const wanted = this.#length > 0 ? this.#length - this.#used : chunk.length;
    const end = Math.min(chunk.length, at + wanted);
    const before = this.#used;
    this.#keep(chunk.subarray(at, end));
    if (this.#length === 0) {
      this.#isLineChecked ||= hasSipLine(this.#buffer.subarray(0, this.#used));
      const headEnd = indexOfHeadEnd(this.#buffer, this.#searched, this.#used);
      this.#searched = Math.max(this.#used - 3, 0);
      if (headEnd < 0) {
        if (this.#used > MAX_HEAD_LENGTH) throw tooLong();
        return end;
      }
      this.#length = messageLength(this.#buffer.subarray(0, headEnd));
    }
    if (this.#used < this.#length) return end;
    const length = this.#length;
    const message = Buffer.from(this.#buffer.subarray(0, length));
    if (this.#buffer.length > MAX_HELD) this.#buffer = NOTHING;
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
      const roomy = Math.max(needed, 2 * this.#buffer.length, 1024);
      const grown = Buffer.alloc(this.#length > 0 ? this.#length : roomy);
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
    }
    this.#buffer.set(bytes, this.#used);
    this.#used = needed;
  }
}

function tooLong(): FramingError {
  return new FramingError(`headers of more than ${MAX_HEAD_LENGTH} bytes`);
}

/**
 * Whether the first line is complete; its first bytes show whether it can be SIP (RFC 3261 7.1, 7.2).
 *
 * @throws FramingError when it cannot.
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
    throw new FramingError('a first line that ends in LF alone, not in CR LF');
  }
  if (!isSip) throw new FramingError('a first line that is not SIP');
  return isWhole;
}

/** The index after the empty line that ends the headers; -1 without one. */
function indexOfHeadEnd(bytes: Uint8Array, from: number, end: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, end);
  const at = text.indexOf('\r\n\r\n', from, 'latin1');
  return at < 0 ? -1 : at + 4;
}

/** Bytes of the whole message with this head. @throws FramingError */
function messageLength(head: Uint8Array): number {
  if (head.length > MAX_HEAD_LENGTH) throw tooLong();
  hasSipLine(head);
  let length = -1;
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  let at = endOfLine(head, 0) + 2;
  while (at < head.length - 2) {
    if (!readHeader(head, at, header)) throw new FramingError('a line that is not a header');
    const { nameEnd, valueStart, end } = header;
    const lineAt = at;
    if (CONTENT_LENGTH.some((name) => is(head, lineAt, nameEnd, name))) {
      const value = Buffer.from(head.subarray(valueStart, end)).toString('latin1').trim();
      const given = /^\d{1,10}$/.test(value) ? Number(value) : -1;
      if (given < 0) throw new FramingError('a Content-Length that is not a number');
      if (length >= 0 && given !== length) throw new FramingError('two different Content-Lengths');
      length = given;
    }
    at = end + 2;
  }
  if (length < 0)
    throw new FramingError('no Content-Length, which streams require (RFC 3261 18.3)');
  if (length > MAX_BODY_LENGTH)
    throw new FramingError(`a body of more than ${MAX_BODY_LENGTH} bytes`);
  return head.length + length;
}
