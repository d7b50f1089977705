/** The messages between the main thread and the parser thread. */

import type { FoundDestination, Listing, Remark } from '../found.js';
import type { Parsed } from './job.js';

/** The answer to the job, and then to each request for a slice. */
export type FromParser =
  | { readonly type: 'invalid'; readonly message: string }
  /** The findings follow in slices, because a long list in one message would block the main thread. */
  | { readonly type: 'parsed'; readonly rest: Omit<Parsed, 'found' | 'remarks' | 'listings'> }
  | {
      readonly type: 'slice';
      readonly found: readonly FoundDestination[];
      readonly remarks: readonly Remark[];
      readonly listings: readonly Listing[];
      readonly isLast: boolean;
    };

/** The main thread is ready for the next slice. */
export type ToParser = { readonly type: 'next' };
