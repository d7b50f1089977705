/** Messages as text for people. */

import { decode, printableLines } from '../../shared/text.js';
import { masked } from './digest.js';

/**
 * Text that no terminal takes for orders, without what would let others in.
 *
 * @param isCut the bytes are the beginning of a longer message.
 */
export function redacted(bytes: Uint8Array, isCut = false): string {
  return masked(printableLines(decode(bytes, isCut).replace(/\r\n/g, '\n')));
}
