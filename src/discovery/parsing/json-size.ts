/** Estimates the size of a JSON text before it is parsed. */

import { SourceError } from '../source-error.js';

/** About thirty values per destination that can be monitored. Each needs up to 64 bytes of memory. */
const MAX_VALUES = 4_000_000;

const [QUOTE, BACKSLASH, COMMA, LIST, MAPPING] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * Rejects a text with more values than a list of destinations can have. A few megabytes of values need a
 * gigabyte when they are parsed, and `JSON.parse` cannot be interrupted.
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
