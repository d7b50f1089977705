/** Groups the entries of dispatcher lists into destinations. */

import { UriError } from '../../shared/uri.js';
import type { FoundDestination } from '../found.js';
import { nameProblem } from '../names.js';
import type { Report } from '../remark.js';
import type { Attributes } from './attributes.js';
import { UnusableSocket } from './socket.js';
import { NO_DEFAULTS, type Target, TargetReader } from './target.js';

/** One destination of one set. */
export interface Entry {
  readonly setid: string;
  readonly uri: string;
  readonly attributes: Attributes;
  /** The attribute `description` unless `attributes` has one. */
  readonly description?: string;
}

/** All entries with one destination name. */
interface Group {
  readonly index: number;
  /** Place of the first entry. */
  readonly place: string;
  readonly target: Target;
  readonly setids: Set<string>;
  readonly attributes: Map<string, Set<string>>;
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
  constructor(
    isLocal: (address: string) => boolean,
    shown: readonly string[] = [],
    defaults = NO_DEFAULTS,
  ) {
    this.#reader = new TargetReader(isLocal, defaults);
    this.#shown = ['duid', ...shown];
  }

  get size(): number {
    return this.#groups.size;
  }

  /** Adds an entry. Returns the index of its destination; undefined when it is skipped. */
  add(
    { setid, uri, attributes, description = '' }: Entry,
    place: string,
    report: Report,
  ): number | undefined {
    const target = this.#targetOf(uri, attributes, report);
    if (target === undefined) return undefined;
    if (attributes.rest !== '') {
      const got = JSON.stringify(attributes.rest);
      report('adjusted', `expected attributes name=value;…, got ${got}: ignored`);
    }
    const group = this.#groupOf(target, place);
    if (setid !== '') group.setids.add(setid);
    for (const [name, value] of attributes.values) addTo(group.attributes, name, value);
    if (!attributes.values.has('description')) addTo(group.attributes, 'description', description);
    return group.index;
  }

  found(): readonly FoundDestination[] {
    return [...this.#groups.values()].map(({ place, target, setids, attributes }) => {
      const { uri, name, settings } = target;
      const shown = this.#shown.map((label) => [label, attributes.get(label)] as const);
      const labels = [['setid', setids] as const, ...shown].flatMap(([label, values]) =>
        values === undefined || values.size === 0 ? [] : [[label, [...values].join(',')]],
      );
      const ownName = name === uri ? {} : { name };
      const entry = { uri, ...ownName, labels: Object.fromEntries(labels), ...settings };
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
      ...{ setids: new Set(), attributes: new Map() },
    };
    this.#groups.set(target.name, group);
    return group;
  }
}

function addTo(attributes: Group['attributes'], name: string, value: string): void {
  if (value === '') return;
  const values = attributes.get(name);
  if (values === undefined) attributes.set(name, new Set([value]));
  else values.add(value);
}
