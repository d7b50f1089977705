/** From what is configured and what sources have found to what is watched. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { SourceSettings } from '../config/source-settings.js';
import { isMapping } from '../platform/values.js';
import { type Claim, isSameDestination, type RefusedClaim } from '../registry/claims.js';
import { CONFIGURATION, type DestinationRegistry } from '../registry/registry.js';
import { isInShard, type Shard } from '../registry/shard.js';
import type { Destination } from '../shared/destination.js';
import { exposedLabels } from '../shared/labels.js';
import type { Findings, FoundDestination, Skipped, Taken } from './found.js';

/** On whose behalf the configuration's own destinations are watched. */
const OWNER = 'config';
/** Entries that are read at a stretch: some milliseconds, and then others have their turn. */
const BATCH = 100;

/** The part of the configuration that decides what is watched. */
export interface DesiredState {
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly shard: Shard;
  /** A destination in the words of the configuration. Throws when they are wrong. */
  readonly readEntry: (entry: Readonly<Record<string, unknown>>) => Destination;
}

/** Told what became of the findings of a source. */
export type OnTaken = (source: string, taken: Taken) => void;

/** What the entries of a source come to. */
interface Reading {
  readonly claims: Claim[];
  readonly skipped: Skipped[];
  readonly renamed: Map<string, string>;
  /** The claims by owner and name, and where each stands. */
  readonly placed: Map<string, { readonly place: string; readonly claim: Claim }>;
}

export class Reconciler {
  readonly #registry: DestinationRegistry;
  readonly #onTaken: OnTaken;
  /** By source: what it found last. */
  readonly #findings = new Map<string, Findings>();
  /** By source: the change that was begun last; an earlier one that is not done yet gives up. */
  readonly #latest = new Map<string, symbol>();
  #wanted: DesiredState;
  /** What the configuration claims, with what it did before and is not let go of yet. */
  #own: readonly Claim[] = [];

  constructor(registry: DestinationRegistry, wanted: DesiredState, onTaken: OnTaken) {
    this.#registry = registry;
    this.#onTaken = onTaken;
    this.#wanted = wanted;
  }

  /**
   * Watches what this says from now on, with what sources that stay have found so far. Destinations
   * and sources that do not stay are let go of by `dropStaleSources`, once what comes in their place has
   * been read. Resolves when it is done, or when a later call does it instead.
   */
  async use(wanted: DesiredState): Promise<void> {
    this.#wanted = wanted;
    const claims = claimsOf(wanted);
    const names = new Set(claims.map(({ destination }) => destination.name));
    this.#own = [...claims, ...this.#own.filter(({ destination }) => !names.has(destination.name))];
    const kept = new Map(wanted.sources.map((settings) => [settings.name, settings]));
    await this.#put(CONFIGURATION, this.#own, this.#begin(CONFIGURATION));
    for (const [name, findings] of [...this.#findings]) {
      const settings = kept.get(name);
      // What a source has found meanwhile is taken already.
      if (settings === undefined || this.#findings.get(name) !== findings) continue;
      await this.take(settings, findings);
    }
  }

  /** Lets go of destinations that are configured no more, and of what sources have found that are not used any more. */
  async dropStaleSources(): Promise<void> {
    const claims = claimsOf(this.#wanted);
    if (claims.length < this.#own.length) {
      this.#own = claims;
      await this.#put(CONFIGURATION, claims, this.#begin(CONFIGURATION));
    }
    for (const name of [...this.#findings.keys()]) {
      if (this.#wanted.sources.some((source) => source.name === name)) continue;
      this.#findings.delete(name);
      await this.#put(name, [], this.#begin(name));
    }
  }

  /**
   * Watches what a source has found, and no more what it had found before. Resolves when it is done,
   * or when a later call for the same source does it instead.
   */
  async take(settings: SourceSettings, findings: Findings): Promise<void> {
    const { name } = settings;
    const change = this.#begin(name);
    this.#findings.set(name, findings);
    const reading: Reading = {
      ...{ claims: [], skipped: [...findings.skipped] },
      ...{ renamed: new Map(), placed: new Map() },
    };
    for (const [index, found] of findings.found.entries()) {
      if (index % BATCH === BATCH - 1 && !(await this.#pause(name, change))) return;
      this.#read(settings, found, reading);
    }
    const { claims, skipped, renamed, placed } = reading;
    const refused = await this.#put(name, claims, change);
    if (refused === undefined) return;
    for (const { claim, reason } of refused) {
      const place = placed.get(keyOf(claim))?.place ?? name;
      skipped.push({ place, reason: `${claim.destination.name}: ${reason}` });
    }
    this.#onTaken(name, { destinations: claims.length - refused.length, skipped, renamed });
  }

  #begin(source: string): symbol {
    const change = Symbol(source);
    this.#latest.set(source, change);
    return change;
  }

  /** Lets others have their turn. False when a later change of the source was begun meanwhile. */
  async #pause(source: string, change: symbol): Promise<boolean> {
    await nextRound();
    return this.#latest.get(source) === change;
  }

  /** The claims that cannot be met; undefined when a later change of the source was begun meanwhile. */
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

  #read(settings: SourceSettings, found: FoundDestination, reading: Reading): void {
    const { claims, skipped, placed } = reading;
    const claim = this.#claim(settings, found, reading);
    if (claim === undefined || !isInShard(claim.destination.name, this.#wanted.shard)) return;
    const key = keyOf(claim);
    const earlier = placed.get(key);
    if (earlier !== undefined) {
      const isSame = isSameDestination(earlier.claim.destination, claim.destination);
      const way = isSame
        ? ''
        : ', with other settings or labels; only a name of its own can part them';
      const reason = `${claim.destination.name} stands at ${earlier.place} already${way}`;
      skipped.push({ place: found.place, reason });
      return;
    }
    placed.set(key, { place: found.place, claim });
    claims.push(claim);
  }

  #claim(
    { owner, module, labels }: SourceSettings,
    { place, entry, owner: own = owner }: FoundDestination,
    { skipped, renamed }: Reading,
  ): Claim | undefined {
    const { labels: found, ...rest } = entry;
    const exposed = exposedLabels({ ...labels, ...(isMapping(found) ? found : {}) });
    for (const [name, other] of exposed.renamed) renamed.set(name, other);
    const laidOver = {
      ...(module === '' ? {} : { module }),
      ...rest,
      labels: exposed.labels,
    };
    try {
      return { owner: own, destination: this.#wanted.readEntry(laidOver) };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replaceAll('\n', '; ') : String(error);
      skipped.push({ place, reason });
      return undefined;
    }
  }
}

/** What the configuration itself lists, as far as this shard watches it. */
function claimsOf({ destinations, shard }: DesiredState): readonly Claim[] {
  const own = destinations.filter(({ name }) => isInShard(name, shard));
  return own.map((destination) => ({ owner: OWNER, destination }));
}

/** No part of it has a line break. */
function keyOf({ owner, destination }: Claim): string {
  return `${owner}\n${destination.name}`;
}
