/** The current destinations. It is the one owner of that list. */

import {
  type Destination,
  type DestinationSlot,
  NO_PEERS,
  type Peer,
  type TargetAddress,
  type Watched,
} from './shared/destination.js';
import { LEDGER_CAPACITY } from './shared/ledger/cells.js';
import type { PeerNews, ResolvedTargets, ServerName } from './shared/protocol.js';

/** Told what the list became. */
export interface RosterUser {
  watch(entries: readonly Watched[]): void;
  unwatch(slots: readonly DestinationSlot[]): void;
}

interface Entry extends Watched {
  readonly owners: string[];
  targets: readonly TargetAddress[];
  server: string;
  peers: ReadonlyMap<number, Peer>;
}

export class Roster {
  readonly #user: RosterUser;
  readonly #byName = new Map<string, Entry>();
  readonly #byUri = new Map<string, Set<Entry>>();
  readonly #bySlot = new Map<number, Entry>();
  readonly #free: DestinationSlot[] = [];
  #slotsUsed = 0;

  constructor(user: RosterUser) {
    this.#user = user;
  }

  get size(): number {
    return this.#byName.size;
  }

  /** In the order in which they were added. */
  all(): readonly Watched[] {
    return [...this.#byName.values()];
  }

  named(name: string): Watched | undefined {
    return this.#byName.get(name);
  }

  /** The destinations with this canonical URI. */
  withUri(uri: string): readonly Watched[] {
    return [...(this.#byUri.get(uri) ?? [])];
  }

  at(slot: DestinationSlot): Watched | undefined {
    return this.#entryAt(slot);
  }

  /** Watches `destination` on behalf of `owner`; a name that is watched gains an owner. */
  add(owner: string, destinations: readonly Destination[]): void {
    const added: Watched[] = [];
    for (const destination of destinations) {
      const known = this.#byName.get(destination.name);
      if (known !== undefined) {
        if (!known.owners.includes(owner)) known.owners.push(owner);
        continue;
      }
      const slot = this.#newSlot();
      const entry: Entry = {
        destination,
        slot,
        owners: [owner],
        targets: [],
        server: '',
        peers: NO_PEERS,
      };
      this.#byName.set(destination.name, entry);
      this.#bySlot.set(slot.index, entry);
      const sharing = this.#byUri.get(destination.uri) ?? new Set();
      this.#byUri.set(destination.uri, sharing.add(entry));
      added.push(entry);
    }
    this.#user.watch(added);
  }

  /** Lets go of `names` on behalf of `owner`; a destination is gone with its last owner. */
  remove(owner: string, names: readonly string[]): void {
    const removed: DestinationSlot[] = [];
    for (const name of names) {
      const entry = this.#byName.get(name);
      const index = entry?.owners.indexOf(owner) ?? -1;
      if (entry === undefined || index < 0) continue;
      entry.owners.splice(index, 1);
      if (entry.owners.length > 0) continue;
      this.#byName.delete(name);
      this.#bySlot.delete(entry.slot.index);
      const sharing = this.#byUri.get(entry.destination.uri);
      sharing?.delete(entry);
      if (sharing?.size === 0) this.#byUri.delete(entry.destination.uri);
      this.#free.push(entry.slot);
      removed.push(entry.slot);
    }
    this.#user.unwatch(removed);
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
  setPeers(peers: readonly PeerNews[]): void {
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

  #entryAt(slot: DestinationSlot): Entry | undefined {
    const entry = this.#bySlot.get(slot.index);
    return entry?.slot.generation === slot.generation ? entry : undefined;
  }

  /** @throws Error when the ledger has no row left. */
  #newSlot(): DestinationSlot {
    const freed = this.#free.pop();
    if (freed !== undefined) return { index: freed.index, generation: freed.generation + 1 };
    if (this.#slotsUsed === LEDGER_CAPACITY) {
      throw new Error(`expected at most ${LEDGER_CAPACITY} destinations, got one more`);
    }
    return { index: this.#slotsUsed++, generation: 1 };
  }
}
