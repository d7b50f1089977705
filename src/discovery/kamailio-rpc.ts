/** Reads the lists of a running Kamailio by JSON-RPC. */

import type { KamailioList, SourceSettings } from '../config/source-settings.js';
import type { Requester } from '../platform/http.js';
import type { FoundDestination, Listing, Remark } from './found.js';
import { type ListFindings, ListReader } from './kamailio-rpc/list-reader.js';
import type { Parser } from './parsing/parser.js';
import type { Reader, ReadResult } from './reader.js';

/** A destination in several lists is as the first of these lists has it. */
const LISTS_IN_ORDER: readonly KamailioList[] = ['dispatcher', 'uac', 'keepalive'];

/** The modules that say in which state a destination is. */
const LISTED_MODULES = ['dispatcher', 'uac'] as const;

export interface KamailioRpcOptions {
  readonly settings: Extract<SourceSettings, { kind: 'kamailio_rpc' }>;
  readonly request: Requester;
  readonly parser: Parser;
}

/** The destinations of all lists. */
interface Merged {
  readonly lists: readonly ListFindings[];
  readonly found: readonly FoundDestination[];
  readonly remarks: readonly Remark[];
  /** For each list, the indexes of its destinations in `found`; empty for a single list. */
  readonly indexes: readonly (readonly number[])[];
}

export class KamailioRpc implements Reader {
  readonly #readers: readonly ListReader[];
  #merged: Merged = { lists: [], found: [], remarks: [], indexes: [] };

  constructor({ settings, request, parser }: KamailioRpcOptions) {
    const { http, attributes, lists } = settings;
    this.#readers = LISTS_IN_ORDER.filter((list) => lists[list]).map(
      (list) => new ListReader({ list, http, attributes, request, parser }),
    );
  }

  stamp(): undefined {
    return undefined;
  }

  /** Returns new listings each time; `found` and `remarks` are the same objects until they change. */
  async read(signal: AbortSignal): Promise<ReadResult> {
    const problems = await Promise.all(this.#readers.map((reader) => reader.read(signal)));
    const lists = this.#readers.map(({ findings }) => findings);
    if (!isSame(lists, this.#merged.lists)) this.#merged = merge(lists);
    const { found, remarks, indexes } = this.#merged;
    const listings = lists.flatMap((list, i) =>
      problems[i] === undefined ? list.listings.map((one) => withIndex(one, indexes[i])) : [],
    );
    const listedModules = LISTED_MODULES.filter((module) => {
      const i = this.#readers.findIndex(({ list }) => list === module);
      return i >= 0 && problems[i] === undefined;
    });
    const errors = problems.filter((problem) => problem !== undefined);
    return { found, remarks, listings, listedModules, errors };
  }
}

/** The listing with its index in the destinations of all lists. */
function withIndex(listing: Listing, indexes: readonly number[] | undefined): Listing {
  if (listing.found === undefined || indexes === undefined) return listing;
  const found = indexes[listing.found];
  return found === listing.found ? listing : { ...listing, found };
}

function isSame(lists: readonly ListFindings[], others: readonly ListFindings[]): boolean {
  return (
    lists.length === others.length &&
    lists.every(({ found, remarks }, i) => {
      return found === others[i]?.found && remarks === others[i]?.remarks;
    })
  );
}

/** A destination in several lists is one destination, as the first of these lists has it. */
function merge(lists: readonly ListFindings[]): Merged {
  const [first] = lists;
  if (lists.length === 1 && first !== undefined) return { ...first, lists, indexes: [] };
  const found: FoundDestination[] = [];
  const byName = new Map<unknown, number>();
  const indexes = lists.map((list) =>
    list.found.map((one) => {
      const name = one.entry['name'] ?? one.entry['uri'];
      const index = byName.get(name) ?? found.push(one) - 1;
      byName.set(name, index);
      return index;
    }),
  );
  return { lists, found, remarks: lists.flatMap(({ remarks }) => remarks), indexes };
}
