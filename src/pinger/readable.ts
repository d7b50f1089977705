/** Messages as text for people. */

import { masked } from './digest.js';

/** Text that no terminal takes for orders, without what would let others in. */
export function readable(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('utf8').replace(/\r\n/g, '\n');
  return masked(text.replace(/[^\P{C}\n\t]/gu, '?'));
}
