/** Updates the registry to match the configuration and the findings of its sources. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { SourceSettings } from '../config/source-settings.js';
import { isMapping } from '../platform/values.js';
import { type Claim, isSameDestination, type RefusedClaim } from '../registry/claims.js';
import { CONFIGURATION, type DestinationRegistry } from '../registry/registry.js';
import { isInShard, type Shard } from '../registry/shard.js';
import type { Destination } from '../shared/destination.js';
import { exposedLabels } from '../shared/labels.js';
import type { Findings, FoundDestination, Reconciled, Remark } from './found.js';
import { remark } from './remark.js';

/** The owner of the destinations in the configuration. */
const OWNER = 'config';
/** Number of entries that are read before other work may run: some milliseconds. */
const BATCH_SIZE = 100;

/** The part of the configuration that determines what is monitored. */
export interface DesiredState {
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly shard: Shard;
  /** Turns an entry in the format of the configuration into a destination. Throws when it is invalid. */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
}

/** Receives the result of reconciling the findings of a source. */
export type OnReconciled = (source: string, reconciled: Reconciled) => void;

/** What a source was reconciled from, and the result. */
interface Settled {
  readonly findings: Findings;
  readonly desired: DesiredState;
  readonly reconciled: Reconciled;
}

/** The entries of a source that have been read so far. */
interface Progress {
  readonly claims: Claim[];
  readonly remarks: Remark[];
  readonly renamed: Map<string, string>;
  /** The claims and their places, by owner and name. */
  readonly placed: Map<string, { readonly place: string; readonly claim: Claim }>;
  readonly names: (string | undefined)[];
}

export class Reconciler {
  readonly #registry: DestinationRegistry;
  readonly #onReconciled: OnReconciled;
  /** The last findings, by source. */
  readonly #findings = new Map<string, Findings>();
  /** The latest change, by source. An earlier change that has not ended stops. */
  readonly #latest = new Map<string, symbol>();
  /** By source: the last change, if it is complete and every entry was accepted. */
  readonly #settled = new Map<string, Settled>();
  #desired: DesiredState;
  /** Claims of the configuration: the current ones, and former ones that are not dropped yet. */
  #configured: readonly Claim[] = [];

  constructor(registry: DestinationRegistry, desired: DesiredState, onReconciled: OnReconciled) {
    this.#registry = registry;
    this.#onReconciled = onReconciled;
    this.#desired = desired;
  }

