/** Names the destinations of a source by the parts that its setting `name_from` lists. */

import type { Origin } from '../config/source-settings.js';
import { isName, NAME_FORMAT, show } from '../platform/values.js';
import { type Parts, valuesOf } from './origins.js';

export interface Nameable {
  /** The name that it has without `name_from`. Entries with one such name are one destination. */
  readonly ownName: string;
  /** Whether it keeps its own name. */
  readonly isNamed: boolean;
  /** The different values of each part that `name_from` lists. */
  readonly candidates: readonly (readonly string[])[];
}

/** The values of each part that may name a destination. */
export function candidatesOf(nameFrom: readonly Origin[], parts: Parts): Nameable['candidates'] {
  return nameFrom.map((origin) => valuesOf(origin, parts));
}

/**
 * The destination with a value gets it as its name if no other one has it in the same part or in a better
 * one, and if it is not the own name of another one. So names do not depend on the order of the entries.
 */
export class Naming {
  readonly #nameFrom: readonly Origin[];
  readonly #ownNames = new Set<string>();
  /** For each part the own names of the destinations by value; undefined when several have it. */
  readonly #uses: readonly Map<string, string | undefined>[];

  constructor(nameFrom: readonly Origin[]) {
    this.#nameFrom = nameFrom;
    this.#uses = nameFrom.map(() => new Map());
  }

  /** Adds an entry. All are to be added before the first one is named. */
  add({ ownName, candidates }: Nameable): void {
    this.#ownNames.add(ownName);
    for (const [rank, uses] of this.#uses.entries()) {
      for (const value of candidates[rank] ?? []) {
        const isOther = uses.has(value) && uses.get(value) !== ownName;
        uses.set(value, isOther ? undefined : ownName);
      }
    }
  }

  /**
   * The names that an entry may have, the best first; the last one is its own. No other destination of the
   * source may have any of them.
   *
   * @param report receives the reasons why better names are not used.
   */
  namesOf(
    { ownName, isNamed, candidates }: Nameable,
    report: (reason: string) => void,
  ): readonly [string, ...string[]] {
    const names: string[] = [];
    for (const [rank, { text }] of isNamed ? [] : this.#nameFrom.entries()) {
      const values = candidates[rank] ?? [];
      const [value] = values;
      if (value === undefined) continue;
      const problem = this.#problemOf(values, rank, ownName);
      if (problem === undefined) names.push(value);
      else if (names.length === 0) report(`${text}: ${problem}: not used as the name`);
    }
    const [best = ownName, ...others] = names;
    return [best, ...others, ownName];
  }

  /** Why these values of a part do not name a destination; undefined when they do. */
  #problemOf(values: readonly string[], rank: number, ownName: string): string | undefined {
    const [value = ''] = values;
    if (values.length > 1) return `expected one value, got ${values.map(show).join(' and ')}`;
    if (!isName(value)) return `expected ${NAME_FORMAT}, got ${show(value)}`;
    const isOthers =
      (this.#ownNames.has(value) && value !== ownName) ||
      this.#uses.some((uses, i) => i <= rank && uses.has(value) && uses.get(value) !== ownName);
    if (!isOthers) return undefined;
    return `expected a value of one destination only, got ${show(value)}, which another one has too`;
  }
}
