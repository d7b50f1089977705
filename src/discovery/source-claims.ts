/** Turns the findings of a source into claims: with the modules, names and labels that its settings choose. */

import type { SourceSettings } from '../config/source-settings.js';
import { isMapping } from '../platform/values.js';
import { type Claim, isSameDestination, type RefusedClaim } from '../registry/claims.js';
import { isInShard, type Shard } from '../registry/shard.js';
import type { Destination } from '../shared/destination.js';
import { exposedLabels } from '../shared/labels.js';
import type { FoundDestination, Reconciled, Remark, RemarkKind } from './found.js';
import { moduleOf } from './module-choice.js';
import { candidatesOf, type Nameable, Naming } from './naming.js';
import type { Parts } from './origins.js';
import { remark } from './remark.js';

/** Number of entries per step. */
const BATCH_SIZE = 100;

/** The parts of the configuration and of the registry that determine the claims. */
export interface ClaimsOptions {
  readonly settings: SourceSettings;
  readonly shard: Shard;
  /** Turns an entry in the format of the configuration into a destination. Throws when it is invalid. */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
  /** Why there is no such module; undefined if there is. */
  readonly moduleProblem: (name: string) => string | undefined;
  /** The canonical URI of the destination of the configuration with a name. */
  readonly configured: ReadonlyMap<string, string>;
  /** Why the registry would refuse a name for a URI; undefined if it would not. */
  readonly refusal: (name: string, uri: string) => string | undefined;
}

export type NamesByOwnName = ReadonlyMap<string, string | undefined>;

/** An entry that is valid, with its own name. */
interface ReadEntry extends Nameable {
  readonly place: string;
  readonly claim: Claim;
}

/** A claim with its final name. */
interface Placed {
  readonly entry: ReadEntry;
  readonly claim: Claim;
}

export class SourceClaims {
  readonly #options: ClaimsOptions;
  readonly #naming: Naming;
  readonly #remarks: Remark[];
  readonly #renamed = new Map<string, string>();
  /** Reasons that have been reported and need not be repeated for each entry. */
  readonly #reported = new Set<string>();
  /** By owner and name. */
  readonly #placed = new Map<string, Placed>();
  #hasLostNames = false;
  readonly #names = new Map<string, string | undefined>();
  /** Keys of `#placed`, by index of the finding. */
  readonly #keys: (string | undefined)[] = [];

  constructor(options: ClaimsOptions, remarks: readonly Remark[]) {
    this.#options = options;
    this.#naming = new Naming(options.settings.nameFrom);
    this.#remarks = [...remarks];
  }

  /** Reads and names all findings in steps of a few milliseconds. Returns the claims of this shard. */
  *steps(all: readonly FoundDestination[]): Generator<void, readonly Claim[], void> {
    const entries: (ReadEntry | undefined)[] = [];
    for (const [index, found] of all.entries()) {
      if (index % BATCH_SIZE === BATCH_SIZE - 1) yield;
      const entry = this.#entryOf(found);
      if (entry !== undefined) this.#naming.add(entry);
      entries.push(entry);
    }
    for (const [index, entry] of entries.entries()) {
      if (index % BATCH_SIZE === BATCH_SIZE - 1) yield;
      this.#keys.push(entry && this.#place(entry));
    }
    return [...this.#placed.values()].map(({ claim }) => claim);
  }

  /** The names of the destinations by their own names; undefined if there are several. */
  get names(): NamesByOwnName {
    return this.#names;
  }

  /** Whether other sources use names that would otherwise be chosen. */
  get hasLostNames(): boolean {
    return this.#hasLostNames;
  }

  /** Whether a claim has a name that `name_from` chose. */
  isRenamed(claim: Claim): boolean {
    return this.#placed.get(keyOf(claim))?.entry.ownName !== claim.destination.name;
  }

  /** @param refused the claims that the registry did not accept. */
  result(refused: readonly RefusedClaim[]): Reconciled {
    const { name } = this.#options.settings;
    for (const { claim, reason } of refused) {
      const place = this.#placed.get(keyOf(claim))?.entry.place ?? name;
      this.#remark('skipped', place, `${claim.destination.name}: ${reason}`);
    }
    const unused = new Set(refused.map(({ claim }) => keyOf(claim)));
    const nameOf = (key: string | undefined) =>
      key === undefined || unused.has(key)
        ? undefined
        : this.#placed.get(key)?.claim.destination.name;
    return {
      destinations: this.#placed.size - refused.length,
      remarks: this.#remarks,
      renamed: this.#renamed,
      renamedDestinations: [],
      names: this.#keys.map(nameOf),
    };
  }

  /** Undefined when the finding is invalid. */
  #entryOf(found: FoundDestination): ReadEntry | undefined {
    const { settings, configured } = this.#options;
    const { labels, ...rest } = found.entry;
    const parts: Parts = {
      uri: String(rest['uri']),
      attributes: found.attributes,
      labels: { ...settings.labels, ...(isMapping(labels) ? labels : {}) },
    };
    const destination = this.#destinationOf(found.place, rest, parts);
    if (destination === undefined) return undefined;
    const { name: ownName, uri } = destination;
    // In target groups a name is one that a person chose.
    const isOfGroup = settings.kind === 'file_sd' || settings.kind === 'http_sd';
    return {
      ...{ ownName, place: found.place },
      candidates: candidatesOf(settings.nameFrom, { ...parts, uri }),
      isNamed: (isOfGroup && rest['name'] !== undefined) || configured.get(ownName) === uri,
      claim: { owner: found.owner ?? settings.owner, destination },
    };
  }

