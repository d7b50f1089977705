/** Text from outside, for people to read: in logs, labels, metrics and descriptions. */

import { isUtf8 } from 'node:buffer';

/**
 * The text that the bytes are: UTF-8 where they are valid UTF-8, else ISO 8859-1, in which every
 * byte is a character. Nothing is lost either way.
 *
 * @param isCut the bytes are the beginning of a longer text: a character that is incomplete at the
 *   end is left out.
 */
export function decode(bytes: Uint8Array, isCut = false): string {
  const whole = isCut ? bytes.subarray(0, lastWholeCharacter(bytes)) : bytes;
  const text = Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength);
  return text.toString(isUtf8(whole) ? 'utf8' : 'latin1');
}

/**
 * A file that a user wrote, without its byte order mark.
 *
 * @throws Error when it is not UTF-8: a password or a name would become another one.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw new Error('bytes that are not UTF-8');
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}

/**
 * One line of at most `longest` UTF-16 code units, cut between characters: control and format
 * characters (which may reorder or hide what a terminal shows), line separators and unpaired
 * surrogates become question marks.
 */
export function printable(text: string, longest = Number.POSITIVE_INFINITY): string {
  return cut(text, longest).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}

/** As {@link printable}, of text that has lines (LF) and tabs, in full. */
export function printableLines(text: string): string {
  return text.replace(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu, '?');
}

function cut(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const last = text.charCodeAt(longest - 1);
  const isWithinPair = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isWithinPair ? longest - 1 : longest);
}

/** Where a UTF-8 sequence begins that the end of the bytes cuts off; their length if none does. */
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
