/** Texts of files, in whichever encoding they are. */

import { isUtf8 } from 'node:buffer';

export interface DecodedText {
  /** Without the byte order mark. */
  readonly text: string;
  /** Lines, counted from 1, that are not UTF-8: each of their bytes is a character (ISO-8859-1). */
  readonly latin1Lines: ReadonlySet<number>;
}

const NO_LINES: ReadonlySet<number> = new Set();
const LINE_BREAK = 0x0a;

/**
 * What a file says: UTF-8, or UTF-16 where a byte order mark says so. Old files often have a line or
 * two in ISO-8859-1 among others in UTF-8, so each line that is no UTF-8 is read so by itself.
 */
export function decodeText(bytes: Buffer): DecodedText {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return utf16(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) {
    return utf16(Buffer.from(bytes.subarray(0, bytes.length & ~1)).swap16());
  }
  const body = bytes.subarray(0, 3).equals(UTF8_MARK) ? bytes.subarray(3) : bytes;
  if (isUtf8(body)) return { text: body.toString('utf8'), latin1Lines: NO_LINES };
  return lineByLine(body);
}

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

function utf16(bytes: Buffer): DecodedText {
  return { text: bytes.toString('utf16le').slice(1), latin1Lines: NO_LINES };
}

function lineByLine(bytes: Buffer): DecodedText {
  const parts: string[] = [];
  const latin1Lines = new Set<number>();
  for (let from = 0, line = 1; from < bytes.length; line++) {
    const end = bytes.indexOf(LINE_BREAK, from);
    const next = end < 0 ? bytes.length : end + 1;
    const piece = bytes.subarray(from, next);
    if (isUtf8(piece)) parts.push(piece.toString('utf8'));
    else {
      parts.push(piece.toString('latin1'));
      latin1Lines.add(line);
    }
    from = next;
  }
  return { text: parts.join(''), latin1Lines };
}

/** A text that was not read from a file here, without a byte order mark. */
export function decoded(text: string): DecodedText {
  return { text: text.replace(/^\ufeff/, ''), latin1Lines: NO_LINES };
}
