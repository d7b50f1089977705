/** The monitored destinations and the owners of each. Only the registry changes this list. */

import type { DestinationSlot, RegisteredDestination } from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import type { PeerUpdate, ResolvedTargets, ServerName } from '../shared/protocol.js';
import {
  areSameClaims,
  type Claim,
  haveSameSettings,
  isSameDestination,
  type RefusedClaim,
  type ResolvedClaim,
  resolveClaims,
  type SourcedClaim,
} from './claims.js';
import { Notifier, type RegistryListener } from './notifier.js';
import { type Row, Rows } from './rows.js';

/** The source of the destinations in the configuration. Its claims come before all others. */
export const CONFIGURATION = 'configuration';

/** The answer of the registry to one more claim. */
export type Acceptance =
  /** The destination is new, or the claim adds an owner. */
  | { readonly kind: 'acceptable' }
  /** The owner already has this destination, from any source. */
  | { readonly kind: 'held' }
  | { readonly kind: 'refused'; readonly reason: string };

/** Cost of scanning a destination, relative to changing one. */
const SCAN_COST = 1 / 20;
const FULL = `the limit of ${LEDGER_CAPACITY} destinations is reached`;

export class DestinationRegistry {
  readonly #rows = new Rows();
  readonly #notifier: Notifier;

  constructor(listener: RegistryListener) {
    this.#notifier = new Notifier(listener);
  }

  get size(): number {
    return this.#rows.size;
  }

