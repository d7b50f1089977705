/** Reads one destination of `keepalive.list`. */

import type { ListedEntry } from './entry.js';
import { fieldOf, type Located } from './fields.js';

const NONE = { values: new Map(), rest: '' };

/** Reads `{uri, owner, state, …}`. */
export function readKeepaliveEntry({ fields }: Located): ListedEntry {
  const uri = String(fieldOf(fields, 'uri'));
  return { setid: '', uri, attributes: NONE, duid: '', use: { kind: 'unlisted' } };
}
