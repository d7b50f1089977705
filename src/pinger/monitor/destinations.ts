/** Which destinations are watched, what they resolve to, and which targets they have. */

import { type AliveCodes, parseAliveCodes } from '../../shared/alive-codes.js';
import {
  type DestinationSlot,
  NO_PEERS,
  type Pingable,
  type TargetSlot,
} from '../../shared/destination.js';
import type { Faults } from '../../shared/faults.js';
import { LEDGER_CAPACITY } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { ResolvedTargets } from '../../shared/protocol.js';
import type { Explanation } from '../../shared/resolution.js';
import { parseUri } from '../../shared/uri.js';
import { matchesIpProtocol } from '../dns/ip-protocol.js';
import {
  type LocateFailure,
  type LocateSuccess,
  locateQuery,
  numericLocation,
} from '../dns/locate.js';
import type { ServerLocation } from '../dns/location.js';
import { Refresher, type Resolver, type TtlLimits } from '../dns/refresher.js';
import {
  addressLabel,
  dependsOn,
  locationOfKey,
  ranked,
  stillPossible,
  targetKey,
} from '../targets/candidates.js';
import type { NextHop } from '../targets/failover.js';
import { Target, type TargetTools } from '../targets/target.js';
import { TargetRows } from '../targets/target-rows.js';
import type { Targets } from '../targets/targets.js';
import { hash } from '../time/scheduler.js';
import type { Transports } from '../transport/transports.js';
import type { MonitoredDestination, Pinged } from './destination.js';
import type { Outbox } from './outbox.js';
import { type RecorderTools, TargetRecorder } from './recorder.js';
import type { VerdictTracker } from './verdicts.js';

export interface MonitorOptions {
  readonly writer: LedgerWriter;
  /** What an earlier pinger resolved. */
  readonly known: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  readonly ttls: TtlLimits;
  readonly tools: TargetTools;
  readonly targets: Targets;
  readonly transports: Transports;
  readonly verdicts: VerdictTracker;
  readonly outbox: Outbox;
  readonly faults: Faults;
  /** There may be something to do before the thread meant to wake. */
  readonly wake: () => void;
}

export class MonitoredDestinations {
  readonly #options: MonitorOptions;
  readonly #names: Refresher;
  readonly #slots: TargetRows;
  readonly #recorderTools: RecorderTools;
  /** By the index of their slot. */
  readonly #monitored: (MonitoredDestination | undefined)[] = [];
  /**
   * By the index of the destination's slot: the rows that its targets had under an earlier pinger or
   * earlier settings, until it is known which of them it still has.
   */
  readonly #kept = new Map<number, Map<string, TargetSlot>>();
  readonly #aliveCodes = new Map<string, AliveCodes>();
  readonly #seed: string;

