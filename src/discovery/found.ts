/** What a source of destinations has found. */

/** A destination in the format of the configuration's `destinations`, and its place in the source. */
export interface FoundDestination {
  /** For people: `file:line` and the like. */
  readonly place: string;
  /** On whose behalf it is watched; undefined for the owner of its source. */
  readonly owner: string | undefined;
  /** `uri`, `name`, `module`, `labels`, and settings of pings. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/**
 * What happened to an entry: it is not watched; it is used, but not as it is written; or it repeats an
 * earlier one.
 */
export type RemarkKind = 'skipped' | 'adjusted' | 'duplicate';

/** Something that the operator of a source should know about one of its entries. */
export interface Remark {
  readonly kind: RemarkKind;
  readonly place: string;
  readonly reason: string;
}

export interface Findings {
  readonly found: readonly FoundDestination[];
  readonly remarks: readonly Remark[];
}

/** What the findings of a source led to. */
export interface Reconciled {
  /** Findings that are watched. */
  readonly destinations: number;
  readonly remarks: readonly Remark[];
  /** Labels that metrics have under another name, by the name in the source. */
  readonly renamed: ReadonlyMap<string, string>;
}
