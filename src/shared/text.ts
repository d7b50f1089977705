/** Makes text from outside safe for logs, labels, metrics and JSON. */

import { isUtf8 } from 'node:buffer';

/**
 * Decodes valid UTF-8 as UTF-8, and other bytes as ISO 8859-1, in which every byte is a character. No
 * information is lost.
 *
 * @param isCut the bytes are the beginning of a longer text: an incomplete character at the end is
 *   omitted.
 */
export function decode(bytes: Uint8Array, isCut = false): string {
  const whole = isCut ? bytes.subarray(0, lastWholeCharacter(bytes)) : bytes;
  const text = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  return text.toString(isUtf8(whole) ? 'utf8' : 'latin1');
}

/**
 * Decodes a file of the user, without a byte order mark.
 *
 * @throws Error when it is not UTF-8: a password or a name would change.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Error('bytes that are not valid UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/**
 * One line with a maximum of `maxLength` UTF-16 code units, cut between characters. Control and format
 * characters (which can reorder or hide text in a terminal), line separators and unpaired surrogates
 * become question marks.
 */
export function printable(text: string, maxLength = Number.POSITIVE_INFINITY): string {
  return cut(text, maxLength).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** Like {@link printable}, but keeps line breaks (LF), tabs and the whole length. */
export function printableLines(text: string): string {
  return text.replace(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu, '?');
}

function cut(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.charCodeAt(maxLength - 1);
  const isWithinPair = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isWithinPair ? maxLength - 1 : maxLength);
}

/** The offset of an incomplete UTF-8 sequence at the end; the number of bytes without one. */
function lastWholeCharacter(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}
