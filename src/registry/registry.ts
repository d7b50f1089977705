/** The current destinations, and on whose behalf each is watched. It is the one owner of that list. */

import {
  type Destination,
  type DestinationSlot,
  NO_PEERS,
  type PeerDetails,
  type RegisteredDestination,
  type TargetAddress,
} from '../shared/destination.js';
import { LEDGER_CAPACITY } from '../shared/ledger/layout.js';
import type { PeerUpdate, ResolvedTargets, ServerName } from '../shared/protocol.js';
import {
  type Claim,
  compatibleClaims,
  haveSameSettings,
  isSameDestination,
  mergeClaims,
  type RefusedClaim,
  type SourcedClaim,
} from './claims.js';

/** Told what the list became. */
export interface RegistryListener {
  watch(entries: readonly RegisteredDestination[]): void;
  unwatch(slots: readonly DestinationSlot[]): void;
}

interface RegistryEntry extends RegisteredDestination {
  destination: Destination;
  owners: readonly string[];
  isFollowed: boolean;
  claims: readonly SourcedClaim[];
  targets: readonly TargetAddress[];
  server: string;
  peers: ReadonlyMap<number, PeerDetails>;
}

/** What the claims of a name come to. */
type ResolvedClaim = Pick<RegistryEntry, 'destination' | 'owners' | 'isFollowed' | 'claims'>;

/** The source of what the user wrote down: its word goes before that of all others. */
export const CONFIGURATION = 'configuration';

export class DestinationRegistry {
  readonly #listener: RegistryListener;
  readonly #byName = new Map<string, RegistryEntry>();
  readonly #byUri = new Map<string, RegistryEntry[]>();
  /** By the index of their slot. */
  readonly #bySlot: (RegistryEntry | undefined)[] = [];
  readonly #free: DestinationSlot[] = [];
  #slotsUsed = 0;
  /** What the user is to be told at the end of a change. */
  #watched = new Set<RegistryEntry>();
  #unwatched: DestinationSlot[] = [];

