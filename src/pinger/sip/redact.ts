import { decode, printableLines } from '../../shared/text.js';
import { masked } from './digest.js';

/**
 * A message as text that is safe to display: no control characters, no digest response.
 *
 * @param isCut the bytes are the beginning of a longer message.
 */
export function redacted(bytes: Uint8Array, isCut = false): string {
  return masked(printableLines(decode(bytes, isCut).replace(/\r\n/g, '\n')));
}
