/** Updates the registry to match the configuration and the findings of its sources. */

import { setImmediate as nextRound } from 'node:timers/promises';
import type { SourceSettings } from '../config/source-settings.js';
import type { Claim, RefusedClaim } from '../registry/claims.js';
import { CONFIGURATION, type DestinationRegistry } from '../registry/registry.js';
import { isInShard, type Shard } from '../registry/shard.js';
import type { Destination } from '../shared/destination.js';
import type { Findings, Reconciled, Remark } from './found.js';
import { type ClaimsOptions, type NamesByOwnName, SourceClaims } from './source-claims.js';

/** The owner of the destinations in the configuration. */
const OWNER = 'config';
/** How often a source is named again, because others have used the names meanwhile. */
const MAX_ATTEMPTS = 3;

/** The part of the configuration that determines what is monitored. */
export interface DesiredState {
  readonly destinations: readonly Destination[];
  readonly sources: readonly SourceSettings[];
  readonly shard: Shard;
  readonly readEntry: ClaimsOptions['readEntry'];
  readonly moduleProblem: ClaimsOptions['moduleProblem'];
}

/** Receives the result of reconciling the findings of a source. */
export type OnReconciled = (source: string, reconciled: Reconciled) => void;

/** What a source was reconciled from, and the result. */
interface Settled {
  readonly findings: Findings;
  readonly desired: DesiredState;
  readonly reconciled: Reconciled;
}

export class Reconciler {
  readonly #registry: DestinationRegistry;
  readonly #onReconciled: OnReconciled;
  /** The last findings, by source. */
  readonly #findings = new Map<string, Findings>();
  /** The names of its destinations, by own name, by source. */
  readonly #names = new Map<string, NamesByOwnName>();
  /** The latest change, by source. An earlier change that has not ended stops. */
  readonly #latest = new Map<string, symbol>();
  /** By source: the last change, if it is complete and other sources had no influence. */
  readonly #settled = new Map<string, Settled>();
  #desired: DesiredState;
  /** The URIs of the destinations of the configuration, by name. */
  #configuredUris: ReadonlyMap<string, string>;
  /** Claims of the configuration: the current ones, and former ones that are not dropped yet. */
  #configured: readonly Claim[] = [];

  constructor(registry: DestinationRegistry, desired: DesiredState, onReconciled: OnReconciled) {
    this.#registry = registry;
    this.#onReconciled = onReconciled;
    this.#desired = desired;
    this.#configuredUris = urisOf(desired);
  }

  /**
   * Applies a new configuration to its destinations and to the findings of its sources so far. Removed
   * destinations and sources are dropped later by `dropStaleSources`, when the sources that may replace
   * them have been read. Resolves when it is done, or when a later call replaces this one.
   */
  async use(desired: DesiredState): Promise<void> {
    this.#desired = desired;
    this.#configuredUris = urisOf(desired);
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
      this.#names.delete(name);
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
    for (let attempt = 1; ; attempt++) {
      const claims = this.#claimsFor(settings, findings.remarks);
      const all = await this.#run(claims.steps(findings.found), name, change);
      const refused = all && (await this.#put(name, all, change));
      if (refused === undefined) return undefined;
      // Another source has used a name meanwhile: the next one is still free.
      const isLost = refused.some(({ claim }) => claims.isRenamed(claim));
      if (isLost && attempt < MAX_ATTEMPTS) continue;
      const reconciled = claims.result(refused);
      const renamedDestinations = renamesOf(this.#names.get(name), claims.names);
      this.#names.set(name, claims.names);
      if (refused.length === 0 && !claims.hasLostNames) {
        this.#settled.set(name, { findings, desired, reconciled });
      }
      const hasRenamed = renamedDestinations.length > 0;
      this.#onReconciled(name, hasRenamed ? { ...reconciled, renamedDestinations } : reconciled);
      return reconciled;
    }
  }

  #claimsFor(settings: SourceSettings, remarks: readonly Remark[]): SourceClaims {
    const { readEntry, moduleProblem, shard } = this.#desired;
    const options = {
      ...{ settings, readEntry, moduleProblem, shard, configured: this.#configuredUris },
      refusal: (name: string, uri: string) => this.#registry.refusal(settings.name, name, uri),
    };
    return new SourceClaims(options, remarks);
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
  #put(
    source: string,
    claims: readonly Claim[],
    change: symbol,
  ): Promise<readonly RefusedClaim[] | undefined> {
    return this.#run(this.#registry.steps(source, claims), source, change);
  }

  /** Runs all steps, and other work between them; undefined when a later change has begun meanwhile. */
  async #run<Result>(
    steps: Generator<void, Result, void>,
    source: string,
    change: symbol,
  ): Promise<Result | undefined> {
    let step = steps.next();
    while (step.done !== true) {
      if (!(await this.#pause(source, change))) return undefined;
      step = steps.next();
    }
    return step.value;
  }
}

/** The destinations of the configuration that are in this shard. */
function claimsOf({ destinations, shard }: DesiredState): readonly Claim[] {
  return destinations
    .filter(({ name }) => isInShard(name, shard))
    .map((destination) => ({ owner: OWNER, destination }));
}

function urisOf({ destinations }: DesiredState): ReadonlyMap<string, string> {
  return new Map(destinations.map(({ name, uri }) => [name, uri]));
}

/** The destinations whose names have changed. */
function renamesOf(
  before: NamesByOwnName = new Map(),
  after: NamesByOwnName,
): Reconciled['renamedDestinations'] {
  const renames: Reconciled['renamedDestinations'][number][] = [];
  for (const [ownName, to] of after) {
    const from = before.get(ownName);
    if (from !== undefined && to !== undefined && from !== to) renames.push({ from, to });
  }
  return renames;
}
