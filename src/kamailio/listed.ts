/** The destinations of one list of a Kamailio, compared with the verdicts. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { Listing } from '../discovery/found.js';
import { disagreementOf, type ListedState } from '../shared/kamailio.js';
import type { State } from '../shared/state.js';
import type { Disagreement } from '../status/beliefs.js';

/** Number of destinations that are compared before other work may run. */
const BATCH = 100;

/** One destination of a list. */
export interface Entry {
  readonly listing: Listing;
  /** The name under which it is monitored; undefined if it is not. */
  readonly name: string | undefined;
  /** As listed, or as set since. */
  state: ListedState;
  disagreement: Disagreement | undefined;
}

export interface ListedOptions {
  /** The verdict about a destination. */
  readonly verdict: (name: string) => State;
  /** The name of the only monitored destination with a URI, as listed; undefined if there is none. */
  readonly nameOf: (uri: string) => string | undefined;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export class Listed {
  /** When the list was read: wall clock, milliseconds. */
  readonly readAtMs: number;
  readonly entries: Entry[] = [];
  readonly #options: ListedOptions;
  readonly #byName = new Map<string, Entry[]>();

  constructor(options: ListedOptions) {
    this.#options = options;
    this.readAtMs = options.now();
  }

  /**
   * Adds all destinations of a list. A disagreement that the previous list had too goes on.
   *
   * @param names those under which destinations are monitored, by their indexes.
   */
  async add(
    listings: readonly Listing[],
    names: readonly (string | undefined)[],
    previous: Listed | undefined,
  ): Promise<void> {
    for (const [i, listing] of listings.entries()) {
      if (i % BATCH === BATCH - 1) await nextRound();
      const name = this.#nameOf(listing, names);
      const { state } = listing;
      const entry: Entry = { listing, name, state, disagreement: previous?.like(listing, name) };
      this.entries.push(entry);
      if (name === undefined) continue;
      const others = this.#byName.get(name);
      if (others === undefined) this.#byName.set(name, [entry]);
      else others.push(entry);
      this.#compare(entry, this.#options.verdict(name));
    }
  }

  /** The names of the monitored destinations. */
  names(): Iterable<string> {
    return this.#byName.keys();
  }

  named(name: string): readonly Entry[] {
    return this.#byName.get(name) ?? [];
  }

  /** Compares a destination with its verdict. Returns whether they now disagree, and did not so before. */
  compare(name: string): boolean {
    const entries = this.named(name);
    if (entries.length === 0) return false;
    const verdict = this.#options.verdict(name);
    return entries.filter((entry) => this.#compare(entry, verdict)).length > 0;
  }

  /** Records that Kamailio has accepted a state. */
  set(entry: Entry, state: ListedState): void {
    entry.state = state;
    if (entry.name !== undefined) this.#compare(entry, this.#options.verdict(entry.name));
  }

  /** One that an operator has disabled here may be monitored for another Kamailio. */
  #nameOf({ found, state, uri }: Listing, names: readonly (string | undefined)[]) {
    if (found !== undefined) return names[found];
    return state === 'disabled' ? this.#options.nameOf(uri) : undefined;
  }

  #compare(entry: Entry, verdict: State): boolean {
    if (entry.listing.module !== 'dispatcher') return false;
    const kind = disagreementOf(entry.state, verdict);
    const before = entry.disagreement;
    if (kind === before?.kind) return false;
    entry.disagreement = kind === undefined ? undefined : { kind, sinceMs: this.#options.now() };
    return kind !== undefined;
  }

  /** The disagreement about the same destination of the same set. */
  like({ setid, uri, duid }: Listing, name: string | undefined): Disagreement | undefined {
    if (name === undefined) return undefined;
    return this.named(name).find(
      ({ listing }) => listing.setid === setid && listing.uri === uri && listing.duid === duid,
    )?.disagreement;
  }
}