  constructor(listener: RegistryListener) {
    this.#listener = listener;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** In the order in which they were added. */
  all(): readonly RegisteredDestination[] {
    return [...this.#byName.values()];
  }

  named(name: string): RegisteredDestination | undefined {
    return this.#byName.get(name);
  }

  /** The destinations with this canonical URI. */
  withUri(uri: string): readonly RegisteredDestination[] {
    return [...(this.#byUri.get(uri) ?? [])];
  }

  at(slot: DestinationSlot): RegisteredDestination | undefined {
    return this.#entryAt(slot);
  }

  /**
   * What `source` wants watched from now on. What it wanted before and does not any more it lets go
   * of; a destination is gone with its last claim. Returns the claims that cannot be met.
   */
  set(source: string, claims: readonly Claim[]): readonly RefusedClaim[] {
    const steps = this.steps(source, claims);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /**
   * `set` in steps of a few milliseconds each, for lists that are long. After each step the list is
   * whole and its user has been told of it. Between two steps anybody may change what other sources
   * want; to change what this source wants, give up these steps and begin others.
   */
  *steps(source: string, claims: readonly Claim[]): Generator<void, readonly RefusedClaim[], void> {
    const isStepOver = this.#stepCounter();
    const wanted = new Map<string, SourcedClaim[]>();
    for (const { owner, destination } of claims) {
      if (isStepOver(LOOK_COST)) yield;
      const others = wanted.get(destination.name) ?? [];
      if (others.some((other) => other.owner === owner)) continue;
      wanted.set(destination.name, [...others, { source, owner, destination }]);
    }
    for (const [name, entry] of this.#byName) {
      if (isStepOver(LOOK_COST)) yield;
      if (wanted.has(name) || entry.claims.every((claim) => claim.source !== source)) continue;
      this.#put(name, source, []);
      if (isStepOver(1)) yield;
    }
    const refused: RefusedClaim[] = [];
    for (const [name, held] of wanted) {
      refused.push(...this.#put(name, source, held));
      if (isStepOver(1)) yield;
    }
    this.#tell();
    return refused;
  }

  /** Counts what is done, in destinations; true when a step is full, and then the user knows of it. */
  #stepCounter(): (cost: number) => boolean {
    let done = 0;
    return (cost) => {
      done += cost;
      if (done < STEP) return false;
      done = 0;
      this.#tell();
      return true;
    };
  }

  /** Whether `owner` has this very destination already, for whichever source. */
  isHeld({ owner, destination }: Claim): boolean {
    const entry = this.#byName.get(destination.name);
    return entry?.destination.uri === destination.uri && entry.owners.includes(owner);
  }

  /**
   * Why one more claim could not be met; undefined when it could.
   *
   * @param reserved rows that others are about to take.
   */
  whyRefused({ destination: { name, uri } }: Claim, reserved = 0): string | undefined {
    const entry = this.#byName.get(name);
    if (entry === undefined) return this.size + reserved < LEDGER_CAPACITY ? undefined : FULL;
    return entry.destination.uri === uri ? undefined : nameIsThatOf(entry.destination.uri);
  }

  /** One more destination for `source`. Returns why the claim cannot be met, if it cannot. */
  add(source: string, claim: Claim): RefusedClaim | undefined {
    const { name } = claim.destination;
    const held = this.#heldBy(source, name);
    const others = held.filter(({ owner }) => owner !== claim.owner);
    const [refused] = this.#put(name, source, [...others, { source, ...claim }]).filter(
      (one) => one.claim.owner === claim.owner,
    );
    if (refused !== undefined) this.#put(name, source, held);
    this.#tell();
    return refused;
  }

  /** Lets go of `name` on behalf of `owner`. False when `source` made no such claim. */
  remove(source: string, owner: string, name: string): boolean {
    const held = this.#heldBy(source, name);
    const rest = held.filter((claim) => claim.owner !== owner);
    if (rest.length === held.length) return false;
    this.#put(name, source, rest);
    this.#tell();
    return true;
  }

  #heldBy(source: string, name: string): readonly SourcedClaim[] {
    return (this.#byName.get(name)?.claims ?? []).filter((claim) => claim.source === source);
  }

  /** Puts `held` in the place of what `source` claimed of this name. */
  #put(name: string, source: string, held: readonly SourcedClaim[]): readonly RefusedClaim[] {
    const entry = this.#byName.get(name);
    const before = entry?.claims ?? [];
    const first = before.findIndex((claim) => claim.source === source);
    const others = before.filter((claim) => claim.source !== source);
    const at = source === CONFIGURATION ? 0 : first < 0 ? others.length : first;
    // As long as its content: a list that is put together with spreads has room for sixteen more.
    const claims = others.toSpliced(at, 0, ...held);
    if (!isSameList(before, claims)) this.#claim(entry, claims);
    const uri = this.#byName.get(name)?.destination.uri;
    return held
      .filter((claim) => claim.destination.uri !== uri)
      .map((claim) => ({ claim, why: uri === undefined ? FULL : nameIsThatOf(uri) }));
  }

  #claim(entry: RegistryEntry | undefined, claims: readonly SourcedClaim[]): void {
    const [first, ...others] = compatibleClaims(claims);
    if (first === undefined) {
      if (entry !== undefined) this.#close(entry);
      return;
    }
    const wish = {
      destination: mergeClaims([first, ...others]),
      owners: [...new Set([first, ...others].map(({ owner }) => owner))],
      isFollowed: claims.some((claim) => claim.isFollowed === true),
      claims,
    };
    const isAnother = entry?.destination.uri !== wish.destination.uri;
    if (entry !== undefined && isAnother) this.#close(entry);
    if (entry === undefined || isAnother) this.#open(wish);
    else this.#update(entry, wish);
  }

  #open(wish: ResolvedClaim): void {
    const slot = this.#newSlot();
    if (slot === undefined) return;
    const { name, uri } = wish.destination;
    // Written out: V8 gives every object that a spread begins a shape of its own, half a kilobyte.
    const entry: RegistryEntry = {
      destination: wish.destination,
      owners: wish.owners,
      isFollowed: wish.isFollowed,
      claims: wish.claims,
      slot,
      targets: NO_TARGETS,
      server: '',
      peers: NO_PEERS,
    };
    this.#byName.set(name, entry);
    this.#bySlot[slot.index] = entry;
    const sharing = this.#byUri.get(uri);
    if (sharing === undefined) this.#byUri.set(uri, [entry]);
    else sharing.push(entry);
    this.#watched.add(entry);
  }

  /** The same name for the same URI: counters, phase and verdict go on. */
  #update(entry: RegistryEntry, { destination, owners, isFollowed, claims }: ResolvedClaim): void {
    const before = entry.destination;
    if (isFollowed !== entry.isFollowed) this.#watched.add(entry);
    entry.owners = owners;
    entry.claims = claims;
    entry.isFollowed = isFollowed;
    if (isSameDestination(before, destination)) return;
    entry.destination = destination;
    // Whoever keeps something by target must not find it under other labels.
    entry.targets = entry.targets.map((target) => ({ ...target }));
    if (!haveSameSettings(before, destination)) this.#watched.add(entry);
  }