  constructor(options: MonitorOptions) {
    const { writer, known, resolver, ttls, tools, targets, verdicts } = options;
    this.#options = options;
    this.#slots = new TargetRows(writer, known);
    this.#seed = tools.randomHex.hex(8);
    this.#recorderTools = {
      verdicts,
      writer,
      done: ({ index }, slowMs) => targets.done(index, slowMs),
    };
    this.#names = new Refresher(tools.clock, resolver, ttls, options.faults, {
      located: (id, result) =>
        this.#withDestination('addresses of a name', id, () => this.#located(id, result)),
      locateFailed: (id, result, isFirst) =>
        this.#withDestination('name', id, () => this.#unlocated(id, result, isFirst)),
      resolved: (micros) => writer.recordResolutionTime(micros),
    });
  }

  /** Watches the destination, or takes over its new settings. */
  add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    this.#withDestination('watch', slot.index, () => this.#add(slot, destination, isFollowed));
  }

  #add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    const earlier = this.#monitored[slot.index];
    const isSame = earlier?.slot.generation === slot.generation;
    const kept = isSame ? this.#detach(earlier) : this.#slots.adopt(slot);
    if (earlier !== undefined && !isSame) this.#remove(earlier.slot);
    const { settings } = destination;
    const { route } = settings.identity;
    const uri = parseUri(destination.uri, settings.transport);
    const watch: MonitoredDestination = {
      slot,
      destination,
      uri,
      hop: route === '' ? uri : parseUri(route, settings.transport),
      alive: this.#aliveCodesOf(settings.aliveCodes),
      isFollowed,
      targets: [],
      peers: isSame ? earlier.peers : NO_PEERS,
      server: isSame ? earlier.server : '',
      serverDueMs: 0,
      resolvedAtMs: undefined,
      errors: [],
    };
    this.#options.writer.openDestination(slot);
    this.#monitored[slot.index] = watch;
    if (kept.size > 0) this.#kept.set(slot.index, kept);
    const query = locateQuery(watch.hop, settings);
    const location = numericLocation(query);
    if (location !== undefined) {
      this.#setTargets(watch, [location]);
      return;
    }
    // What an earlier pinger resolved is pinged on until the name is looked up anew.
    const known = [...kept.keys()]
      .map(locationOfKey)
      .filter((location) => location !== undefined)
      .filter((location) => matchesIpProtocol(location, query.ipProtocol));
    if (known.length > 0) this.#setTargets(watch, known);
    this.#names.add(slot.index, query);
  }

  remove(slot: DestinationSlot): void {
    this.#withDestination('unwatch', slot.index, () => this.#remove(slot));
  }

  #remove(slot: DestinationSlot): void {
    const watch = this.#monitored[slot.index];
    if (watch === undefined) this.#slots.disown(slot);
    if (watch?.slot.generation !== slot.generation) return;
    for (const row of this.#detach(watch).values()) this.#slots.release(row);
    this.#monitored[slot.index] = undefined;
    this.#options.outbox.forget(slot);
  }

  /** What there is to tell of the destination; undefined when it is not watched. */
  explanation(slot: DestinationSlot): Explanation | undefined {
    const watch = this.#monitored[slot.index];
    if (watch?.slot.generation !== slot.generation) return undefined;
    const { resolvedAtMs, errors } = watch;
    const now = this.#options.tools.clock.now();
    return {
      exchanges: new Map(
        watch.targets.map(({ target, recorder }) => [target.slot.index, recorder.exchange]),
      ),
      resolution: {
        targets: watch.targets.map(({ location }) => ({
          transport: location.transport,
          address: addressLabel(location),
          steps: location.steps.map(({ untilMs, ...step }) => ({ ...step, leftMs: untilMs - now })),
        })),
        ageMs: resolvedAtMs === undefined ? undefined : now - resolvedAtMs,
        errors,
      },
    };
  }

  close(): void {
    this.#names.close();
  }

  /** What a destination's work throws ends that work alone. */
  #withDestination(location: string, index: number, work: () => void): void {
    const { writer, faults } = this.#options;
    const before = writer.holdDestination(index);
    faults.contain(location, work);
    writer.holdDestination(before);
  }

  /** Stops the destination's pings and hands out the rows that its targets had. */
  #detach(watch: MonitoredDestination): Map<string, TargetSlot> {
    this.#names.remove(watch.slot.index);
    const rows = new Map(this.#kept.get(watch.slot.index));
    this.#kept.delete(watch.slot.index);
    for (const { location, target } of watch.targets) {
      this.#options.targets.remove(target);
      rows.set(targetKey(location), target.slot);
    }
    return rows;
  }

  #located(id: number, result: LocateSuccess): void {
    const watch = this.#monitored[id];
    if (watch === undefined) return;
    const { locations, lookupError, errors } = result;
    // What is known already stays while it is not known that it is gone.
    const before = watch.targets.map(({ location }) => location);
    const known = lookupError === undefined ? [] : stillPossible(before, lookupError);
    if (
      lookupError?.missing === 'service' &&
      known.some((location) => dependsOn(location, lookupError.unanswered))
    ) {
      // The other way that was found would be left again with the next answer.
      const isNews = errors.join() !== watch.errors.join();
      this.#unlocated(id, { kind: 'failed', ...lookupError, errors }, isNews);
      return;
    }
    const all = new Map(
      [...known, ...locations].map((location) => [targetKey(location), location]),
    );
    const pinged = new Set(watch.targets.map(({ location }) => targetKey(location)));
    const isPinged = (location: ServerLocation) => pinged.has(targetKey(location));
    const wanted = ranked([...all.values()], isPinged, this.#chanceOf(watch)).slice(
      0,
      watch.destination.settings.maxTargets,
    );
    const cut = all.size - wanted.length + (result.cut ?? 0);
    this.#noteErrors(watch, result, cut);
    const isChange = this.#setTargets(watch, wanted);
    const { writer, tools } = this.#options;
    const isFirst = watch.resolvedAtMs === undefined;
    watch.resolvedAtMs = tools.clock.now();
    writer.recordResolution(watch.slot, tools.clock.epoch(), isChange && !isFirst, cut);
    if (lookupError?.missing === 'locations')
      this.#unlocated(id, { kind: 'failed', ...lookupError, errors }, isFirst);
  }

  /** The same for the same place as long as this thread runs, so that ties do not change. */
  #chanceOf({ destination }: MonitoredDestination): (location: ServerLocation) => number {
    return (location) => hash(`${this.#seed} ${destination.name} ${targetKey(location)}`) / 2 ** 32;
  }

  #unlocated(id: number, { reason, detail, errors }: LocateFailure, isFirst: boolean): void {
    const watch = this.#monitored[id];
    if (watch === undefined) return;
    watch.errors = errors;
    this.#options.outbox.log({
      level: isFirst ? 'warn' : 'debug',
      message: 'a name does not resolve',
      fields: { destination: watch.destination.name, host: watch.hop.host, reason, error: detail },
    });
    this.#options.verdicts.unresolved(watch, reason, detail);
  }

  /** Says what is wrong with a good answer, when that is news. */
  #noteErrors(watch: MonitoredDestination, { errors }: LocateSuccess, cut: number): void {
    const notes = cut === 0 ? errors : [...errors, `${cut} addresses are not pinged`];
    const isNews = notes.join() !== watch.errors.join();
    watch.errors = notes;
    if (!isNews || notes.length === 0) return;
    this.#options.outbox.log({
      level: 'warn',
      message: 'a name resolves, with errors on the way',
      fields: { destination: watch.destination.name, host: watch.hop.host, why: notes.join('; ') },
    });
  }

  /** Pings all of these, or the first with the others behind it. True when they are others than before. */
  #setTargets(watch: MonitoredDestination, locations: readonly ServerLocation[]): boolean {
    const isFirstOnly = watch.destination.settings.resolve === 'first';
    const [first, ...rest] = locations;
    const pingedLocations = isFirstOnly && first !== undefined ? [first] : locations;
    const others = isFirstOnly ? rest : [];
    const wanted = new Map(pingedLocations.map((location) => [targetKey(location), location]));
    const before = watch.targets;
    const staying = before.filter(({ location }) => wanted.has(targetKey(location)));
    for (const { location, target } of before) {
      if (wanted.has(targetKey(location))) continue;
      this.#options.targets.remove(target);
      this.#slots.release(target.slot);
      watch.peers = without(watch.peers, target.slot.index);
    }
    let isOther = false;
    for (const pinged of staying) {
      this.#reroute(watch, pinged, others);
      const { location } = pinged;
      const key = targetKey(location);
      pinged.location = wanted.get(key) ?? location;
      isOther ||=
        location.priority !== pinged.location.priority ||
        location.weight !== pinged.location.weight;
      wanted.delete(key);
    }
    const opened = [...wanted].flatMap(
      ([key, location]) => this.#openTarget(watch, key, location, others) ?? [],
    );
    watch.targets = staying.concat(opened);
    for (const row of this.#kept.get(watch.slot.index)?.values() ?? []) this.#slots.release(row);
    this.#kept.delete(watch.slot.index);
    const isChange = opened.length > 0 || staying.length < before.length;
    if (isChange || isOther) {
      this.#announce(watch);
      this.#options.verdicts.retargeted(watch);
    }
    this.#options.wake();
    return isChange;
  }

  /** The ways of a target that stays may be others now. */
  #reroute(watch: MonitoredDestination, pinged: Pinged, others: readonly ServerLocation[]): void {
    const keysOf = (locations: readonly ServerLocation[]) => locations.map(targetKey).join();
    if (keysOf(others) === keysOf(pinged.others)) return;
    pinged.others = others;
    pinged.target.reroute(others.map((other) => this.#routeTo(watch, other)));
  }

  #routeTo(
    { destination, hop }: MonitoredDestination,
    { transport, address, port, family }: ServerLocation,
  ): NextHop {
    return {
      endpoint: { address, port, family, domain: hop.host },
      transportName: transport,
      transport: this.#options.transports.of(transport, destination.settings),
    };
  }

  /** Undefined when the ledger is full. */
  #openTarget(
    watch: MonitoredDestination,
    key: string,
    location: ServerLocation,
    others: readonly ServerLocation[],
  ): Pinged | undefined {
    const { targets, tools } = this.#options;
    const { settings, name } = watch.destination;
    const kept = this.#kept.get(watch.slot.index);
    const slot = kept?.get(key) ?? this.#slots.take();
    if (slot === undefined) {
      this.#tellFull(watch, addressLabel(location));
      return undefined;
    }
    kept?.delete(key);
    const recorder = new TargetRecorder(watch, slot, this.#recorderTools);
    const target = new Target({
      slot,
      uri: watch.uri,
      settings,
      hops: [this.#routeTo(watch, location), ...others.map((other) => this.#routeTo(watch, other))],
      isForOnce: false,
      tools,
      listener: recorder,
    });
    targets.add(target, `${name} ${addressLabel(location)}`, settings.intervalMs);
    return { target, recorder, location, others };
  }

  #announce(watch: MonitoredDestination): void {
    // Not `map`: the lists that it makes cross the wall as sparse ones, and arrive with empty room.
    const targets = Array.from(watch.targets, ({ target, location }) => ({
      slot: target.slot,
      transport: location.transport,
      address: addressLabel(location),
      priority: location.priority,
      weight: location.weight,
    }));
    this.#options.outbox.targets(watch.slot, targets);
  }

  #tellFull(watch: MonitoredDestination, address: string): void {
    this.#options.outbox.log({
      level: 'error',
      message: 'too many targets; this one is not pinged',
      fields: { destination: watch.destination.name, address, most: LEDGER_CAPACITY },
    });
  }

  /** Many destinations share few lists of codes. */
  #aliveCodesOf(text: string): AliveCodes {
    const known = this.#aliveCodes.get(text);
    if (known !== undefined) return known;
    const codes = parseAliveCodes(text);
    this.#aliveCodes.set(text, codes);
    return codes;
  }
}

function without(
  peers: MonitoredDestination['peers'],
  index: number,
): MonitoredDestination['peers'] {
  return peers.has(index) ? new Map([...peers].filter(([other]) => other !== index)) : peers;
}
