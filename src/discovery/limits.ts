/** Limits of one discovery source. */

import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import { SourceError } from './source-error.js';

/** Maximum number of entries, including invalid ones: more destinations cannot be monitored. */
export const MAX_ENTRIES = LEDGER_CAPACITY;
/** Maximum bytes of a file or of the response of a server. */
export const MAX_BYTES = 64 << 20;

export function tooManyEntries(place: string): SourceError {
  return new SourceError(`${place}: expected at most ${MAX_ENTRIES} entries, got more`);
}
