/** Reads header values of a message. */

import { endOfLine, type Header, is, readHeader } from './scanner.js';

/**
 * The values of the headers with one of these names (in lower case), in order; folded lines stay
 * folded. Values are binary strings, one character per byte (`latin1`), so that they can be copied
 * unchanged in any encoding.
 */
export function headerValues(message: Uint8Array, names: readonly Uint8Array[]): string[] {
  const values: string[] = [];
  const text = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const header: Header = { nameEnd: 0, valueStart: 0, end: 0 };
  let at = endOfLine(message, 0) + 2;
  while (at > 1 && readHeader(message, at, header)) {
    const { nameEnd, valueStart, end } = header;
    const nameAt = at;
    if (names.some((name) => is(message, nameAt, nameEnd, name))) {
      values.push(text.toString('latin1', valueStart, end));
    }
    at = end + 2;
  }
  return values;
}