  #destinationOf(
    place: string,
    entry: Readonly<Record<string, unknown>>,
    parts: Parts,
  ): Destination | undefined {
    const { settings, moduleProblem, readEntry } = this.#options;
    const exposed = exposedLabels(parts.labels);
    for (const [name, other] of exposed.renamed) this.#renamed.set(name, other);
    const { modules, moduleFrom } = settings;
    const chosen =
      entry['module'] === undefined
        ? moduleOf(parts, { modules, moduleFrom, moduleProblem }, (reason) =>
            this.#adjusted(place, reason),
          )
        : undefined;
    const module = chosen ?? settings.module;
    try {
      return readEntry({
        ...(module === '' ? {} : { module }),
        ...entry,
        labels: exposed.labels,
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error);
      this.#remark('skipped', place, reason);
      return undefined;
    }
  }

  /** Returns the key of the claim of an entry; undefined when it is not monitored. */
  #place(entry: ReadEntry): string | undefined {
    const { place } = entry;
    const names = this.#naming.namesOf(entry, (reason) => this.#adjusted(place, reason));
    // By the best name, whoever uses it in this shard: in each shard the same one.
    if (!isInShard(names[0], this.#options.shard)) return undefined;
    const claim = renamed(entry.claim, this.#freeName(names, entry));
    const key = keyOf(claim);
    const earlier = this.#placed.get(key);
    if (earlier === undefined) {
      this.#placed.set(key, { entry, claim });
      const { name } = claim.destination;
      const { ownName } = entry;
      const known = this.#names.has(ownName) ? this.#names.get(ownName) : name;
      this.#names.set(ownName, known === name ? name : undefined);
      return key;
    }
    const { name } = claim.destination;
    const isSame = isSameDestination(earlier.claim.destination, claim.destination);
    const also = `duplicate destination name ${name} (also used at ${earlier.entry.place}`;
    if (isSame) this.#remark('duplicate', place, `${also})`);
    else this.#remark('skipped', place, `${also}, with other settings or labels): set a name`);
    return isSame ? key : undefined;
  }

  /** The best name that no other URI has; its own name if there is none. */
  #freeName(names: readonly string[], { ownName, place, claim }: ReadEntry): string {
    const { uri } = claim.destination;
    for (const name of names) {
      const reason = name === ownName ? undefined : this.#options.refusal(name, uri);
      if (reason === undefined) return name;
      this.#hasLostNames = true;
      this.#adjusted(place, `${name}: ${reason}: not used as the name`);
    }
    return ownName;
  }

  #adjusted(place: string, reason: string): void {
    if (this.#reported.has(reason)) return;
    this.#reported.add(reason);
    this.#remark('adjusted', place, reason);
  }

  #remark(kind: RemarkKind, place: string, reason: string): void {
    this.#remarks.push(remark(kind, place, reason));
  }
}

function renamed(claim: Claim, name: string): Claim {
  if (claim.destination.name === name) return claim;
  return { ...claim, destination: { ...claim.destination, name } };
}

/** A unique key; neither part can contain a line break. */
function keyOf({ owner, destination }: Claim): string {
  return `${owner}\n${destination.name}`;
}
