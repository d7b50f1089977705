/** Header values of a message, for the few messages that are looked into. */

import { endOfLine, type Header, is, readHeader } from './scanner.js';

/**
 * The values of the headers that have one of these names (in lower case), in their order; folded
 * lines stay folded. They are binary strings, a character for each byte (Node's `latin1`), so that
 * they can be handed on byte for byte whatever their encoding is.
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
