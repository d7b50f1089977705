/** The findings of a discovery source. */

import type { ListedDestination } from '../shared/kamailio.js';

/** A destination in the format of the configuration's `destinations`, and its place in the source. */
export interface FoundDestination {
  /** `file:line` or the like, for log lines. */
  readonly place: string;
  /** The owner; undefined for that of the source. */
  readonly owner: string | undefined;
  /** `uri`, `name`, `module`, `labels` and ping settings. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** Attributes in the source that names and modules may come from. */
  readonly attributes?: AttributesFound;
}

/**
 * The attributes of all entries of the source for one destination: their different values, by name in lower
 * case. `description` may also be the comment of an entry.
 */
export type AttributesFound = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * `skipped`: the entry is not monitored. `adjusted`: it is used, but not as written. `duplicate`: it repeats
 * an earlier entry. `empty`: the source has no entry at all.
 */
export type RemarkKind = 'skipped' | 'adjusted' | 'duplicate' | 'empty';

/** A remark about an entry, for the operator of the source. */
export interface Remark {
  readonly kind: RemarkKind;
  readonly place: string;
  readonly reason: string;
}

/** A destination as a running Kamailio lists it. */
export interface Listing extends ListedDestination {
  /** Index in `found`; undefined when it is not monitored: disabled, not to be pinged, or unreadable. */
  readonly found: number | undefined;
  /** Only for `uac`: whether the registration is in place. */
  readonly isRegistered?: boolean;
}

export interface Findings {
  readonly found: readonly FoundDestination[];
  readonly remarks: readonly Remark[];
  /** The lists of a running Kamailio that could be read this time; other sources have none. */
  readonly listings?: readonly Listing[];
  /** The modules whose lists are in `listings`. */
  readonly listedModules?: readonly Listing['module'][];
}

/** The result of reconciling the findings of a source. */
export interface Reconciled {
  /** Number of monitored destinations. */
  readonly destinations: number;
  readonly remarks: readonly Remark[];
  /** Label names in the metrics by the names in the source, where they differ. */
  readonly renamed: ReadonlyMap<string, string>;
  /** The destinations whose names have changed since the last time. */
  readonly renamedDestinations: readonly { readonly from: string; readonly to: string }[];
  /** The names of the monitored destinations, by index in `found`; undefined for those of other shards too. */
  readonly names: readonly (string | undefined)[];
}
