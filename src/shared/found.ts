/** What a source of destinations has found. */

/** A destination, in the words of the configuration's `destinations`, and where it stood. */
export interface Found {
  /** For people: `file:line` and the like. */
  readonly place: string;
  /** On whose behalf it is watched; undefined for that of its source. */
  readonly owner: string | undefined;
  /** `uri`, `name`, `module`, `labels`, and settings of pings. */
  readonly entry: Readonly<Record<string, unknown>>;
}

/** Something that was there and is not watched, or not as it says. */
export interface Skipped {
  readonly place: string;
  readonly reason: string;
}

export interface Findings {
  readonly found: readonly Found[];
  readonly skipped: readonly Skipped[];
}
