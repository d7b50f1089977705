/** What crosses between the main thread and the thread that parses. */

import type { FoundDestination, Skipped } from '../found.js';

/** The answer to the job, and then to each word that there may be more. */
export type FromParser =
  | { readonly type: 'refused'; readonly message: string }
  /** What was found is fetched in slices: a long list in one message would hold up its receiver. */
  | { readonly type: 'parsed'; readonly files: readonly string[] }
  | {
      readonly type: 'slice';
      readonly found: readonly FoundDestination[];
      readonly skipped: readonly Skipped[];
      readonly isLast: boolean;
    };

/** The main thread has taken what there was, and asks for the next slice. */
export type ToParser = { readonly type: 'next' };
