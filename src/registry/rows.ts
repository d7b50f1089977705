/** The monitored destinations. Each has a row of the ledger and is found by name, URI and slot. */

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
import type { ResolvedClaim, SourcedClaim } from './claims.js';

export interface Row extends RegisteredDestination {
  destination: Destination;
  owners: readonly string[];
  isFollowed: boolean;
  claims: readonly SourcedClaim[];
  targets: readonly TargetAddress[];
  server: string;
  peers: ReadonlyMap<number, PeerDetails>;
}

const NO_TARGETS: readonly TargetAddress[] = [];

export class Rows {
  readonly #byName = new Map<string, Row>();
  readonly #byUri = new Map<string, Row[]>();
  /** By the index of their slot. */
  readonly #bySlot: (Row | undefined)[] = [];
  readonly #freeSlots: DestinationSlot[] = [];
  #slotsUsed = 0;

  get size(): number {
    return this.#byName.size;
  }

  /** All rows in the order in which they were opened. */
  all(): IterableIterator<Row> {
    return this.#byName.values();
  }

  named(name: string): Row | undefined {
    return this.#byName.get(name);
  }

  withUri(uri: string): readonly Row[] {
    return this.#byUri.get(uri) ?? [];
  }

  /** Undefined when the slot is free or has a new destination. */
  at(slot: DestinationSlot): Row | undefined {
    const row = this.#bySlot[slot.index];
    return row?.slot.generation === slot.generation ? row : undefined;
  }

  /** Opens a row without history. Undefined when the ledger is full. */
  open(resolved: ResolvedClaim): Row | undefined {
    const slot = this.#newSlot();
    if (slot === undefined) return undefined;
    const { name, uri } = resolved.destination;
    // Without spread syntax, with which V8 would need half a kilobyte more per object.
    const row: Row = {
      destination: resolved.destination,
      owners: resolved.owners,
      isFollowed: resolved.isFollowed,
      claims: resolved.claims,
      slot,
      targets: NO_TARGETS,
      server: '',
      peers: NO_PEERS,
    };
    this.#byName.set(name, row);
    this.#bySlot[slot.index] = row;
    const sharing = this.#byUri.get(uri);
    if (sharing === undefined) this.#byUri.set(uri, [row]);
    else sharing.push(row);
    return row;
  }

  close(row: Row): void {
    const { destination, slot } = row;
    this.#byName.delete(destination.name);
    this.#bySlot[slot.index] = undefined;
    const sharing = this.#byUri.get(destination.uri) ?? [];
    sharing.splice(sharing.indexOf(row), 1);
    if (sharing.length === 0) this.#byUri.delete(destination.uri);
    this.#freeSlots.push(slot);
  }

  /** Stores the targets that the pinger reports. */
  setTargets(resolved: readonly ResolvedTargets[]): void {
    for (const { destination, targets } of resolved) {
      const row = this.at(destination);
      if (row === undefined) continue;
      const kept = new Set(targets.map(({ slot }) => slot.index));
      if ([...row.peers.keys()].some((index) => !kept.has(index))) {
        row.peers = new Map([...row.peers].filter(([index]) => kept.has(index)));
      }
      row.targets = targets;
    }
  }

  /** Stores details about targets. */
  setPeers(peers: readonly PeerUpdate[]): void {
    for (const { destination, target, peer } of peers) {
      const row = this.at(destination);
      const isTarget = row?.targets.some(
        ({ slot }) => slot.index === target.index && slot.generation === target.generation,
      );
      if (row !== undefined && isTarget) row.peers = new Map(row.peers).set(target.index, peer);
    }
  }

  /** Stores the Server headers of peers. */
  setServers(servers: readonly ServerName[]): void {
    for (const { destination, server } of servers) {
      const row = this.at(destination);
      if (row !== undefined) row.server = server;
    }
  }

  #newSlot(): DestinationSlot | undefined {
    const freed = this.#freeSlots.pop();
    if (freed !== undefined) return { index: freed.index, generation: freed.generation + 1 };
    if (this.#slotsUsed === LEDGER_CAPACITY) return undefined;
    return { index: this.#slotsUsed++, generation: 1 };
  }
}
