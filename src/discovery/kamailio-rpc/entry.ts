import type { Entry } from '../dispatcher/destinations.js';
import type { Listing } from '../found.js';

/** One destination of a list. */
export interface ListedEntry extends Entry {
  /** Empty if there is none. */
  readonly duid: string;
  readonly use: Use;
}

/** How Kamailio uses a destination. */
export type Use =
  | {
      readonly kind: 'known';
      readonly module: Listing['module'];
      readonly listed: Pick<Listing, 'state' | 'isProbed' | 'isRegistered'>;
      /** Why it is not monitored; undefined if it is. */
      readonly skipped?: string;
    }
  /** The list should have said it, but does not. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** The list never says it. */
  | { readonly kind: 'unlisted' };
