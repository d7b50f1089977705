/** How much a JSON text comes to, before it is parsed. */

import { SourceError } from '../source-error.js';

/** Some thirty for each destination that can be watched; each is up to 64 bytes of memory. */
const MAX_VALUES = 4_000_000;

const [QUOTE, BACKSLASH, COMMA, LIST, MAPPING] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * Refuses a text of more values than any list of destinations can have: parsed, a few megabytes
 * of them take a gigabyte, and nothing can stop `JSON.parse` on its way there.
 *
 * @throws SourceError
 */
export function checkJsonSize(bytes: Uint8Array, place: string): void {
  let values = 0;
  let isInString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (isInString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === COMMA || byte === LIST || byte === MAPPING) values++;
  }
  if (values <= MAX_VALUES) return;
  throw new SourceError(`${place}: expected at most ${MAX_VALUES} values in the JSON, got more`);
}
