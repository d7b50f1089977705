/** Names the destinations of a source by the parts that its setting `name_from` lists. */

import type { Origin } from '../config/source-settings.js';
import { isName, NAME_FORMAT, show } from '../platform/values.js';
import { type Parts, valuesOf } from './origins.js';

export interface Nameable extends Parts {
  /** The name that it has without `name_from`. Entries with one such name are one destination. */
  readonly ownName: string;
  /** Whether it keeps its own name. */
  readonly isNamed: boolean;
}

/** The use of a text as a name. */
interface Use {
  /** Index in `name_from` of the first part with this value; -1 for an own name. */
  readonly rank: number;
  /** The own name of the destination with this value; undefined when several have it. */
  readonly ownName: string | undefined;
}

const OWN = -1;

/**
 * The destination with a value gets it as its name if no other one has it in the same part or in a better
 * one, and if it is not the own name of another one. So names do not depend on the order of the entries.
 */
export class Naming {
  readonly #nameFrom: readonly Origin[];
  readonly #uses = new Map<string, Use>();

  constructor(nameFrom: readonly Origin[]) {
    this.#nameFrom = nameFrom;
  }

  /** Adds an entry. All are to be added before the first one is named. */
  add(entry: Nameable): void {
    this.#use(entry.ownName, OWN, entry.ownName);
    for (const [rank, origin] of this.#nameFrom.entries()) {
      for (const value of valuesOf(origin, entry)) this.#use(value, rank, entry.ownName);
    }
  }

  /**
   * The names that an entry may have, the best first; the last one is its own. No other destination of the
   * source may have any of them.
   *
   * @param report receives the reasons why better names are not used.
   */
  namesOf(entry: Nameable, report: (reason: string) => void): readonly [string, ...string[]] {
    const names: string[] = [];
    for (const origin of entry.isNamed ? [] : this.#nameFrom) {
      const values = valuesOf(origin, entry);
      const [value] = values;
      if (value === undefined) continue;
      const problem = this.#problemOf(values, entry.ownName);
      if (problem === undefined) names.push(value);
      else if (names.length === 0) report(`${origin.text}: ${problem}: not used as the name`);
    }
    const [best = entry.ownName, ...others] = names;
    return [best, ...others, entry.ownName];
  }

  #use(value: string, rank: number, ownName: string): void {
    const known = this.#uses.get(value);
    if (known === undefined || rank < known.rank) this.#uses.set(value, { rank, ownName });
    else if (rank === known.rank && known.ownName !== ownName) {
      this.#uses.set(value, { rank, ownName: undefined });
    }
  }

  /** Why these values of a part do not name a destination; undefined when they do. */
  #problemOf(values: readonly string[], ownName: string): string | undefined {
    const [value = ''] = values;
    if (values.length > 1) return `expected one value, got ${values.map(show).join(' and ')}`;
    if (!isName(value)) return `expected ${NAME_FORMAT}, got ${show(value)}`;
    const use = this.#uses.get(value);
    if (use === undefined || use.ownName === ownName) return undefined;
    return `expected a value of one destination only, got ${show(value)}, which another one has too`;
  }
}
