/** What a source of destinations has found. */

/** A destination, in the words of the configuration's `destinations`, and where it stood. */
export interface FoundDestination {
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
  readonly found: readonly FoundDestination[];
  readonly skipped: readonly Skipped[];
}

/** What became of the findings of a source. */
export interface Taken {
  /** How many of them are watched. */
  readonly destinations: number;
  /** What is not watched, or not as the source says. */
  readonly skipped: readonly Skipped[];
  /** Labels that metrics have under another name, by the name that the source gives them. */
  readonly renamed: ReadonlyMap<string, string>;
}
