/** The findings of a discovery source. */

/** A destination in the format of the configuration's `destinations`, and its place in the source. */
export interface FoundDestination {
  /** `file:line` or the like, for log lines. */
  readonly place: string;
  /** The owner; undefined for that of the source. */
  readonly owner: string | undefined;
  /** `uri`, `name`, `module`, `labels` and ping settings. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/**
 * `skipped`: the entry is not monitored. `adjusted`: it is used, but not as written. `duplicate`: it repeats
 * an earlier entry.
 */
export type RemarkKind = 'skipped' | 'adjusted' | 'duplicate';

/** A remark about an entry, for the operator of the source. */
export interface Remark {
  readonly kind: RemarkKind;
  readonly place: string;
  readonly reason: string;
}

export interface Findings {
  readonly found: readonly FoundDestination[];
  readonly remarks: readonly Remark[];
}

/** The result of reconciling the findings of a source. */
export interface Reconciled {
  /** Number of monitored destinations. */
  readonly destinations: number;
  readonly remarks: readonly Remark[];
  /** Label names in the metrics by the names in the source, where they differ. */
  readonly renamed: ReadonlyMap<string, string>;
}
