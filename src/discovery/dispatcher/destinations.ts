/** Groups the entries of dispatcher lists into destinations. */

import { UriError } from '../../shared/uri.js';
import type { FoundDestination } from '../found.js';
import { nameProblem } from '../names.js';
import type { Report } from '../remark.js';
import type { Attributes } from './attributes.js';
import { UnusableSocket } from './socket.js';
import { type Target, TargetReader } from './target.js';

/** One destination of one set. */
export interface Entry {
  readonly setid: string;
  readonly uri: string;
  readonly attributes: Attributes;
}

/** All entries with one destination name. */
interface Group {
  readonly index: number;
  /** Place of the first entry. */
  readonly place: string;
  readonly target: Target;
  /** The attributes of all entries; an earlier entry overrides later ones. */
  readonly attributes: Map<string, string>;
  /** The different values of each label. */
  readonly labels: Map<string, Set<string>>;
}

/**
 * A URI in several sets is one destination, unless it is pinged from different addresses, through different
 * proxies or with different From headers.
 */
export class Destinations {
  readonly #reader: TargetReader;
  readonly #shown: readonly string[];
  readonly #groups = new Map<string, Group>();

  /**
   * @param isLocal whether pings can be sent from an IP address (IPv6 without brackets).
   * @param shown names of attributes that become labels, besides `duid`.
   */
  constructor(isLocal: (address: string) => boolean, shown: readonly string[] = []) {
    this.#reader = new TargetReader(isLocal);
    this.#shown = ['duid', ...shown];
  }

  get size(): number {
    return this.#groups.size;
  }

  /** Adds an entry. Returns the index of its destination; undefined when it is skipped. */
  add({ setid, uri, attributes }: Entry, place: string, report: Report): number | undefined {
    const target = this.#targetOf(uri, attributes, report);
    if (target === undefined) return undefined;
    if (attributes.rest !== '') {
      const got = JSON.stringify(attributes.rest);
      report('adjusted', `expected attributes name=value;…, got ${got}: ignored`);
    }
    const group = this.#groupOf(target, place);
    addTo(group.labels, 'setid', setid);
    for (const name of this.#shown) addTo(group.labels, name, attributes.values.get(name) ?? '');
    for (const [name, value] of attributes.values) {
      if (!group.attributes.has(name)) group.attributes.set(name, value);
    }
    return group.index;
  }

  found(): readonly FoundDestination[] {
    return [...this.#groups.values()].map(({ place, target, attributes, labels }) => {
      const { uri, name, settings } = target;
      const joined = [...labels].map(([label, values]) => [label, [...values].join(',')]);
      const ownName = name === uri ? {} : { name };
      const entry = { uri, ...ownName, labels: Object.fromEntries(joined), ...settings };
      return { place, owner: undefined, entry, attributes };
    });
  }

  #targetOf(uri: string, attributes: Attributes, report: Report): Target | undefined {
    try {
      const target = this.#reader.read(uri, attributes, (reason) => report('adjusted', reason));
      const problem = nameProblem(target.name);
      if (problem === undefined) return target;
      report('skipped', problem);
    } catch (error) {
      if (!(error instanceof UriError || error instanceof UnusableSocket)) throw error;
      report('skipped', error.message);
    }
    return undefined;
  }

  #groupOf(target: Target, place: string): Group {
    const known = this.#groups.get(target.name);
    if (known !== undefined) return known;
    const group: Group = {
      ...{ index: this.#groups.size, place, target },
      ...{ attributes: new Map(), labels: new Map() },
    };
    this.#groups.set(target.name, group);
    return group;
  }
}

function addTo(labels: Group['labels'], name: string, value: string): void {
  if (value === '') return;
  const values = labels.get(name);
  if (values === undefined) labels.set(name, new Set([value]));
  else values.add(value);
}