  /** All destinations in the order in which they were added. */
  all(): readonly RegisteredDestination[] {
    return [...this.#rows.all()];
  }

  named(name: string): RegisteredDestination | undefined {
    return this.#rows.named(name);
  }

  /** The destinations with this canonical URI. */
  withUri(uri: string): readonly RegisteredDestination[] {
    return [...this.#rows.withUri(uri)];
  }

  at(slot: DestinationSlot): RegisteredDestination | undefined {
    return this.#rows.at(slot);
  }

  /**
   * Replaces all claims of `source`. A destination is removed with its last claim.
   *
   * @returns the refused claims.
   */
  set(source: string, claims: readonly Claim[]): readonly RefusedClaim[] {
    const steps = this.steps(source, claims);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /**
   * Does the same as `set` in steps of a few milliseconds, for long lists. After each step the list is
   * consistent and the listener is up to date. Between two steps the claims of other sources may change. To
   * change those of this source, abandon these steps and start new ones.
   */
  *steps(source: string, claims: readonly Claim[]): Generator<void, readonly RefusedClaim[], void> {
    const isStepOver = this.#notifier.stepCounter();
    const desired = new Map<string, SourcedClaim[]>();
    for (const claim of claims) {
      if (isStepOver(SCAN_COST)) yield;
      const { owner, destination } = claim;
      const others = desired.get(destination.name) ?? [];
      if (others.some((other) => other.owner === owner)) continue;
      desired.set(destination.name, [...others, { source, ...claim }]);
    }
    for (const row of this.#rows.all()) {
      if (isStepOver(SCAN_COST)) yield;
      const { name } = row.destination;
      if (desired.has(name) || row.claims.every((claim) => claim.source !== source)) continue;
      this.#put(name, source, []);
      if (isStepOver(1)) yield;
    }
    const refused: RefusedClaim[] = [];
    for (const [name, ofName] of desired) {
      refused.push(...this.#put(name, source, ofName));
      if (isStepOver(1)) yield;
    }
    this.#notifier.notify();
    return refused;
  }

  /**
   * Checks a claim without adding it.
   *
   * @param reserved number of rows for claims that were checked but not added yet.
   */
  wouldAccept({ owner, destination: { name, uri } }: Claim, reserved = 0): Acceptance {
    const row = this.#rows.named(name);
    if (row === undefined) {
      const hasRoom = this.size + reserved < LEDGER_CAPACITY;
      return hasRoom ? { kind: 'acceptable' } : { kind: 'refused', reason: FULL };
    }
    if (row.destination.uri !== uri) {
      return { kind: 'refused', reason: nameIsUsedBy(row.destination.uri) };
    }
    return { kind: row.owners.includes(owner) ? 'held' : 'acceptable' };
  }

  /** Why a claim of `source` would be refused because of its name; undefined when it would not. */
  refusal(source: string, name: string, uri: string): string | undefined {
    const [first] = this.#rows.named(name)?.claims ?? [];
    if (first === undefined || first.source === source) return undefined;
    return first.destination.uri === uri ? undefined : nameIsUsedBy(first.destination.uri);
  }

  /**
   * Adds one claim of `source`. Returns it with the reason if it is refused. A claim that is refused because
   * of its name takes effect when the name is free.
   */
  add(source: string, claim: Claim): RefusedClaim | undefined {
    const { name } = claim.destination;
    const others = this.#claimsOf(source, name).filter(({ owner }) => owner !== claim.owner);
    const refused = this.#put(name, source, [...others, { source, ...claim }]);
    this.#notifier.notify();
    return refused.find((one) => one.claim.owner === claim.owner);
  }

  /** Removes the claim of `owner` to `name`. Returns false when `source` has no such claim. */
  remove(source: string, owner: string, name: string): boolean {
    const before = this.#claimsOf(source, name);
    const rest = before.filter((claim) => claim.owner !== owner);
    if (rest.length === before.length) return false;
    this.#put(name, source, rest);
    this.#notifier.notify();
    return true;
  }

  /** Stores the targets that the pinger reports. */
  setTargets(resolved: readonly ResolvedTargets[]): void {
    this.#rows.setTargets(resolved);
  }

  /** Stores details about targets. */
  setPeers(peers: readonly PeerUpdate[]): void {
    this.#rows.setPeers(peers);
  }

  /** Stores the Server headers of peers. */
  setServers(servers: readonly ServerName[]): void {
    this.#rows.setServers(servers);
  }

  #claimsOf(source: string, name: string): readonly SourcedClaim[] {
    return (this.#rows.named(name)?.claims ?? []).filter((claim) => claim.source === source);
  }

  /** Replaces the claims of `source` for this name. Returns the refused claims. */
  #put(name: string, source: string, ofSource: readonly SourcedClaim[]): readonly RefusedClaim[] {
    const row = this.#rows.named(name);
    const before = row?.claims ?? [];
    const first = before.findIndex((claim) => claim.source === source);
    const others = before.filter((claim) => claim.source !== source);
    const at = source === CONFIGURATION ? 0 : first < 0 ? others.length : first;
    // Not with spread syntax, whose result would have spare capacity for sixteen more items.
    const claims = others.toSpliced(at, 0, ...ofSource);
    if (!areSameClaims(before, claims)) this.#apply(row, resolveClaims(claims));
    const uri = this.#rows.named(name)?.destination.uri;
    return ofSource
      .filter((claim) => claim.destination.uri !== uri)
      .map((claim) => ({ claim, reason: uri === undefined ? FULL : nameIsUsedBy(uri) }));
  }

  #apply(row: Row | undefined, resolved: ResolvedClaim | undefined): void {
    if (row !== undefined && row.destination.uri === resolved?.destination.uri) {
      this.#update(row, resolved);
      return;
    }
    if (row !== undefined) {
      this.#rows.close(row);
      this.#notifier.unmonitor(row);
    }
    const opened = resolved && this.#rows.open(resolved);
    if (opened !== undefined) this.#notifier.monitor(opened);
  }

  /** Updates a row whose name and URI stay the same: counters, phase and verdict continue. */
  #update(row: Row, { destination, owners, isFollowed, claims }: ResolvedClaim): void {
    const before = row.destination;
    if (isFollowed !== row.isFollowed) this.#notifier.monitor(row);
    row.owners = owners;
    row.claims = claims;
    row.isFollowed = isFollowed;
    if (isSameDestination(before, destination)) return;
    row.destination = destination;
    // New objects, because metrics cache the labels of a target by its object.
    row.targets = row.targets.map((target) => ({ ...target }));
    if (!haveSameSettings(before, destination)) this.#notifier.monitor(row);
  }
}

function nameIsUsedBy(uri: string): string {
  return `the name is already used by ${uri}`;
}
