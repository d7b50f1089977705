/** The monitored destinations. */

import {
  type DestinationSlot,
  NO_PEERS,
  type Pingable,
  type PingSettings,
} from '../../shared/destination.js';
import type { DebugSettings } from '../../shared/protocol.js';
import type { Explanation } from '../../shared/resolution.js';
import { type ResponseCodes, responseCodes } from '../../shared/status-codes.js';
import { parseUri } from '../../shared/uri.js';
import { matchesIpProtocol } from '../dns/ip-protocol.js';
import { locateQuery, numericLocation } from '../dns/locate.js';
import { locationOfKey } from '../targets/candidates.js';
import type { MonitoredDestination } from './destination.js';
import { DestinationNames, type DestinationNamesOptions } from './destination-names.js';
import { DestinationTargets, type DestinationTargetsOptions } from './destination-targets.js';
import { explanationOf } from './explanation.js';

export interface MonitorOptions
  extends DestinationTargetsOptions,
    Omit<DestinationNamesOptions, 'targets' | 'work'> {}

export class MonitoredDestinations {
  readonly #options: MonitorOptions;
  readonly #targets: DestinationTargets;
  readonly #names: DestinationNames;
  /** By the index of their slot. */
  readonly #monitored: (MonitoredDestination | undefined)[] = [];
  readonly #codes = new Map<string, ResponseCodes>();

  constructor(options: MonitorOptions) {
    this.#options = options;
    this.#targets = new DestinationTargets(options);
    this.#names = new DestinationNames({
      ...options,
      targets: this.#targets,
      work: (place, index, work) =>
        this.#contain(place, index, () => {
          const monitored = this.#monitored[index];
          if (monitored !== undefined) work(monitored);
        }),
    });
  }

  /** Starts to monitor the destination, or applies its new settings. */
  add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    this.#contain('monitor', slot.index, () => this.#add(slot, destination, isFollowed));
  }

  remove(slot: DestinationSlot): void {
    this.#contain('unmonitor', slot.index, () => this.#remove(slot));
  }

  /** How the destination's name resolved and its last messages; undefined when it is not monitored. */
  explanation(slot: DestinationSlot): Explanation | undefined {
    const monitored = this.#monitored[slot.index];
    if (monitored?.slot.generation !== slot.generation) return undefined;
    return explanationOf(monitored, this.#options.tools.clock);
  }

  /** Applies new settings of debug lines. */
  configureDebug(settings: DebugSettings): void {
    const { debug } = this.#options;
    debug.configure(settings);
    for (const monitored of this.#monitored) {
      if (monitored !== undefined) debug.addHost(monitored.destination, monitored.hop.host);
    }
  }

  close(): void {
    this.#names.close();
  }

  /** Runs work for one destination. An error ends only that work. */
  #contain(place: string, index: number, work: () => void): void {
    const { writer, faults } = this.#options;
    const before = writer.setCurrentDestination(index);
    faults.contain(place, work);
    writer.setCurrentDestination(before);
  }

  #add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    const before = this.#monitored[slot.index];
    const isSame = before?.slot.generation === slot.generation;
    if (isSame) this.#names.remove(before);
    const rows = isSame ? this.#targets.detach(before) : this.#targets.adopt(slot);
    if (before !== undefined && !isSame) this.#remove(before.slot);
    const monitored = this.#describe(slot, destination, isFollowed);
    if (isSame) {
      monitored.peers = before.peers;
      monitored.server = before.server;
    }
    this.#options.writer.openDestination(slot);
    this.#monitored[slot.index] = monitored;
    this.#options.debug.addHost(destination, monitored.hop.host);
    this.#targets.inherit(slot, rows);
    this.#locate(monitored, [...rows.keys()]);
  }

  #describe(
    slot: DestinationSlot,
    destination: Pingable,
    isFollowed: boolean,
  ): MonitoredDestination {
    const { settings } = destination;
    const { route } = settings.identity;
    const uri = parseUri(destination.uri, settings.transport);
    return {
      slot,
      destination,
      uri,
      hop: route === '' ? uri : parseUri(route, settings.transport),
      codes: this.#codesOf(settings),
      isFollowed,
      targets: [],
      peers: NO_PEERS,
      server: '',
      serverDueMs: 0,
      resolvedAtMs: undefined,
      errors: [],
    };
  }

  /** @param keys of the targets that the destination had before. */
  #locate(monitored: MonitoredDestination, keys: readonly string[]): void {
    const query = locateQuery(monitored.hop, monitored.destination.settings);
    const location = numericLocation(query);
    if (location !== undefined) {
      this.#targets.set(monitored, [location]);
      return;
    }
    // Earlier addresses are pinged until the name is resolved again.
    const known = keys
      .map(locationOfKey)
      .filter((location) => location !== undefined)
      .filter((location) => matchesIpProtocol(location, query.ipProtocol));
    if (known.length > 0) this.#targets.set(monitored, known);
    this.#names.add(monitored, query);
  }

  #remove(slot: DestinationSlot): void {
    const monitored = this.#monitored[slot.index];
    if (monitored === undefined) this.#targets.disown(slot);
    if (monitored?.slot.generation !== slot.generation) return;
    this.#names.remove(monitored);
    this.#targets.remove(monitored);
    this.#monitored[slot.index] = undefined;
    this.#options.outbox.forget(slot);
  }

  /** Destinations with the same lists share one object; there may be many of them. */
  #codesOf(settings: PingSettings): ResponseCodes {
    const key = `${settings.aliveCodes};${settings.drainingCodes}`;
    const known = this.#codes.get(key);
    if (known !== undefined) return known;
    const codes = responseCodes(settings);
    this.#codes.set(key, codes);
    return codes;
  }
}
