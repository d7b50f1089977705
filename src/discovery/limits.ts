/** How large one source of destinations may be. */

import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import { SourceError } from './source-error.js';

/** Entries of one source, including invalid ones: no more destinations can be watched. */
export const MAX_ENTRIES = LEDGER_CAPACITY;
/** Of a file, or of the response of a server. */
export const MAX_BYTES = 64 << 20;

export function tooManyEntries(place: string): SourceError {
  return new SourceError(`${place}: expected at most ${MAX_ENTRIES} entries, got more`);
}