  /**
   * Applies a new configuration to its destinations and to the findings of its sources so far. Removed
   * destinations and sources are dropped later by `dropStaleSources`, when the sources that may replace
   * them have been read. Resolves when it is done, or when a later call replaces this one.
   */
  async use(desired: DesiredState): Promise<void> {
    this.#desired = desired;
    const claims = claimsOf(desired);
    const names = new Set(claims.map(({ destination }) => destination.name));
    const former = this.#configured.filter(({ destination }) => !names.has(destination.name));
    this.#configured = [...claims, ...former];
    const inUse = new Map(desired.sources.map((settings) => [settings.name, settings]));
    await this.#put(CONFIGURATION, this.#configured, this.#begin(CONFIGURATION));
    for (const [name, findings] of [...this.#findings]) {
      const settings = inUse.get(name);
      // Findings that arrived meanwhile have already been applied.
      if (settings === undefined || this.#findings.get(name) !== findings) continue;
      await this.apply(settings, findings);
    }
  }

  /** Drops destinations that are not configured any more, and the findings of removed sources. */
  async dropStaleSources(): Promise<void> {
    const claims = claimsOf(this.#desired);
    if (claims.length < this.#configured.length) {
      this.#configured = claims;
      await this.#put(CONFIGURATION, claims, this.#begin(CONFIGURATION));
    }
    for (const name of [...this.#findings.keys()]) {
      if (this.#desired.sources.some((source) => source.name === name)) continue;
      this.#findings.delete(name);
      this.#settled.delete(name);
      await this.#put(name, [], this.#begin(name));
    }
  }

  /**
   * Replaces the findings of a source; the same `found` and `remarks` as the last time cost nothing. Resolves
   * with the result when it is done, or with undefined when a later call for the same source replaces this one.
   */
  async apply(settings: SourceSettings, findings: Findings): Promise<Reconciled | undefined> {
    const { name } = settings;
    this.#findings.set(name, findings);
    const settled = this.#settled.get(name);
    if (settled !== undefined && this.#isInEffect(findings, settled)) {
      this.#onReconciled(name, settled.reconciled);
      return settled.reconciled;
    }
    this.#settled.delete(name);
    const change = this.#begin(name);
    const desired = this.#desired;
    const progress: Progress = {
      ...{ claims: [], remarks: [...findings.remarks] },
      ...{ renamed: new Map(), placed: new Map(), names: [] },
    };
    for (const [index, found] of findings.found.entries()) {
      if (index % BATCH_SIZE === BATCH_SIZE - 1 && !(await this.#pause(name, change)))
        return undefined;
      progress.names.push(this.#read(settings, found, progress));
    }
    const { claims, remarks, renamed, placed, names } = progress;
    const refused = await this.#put(name, claims, change);
    if (refused === undefined) return undefined;
    for (const { claim, reason } of refused) {
      const place = placed.get(keyOf(claim))?.place ?? name;
      remarks.push(remark('skipped', place, `${claim.destination.name}: ${reason}`));
    }
    const unused = new Set(refused.map(({ claim }) => claim.destination.name));
    const reconciled = {
      ...{ destinations: claims.length - refused.length, remarks, renamed },
      names: names.map((one) => (one !== undefined && unused.has(one) ? undefined : one)),
    };
    if (remarks.length === findings.remarks.length) {
      this.#settled.set(name, { findings, desired, reconciled });
    }
    this.#onReconciled(name, reconciled);
    return reconciled;
  }

  /** Whether these findings are in effect: those of a running Kamailio often differ only in its states. */
  #isInEffect({ found, remarks }: Findings, { findings, desired }: Settled): boolean {
    return desired === this.#desired && found === findings.found && remarks === findings.remarks;
  }

  #begin(source: string): symbol {
    const change = Symbol(source);
    this.#latest.set(source, change);
    return change;
  }

  /** Lets other work run. Returns false when a later change of the source has begun meanwhile. */
  async #pause(source: string, change: symbol): Promise<boolean> {
    await nextRound();
    return this.#latest.get(source) === change;
  }

  /** Returns the refused claims; undefined when a later change of the source has begun meanwhile. */
  async #put(
    source: string,
    claims: readonly Claim[],
    change: symbol,
  ): Promise<readonly RefusedClaim[] | undefined> {
    const steps = this.#registry.steps(source, claims);
    let step = steps.next();
    while (step.done !== true) {
      if (!(await this.#pause(source, change))) return undefined;
      step = steps.next();
    }
    return step.value;
  }

  /** Returns the name of the destination; undefined when it is not monitored. */
  #read(settings: SourceSettings, found: FoundDestination, progress: Progress): string | undefined {
    const { claims, remarks, placed } = progress;
    const claim = this.#claim(settings, found, progress);
    if (claim === undefined) return undefined;
    const { name } = claim.destination;
    if (!isInShard(name, this.#desired.shard)) return undefined;
    const key = keyOf(claim);
    const earlier = placed.get(key);
    if (earlier === undefined) {
      placed.set(key, { place: found.place, claim });
      claims.push(claim);
      return name;
    }
    const isSame = isSameDestination(earlier.claim.destination, claim.destination);
    const also = `duplicate destination name ${name} (also used at ${earlier.place}`;
    remarks.push(
      isSame
        ? remark('duplicate', found.place, `${also})`)
        : remark('skipped', found.place, `${also}, with other settings or labels): set a name`),
    );
    return isSame ? name : undefined;
  }

  #claim(
    { owner: ownerOfSource, module, labels }: SourceSettings,
    { place, entry, owner = ownerOfSource }: FoundDestination,
    { remarks, renamed }: Progress,
  ): Claim | undefined {
    const { labels: found, ...rest } = entry;
    const exposed = exposedLabels({ ...labels, ...(isMapping(found) ? found : {}) });
    for (const [name, other] of exposed.renamed) renamed.set(name, other);
    const complete = {
      ...(module === '' ? {} : { module }),
      ...rest,
      labels: exposed.labels,
    };
    try {
      return { owner, destination: this.#desired.readEntry(complete) };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error);
      remarks.push(remark('skipped', place, reason));
      return undefined;
    }
  }
}

/** The destinations of the configuration that are in this shard. */
function claimsOf({ destinations, shard }: DesiredState): readonly Claim[] {
  return destinations
    .filter(({ name }) => isInShard(name, shard))
    .map((destination) => ({ owner: OWNER, destination }));
}

/** A unique key; neither part can contain a line break. */
function keyOf({ owner, destination }: Claim): string {
  return `${owner}\n${destination.name}`;
}