  #close(entry: RegistryEntry): void {
    const { destination, slot } = entry;
    this.#byName.delete(destination.name);
    this.#bySlot[slot.index] = undefined;
    const sharing = this.#byUri.get(destination.uri) ?? [];
    sharing.splice(sharing.indexOf(entry), 1);
    if (sharing.length === 0) this.#byUri.delete(destination.uri);
    this.#free.push(slot);
    this.#watched.delete(entry);
    this.#unwatched.push(slot);
  }

  #tell(): void {
    const unwatched = this.#unwatched.splice(0);
    const watched = [...this.#watched];
    this.#watched.clear();
    // In this order: a freed row may have a new tenant already.
    if (unwatched.length > 0) this.#listener.unwatch(unwatched);
    if (watched.length > 0) this.#listener.watch(watched);
  }

  /** Takes over what the pinger resolved. */
  setTargets(resolved: readonly ResolvedTargets[]): void {
    for (const { destination, targets } of resolved) {
      const entry = this.#entryAt(destination);
      if (entry === undefined) continue;
      const kept = new Set(targets.map(({ slot }) => slot.index));
      if ([...entry.peers.keys()].some((index) => !kept.has(index))) {
        entry.peers = new Map([...entry.peers].filter(([index]) => kept.has(index)));
      }
      entry.targets = targets;
    }
  }

  /** Takes over what was found out about targets. */
  setPeers(peers: readonly PeerUpdate[]): void {
    for (const { destination, target, peer } of peers) {
      const entry = this.#entryAt(destination);
      const isTarget = entry?.targets.some(
        ({ slot }) => slot.index === target.index && slot.generation === target.generation,
      );
      if (entry !== undefined && isTarget)
        entry.peers = new Map(entry.peers).set(target.index, peer);
    }
  }

  /** Takes over what the peers call themselves. */
  setServers(servers: readonly ServerName[]): void {
    for (const { destination, server } of servers) {
      const entry = this.#entryAt(destination);
      if (entry !== undefined) entry.server = server;
    }
  }

  #entryAt(slot: DestinationSlot): RegistryEntry | undefined {
    const entry = this.#bySlot[slot.index];
    return entry?.slot.generation === slot.generation ? entry : undefined;
  }

  /** Undefined when the ledger has no row left. */
  #newSlot(): DestinationSlot | undefined {
    const freed = this.#free.pop();
    if (freed !== undefined) return { index: freed.index, generation: freed.generation + 1 };
    if (this.#slotsUsed === LEDGER_CAPACITY) return undefined;
    return { index: this.#slotsUsed++, generation: 1 };
  }
}

/** Destinations that are opened, changed or closed in one step. */
const STEP = 200;
/** What it costs to pass over a destination that is not touched, in those that are. */
const LOOK_COST = 1 / 20;
const NO_TARGETS: readonly TargetAddress[] = [];
const FULL = `there are ${LEDGER_CAPACITY} destinations already, and no room for more`;

function nameIsThatOf(uri: string): string {
  return `the name is that of ${uri}`;
}

/** Whether they are the same claims, each for the same destination. */
function isSameList(a: readonly SourcedClaim[], b: readonly SourcedClaim[]): boolean {
  return (
    a.length === b.length &&
    a.every((claim, i) => {
      const other = b[i];
      return (
        claim.source === other?.source &&
        claim.owner === other.owner &&
        isSameDestination(claim.destination, other.destination)
      );
    })
  );
}
