/** Decodes files in UTF-8, UTF-16 or ISO-8859-1. */

import { isUtf8 } from 'node:buffer';

export interface DecodedText {
  /** The text without a byte order mark. */
  readonly text: string;
  /** Lines, counted from 1, that are not UTF-8 and were read as ISO-8859-1. */
  readonly latin1Lines: ReadonlySet<number>;
}

const NO_LINES: ReadonlySet<number> = new Set();
const LINE_BREAK = 0x0a;

/** The reason of remarks about such lines. */
export const READ_AS_LATIN1 = 'the line is not UTF-8; it is read as ISO-8859-1';

/**
 * Decodes UTF-8, or UTF-16 after a byte order mark. Old files often have a few lines in ISO-8859-1 among
 * others in UTF-8, so each line is decoded separately.
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

/**
 * Decodes a kamailio.cfg. Kamailio works on bytes. A byte that is not UTF-8 becomes a character that URIs
 * cannot contain, so that it is reported and not mistaken for another character.
 */
export function decodeConfig(bytes: Buffer): string {
  const { text, latin1Lines } = decodeText(bytes);
  if (latin1Lines.size === 0) return text;
  const lines = text.split('\n').map((line, index) => {
    if (!latin1Lines.has(index + 1)) return line;
    return line.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(LONE + byte.charCodeAt(0)));
  });
  return lines.join('\n');
}

/** Replaces each character that represents a byte with `\xFC` or the like; undefined if there is none. */
export function withBytesShown(text: string): string | undefined {
  if (!/[\udc80-\udcff]/.test(text)) return undefined;
  return text.replace(/[\udc80-\udcff]/g, (byte) => {
    return `\\x${(byte.charCodeAt(0) - LONE).toString(16).toUpperCase()}`;
  });
}

/** Added to a byte, it makes a lone surrogate, which does not occur in UTF-8. */
const LONE = 0xdc00;

/** Wraps a text that is already decoded. */
export function decoded(text: string): DecodedText {
  return { text: text.replace(/^\ufeff/, ''), latin1Lines: NO_LINES };
}
