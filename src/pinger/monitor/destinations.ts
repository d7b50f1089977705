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
import { isWanted } from '../dns/address.js';
import {
  type Located,
  numericPlace,
  type Place,
  soughtFor,
  type Unlocated,
} from '../dns/locate.js';
import { Names, type Resolver, type Ttls } from '../dns/refresher.js';
import type { Outbox } from '../outbox.js';
import {
  addressLabel,
  keyedPlace,
  ranked,
  restsOn,
  stillPossible,
  targetKey,
} from '../targets/candidates.js';
import type { Route } from '../targets/failover.js';
import { Target, type TargetTools } from '../targets/target.js';
import { TargetSlots } from '../targets/target-rows.js';
import type { Targets } from '../targets/targets.js';
import { hash } from '../time/scheduler.js';
import type { Wires } from '../transport/transports.js';
import type { Pinged, Watch } from './destination.js';
import { WatchedTarget, type WatchedTargetTools } from './recorder.js';
import type { Judge } from './verdicts.js';

export interface WatchesOptions {
  readonly writer: LedgerWriter;
  /** What an earlier pinger resolved. */
  readonly known: readonly ResolvedTargets[];
  readonly resolver: Resolver;
  readonly ttls: Ttls;
  readonly tools: TargetTools;
  readonly targets: Targets;
  readonly wires: Wires;
  readonly judge: Judge;
  readonly outbox: Outbox;
  readonly faults: Faults;
  /** There may be something to do before the thread meant to wake. */
  readonly wake: () => void;
}

export class Watches {
  readonly #options: WatchesOptions;
  readonly #names: Names;
  readonly #slots: TargetSlots;
  readonly #watchedTools: WatchedTargetTools;
  /** By the index of their slot. */
  readonly #watches: (Watch | undefined)[] = [];
  /**
   * By the index of the destination's slot: the rows that its targets had under an earlier pinger or
   * earlier settings, until it is known which of them it still has.
   */
  readonly #kept = new Map<number, Map<string, TargetSlot>>();
  readonly #aliveCodes = new Map<string, AliveCodes>();
  readonly #seed: string;

  constructor(options: WatchesOptions) {
    const { writer, known, resolver, ttls, tools, targets, judge } = options;
    this.#options = options;
    this.#slots = new TargetSlots(writer, known);
    this.#seed = tools.entropy.hex(8);
    this.#watchedTools = {
      judge,
      writer,
      done: ({ index }, slowMs) => targets.done(index, slowMs),
    };
    this.#names = new Names(tools.clock, resolver, ttls, options.faults, {
      located: (id, location) =>
        this.#withDestination('addresses of a name', id, () => this.#located(id, location)),
      unlocated: (id, location, isFirst) =>
        this.#withDestination('name', id, () => this.#unlocated(id, location, isFirst)),
      took: (micros) => writer.recordResolutionTime(micros),
    });
  }

  /** Watches the destination, or takes over its new settings. */
  add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    this.#withDestination('watch', slot.index, () => this.#add(slot, destination, isFollowed));
  }

  #add(slot: DestinationSlot, destination: Pingable, isFollowed: boolean): void {
    const earlier = this.#watches[slot.index];
    const isSame = earlier?.slot.generation === slot.generation;
    const kept = isSame ? this.#detach(earlier) : this.#slots.adopt(slot);
    if (earlier !== undefined && !isSame) this.#remove(earlier.slot);
    const { settings } = destination;
    const { route } = settings.identity;
    const uri = parseUri(destination.uri, settings.transport);
    const watch: Watch = {
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
      troubles: [],
    };
    this.#options.writer.openDestination(slot);
    this.#watches[slot.index] = watch;
    if (kept.size > 0) this.#kept.set(slot.index, kept);
    const sought = soughtFor(watch.hop, settings);
    const place = numericPlace(sought);
    if (place !== undefined) {
      this.#setTargets(watch, [place]);
      return;
    }
    // What an earlier pinger resolved is pinged on until the name is looked up anew.
    const known = [...kept.keys()]
      .map(keyedPlace)
      .filter((place) => place !== undefined)
      .filter((place) => isWanted(place, sought.ipProtocol));
    if (known.length > 0) this.#setTargets(watch, known);
    this.#names.add(slot.index, sought);
  }

  remove(slot: DestinationSlot): void {
    this.#withDestination('unwatch', slot.index, () => this.#remove(slot));
  }

  #remove(slot: DestinationSlot): void {
    const watch = this.#watches[slot.index];
    if (watch === undefined) this.#slots.disown(slot);
    if (watch?.slot.generation !== slot.generation) return;
    for (const row of this.#detach(watch).values()) this.#slots.release(row);
    this.#watches[slot.index] = undefined;
    this.#options.outbox.forget(slot);
  }

  /** What there is to tell of the destination; undefined when it is not watched. */
  explanation(slot: DestinationSlot): Explanation | undefined {
    const watch = this.#watches[slot.index];
    if (watch?.slot.generation !== slot.generation) return undefined;
    const { resolvedAtMs, troubles } = watch;
    const now = this.#options.tools.clock.now();
    return {
      exchanges: new Map(
        watch.targets.map(({ target, user }) => [target.slot.index, user.exchange]),
      ),
      resolution: {
        targets: watch.targets.map(({ place }) => ({
          transport: place.wire,
          address: addressLabel(place),
          steps: place.steps.map(({ untilMs, ...step }) => ({ ...step, leftMs: untilMs - now })),
        })),
        ageMs: resolvedAtMs === undefined ? undefined : now - resolvedAtMs,
        troubles,
      },
    };
  }

  close(): void {
    this.#names.close();
  }

  /** What a destination's work throws ends that work alone. */
  #withDestination(place: string, index: number, work: () => void): void {
    const { writer, faults } = this.#options;
    const before = writer.holdDestination(index);
    faults.contain(place, work);
    writer.holdDestination(before);
  }

  /** Stops the destination's pings and hands out the rows that its targets had. */
  #detach(watch: Watch): Map<string, TargetSlot> {
    this.#names.remove(watch.slot.index);
    const rows = new Map(this.#kept.get(watch.slot.index));
    this.#kept.delete(watch.slot.index);
    for (const { place, target } of watch.targets) {
      this.#options.targets.remove(target);
      rows.set(targetKey(place), target.slot);
    }
    return rows;
  }

  #located(id: number, location: Located): void {
    const watch = this.#watches[id];
    if (watch === undefined) return;
    const { places, doubt, troubles } = location;
    // What is known already stays while it is not known that it is gone.
    const before = watch.targets.map(({ place }) => place);
    const known = doubt === undefined ? [] : stillPossible(before, doubt);
    if (doubt?.missing === 'way' && known.some((place) => restsOn(place, doubt.unanswered))) {
      // The other way that was found would be left again with the next answer.
      const isNews = troubles.join() !== watch.troubles.join();
      this.#unlocated(id, { kind: 'failed', ...doubt, troubles }, isNews);
      return;
    }
    const all = new Map([...known, ...places].map((place) => [targetKey(place), place]));
    const pinged = new Set(watch.targets.map(({ place }) => targetKey(place)));
    const isPinged = (place: Place) => pinged.has(targetKey(place));
    const wanted = ranked([...all.values()], isPinged, this.#chanceOf(watch)).slice(
      0,
      watch.destination.settings.maxTargets,
    );
    const cut = all.size - wanted.length + (location.cut ?? 0);
    this.#takeNote(watch, location, cut);
    const isChange = this.#setTargets(watch, wanted);
    const { writer, tools } = this.#options;
    const isFirst = watch.resolvedAtMs === undefined;
    watch.resolvedAtMs = tools.clock.now();
    writer.recordResolution(watch.slot, tools.clock.epoch(), isChange && !isFirst, cut);
    if (doubt?.missing === 'places')
      this.#unlocated(id, { kind: 'failed', ...doubt, troubles }, isFirst);
  }

  /** The same for the same place as long as this thread runs, so that ties do not change. */
  #chanceOf({ destination }: Watch): (place: Place) => number {
    return (place) => hash(`${this.#seed} ${destination.name} ${targetKey(place)}`) / 2 ** 32;
  }

  #unlocated(id: number, { reason, why, troubles }: Unlocated, isFirst: boolean): void {
    const watch = this.#watches[id];
    if (watch === undefined) return;
    watch.troubles = troubles;
    this.#options.outbox.log({
      level: isFirst ? 'warn' : 'debug',
      message: 'a name does not resolve',
      fields: { destination: watch.destination.name, host: watch.hop.host, reason, error: why },
    });
    this.#options.judge.unresolved(watch, reason, why);
  }

  /** Says what is wrong with a good answer, when that is news. */
  #takeNote(watch: Watch, { troubles }: Located, cut: number): void {
    const notes = cut === 0 ? troubles : [...troubles, `${cut} addresses are not pinged`];
    const isNews = notes.join() !== watch.troubles.join();
    watch.troubles = notes;
    if (!isNews || notes.length === 0) return;
    this.#options.outbox.log({
      level: 'warn',
      message: 'a name resolves, with errors on the way',
      fields: { destination: watch.destination.name, host: watch.hop.host, why: notes.join('; ') },
    });
  }

  /** Pings all of these, or the first with the others behind it. True when they are others than before. */
  #setTargets(watch: Watch, places: readonly Place[]): boolean {
    const isFirstOnly = watch.destination.settings.resolve === 'first';
    const [first, ...rest] = places;
    const pingedPlaces = isFirstOnly && first !== undefined ? [first] : places;
    const others = isFirstOnly ? rest : [];
    const wanted = new Map(pingedPlaces.map((place) => [targetKey(place), place]));
    const before = watch.targets;
    const staying = before.filter(({ place }) => wanted.has(targetKey(place)));
    for (const { place, target } of before) {
      if (wanted.has(targetKey(place))) continue;
      this.#options.targets.remove(target);
      this.#slots.release(target.slot);
      watch.peers = without(watch.peers, target.slot.index);
    }
    let isOther = false;
    for (const pinged of staying) {
      this.#reroute(watch, pinged, others);
      const { place } = pinged;
      const key = targetKey(place);
      pinged.place = wanted.get(key) ?? place;
      isOther ||= place.priority !== pinged.place.priority || place.weight !== pinged.place.weight;
      wanted.delete(key);
    }
    const opened = [...wanted].flatMap(
      ([key, place]) => this.#openTarget(watch, key, place, others) ?? [],
    );
    watch.targets = staying.concat(opened);
    for (const row of this.#kept.get(watch.slot.index)?.values() ?? []) this.#slots.release(row);
    this.#kept.delete(watch.slot.index);
    const isChange = opened.length > 0 || staying.length < before.length;
    if (isChange || isOther) {
      this.#announce(watch);
      this.#options.judge.retargeted(watch);
    }
    this.#options.wake();
    return isChange;
  }

  /** The ways of a target that stays may be others now. */
  #reroute(watch: Watch, pinged: Pinged, others: readonly Place[]): void {
    const keysOf = (places: readonly Place[]) => places.map(targetKey).join();
    if (keysOf(others) === keysOf(pinged.others)) return;
    pinged.others = others;
    pinged.target.reroute(others.map((other) => this.#routeTo(watch, other)));
  }

  #routeTo({ destination, hop }: Watch, { wire, address, port, family }: Place): Route {
    return {
      endpoint: { address, port, family, domain: hop.host },
      wire,
      transport: this.#options.wires.of(wire, destination.settings),
    };
  }

  /** Undefined when the ledger is full. */
  #openTarget(
    watch: Watch,
    key: string,
    place: Place,
    others: readonly Place[],
  ): Pinged | undefined {
    const { targets, tools } = this.#options;
    const { settings, name } = watch.destination;
    const kept = this.#kept.get(watch.slot.index);
    const slot = kept?.get(key) ?? this.#slots.take();
    if (slot === undefined) {
      this.#tellFull(watch, addressLabel(place));
      return undefined;
    }
    kept?.delete(key);
    const user = new WatchedTarget(watch, slot, this.#watchedTools);
    const target = new Target({
      slot,
      uri: watch.uri,
      settings,
      routes: [this.#routeTo(watch, place), ...others.map((other) => this.#routeTo(watch, other))],
      isForOnce: false,
      tools,
      user,
    });
    targets.add(target, `${name} ${addressLabel(place)}`, settings.intervalMs);
    return { target, user, place, others };
  }

  #announce(watch: Watch): void {
    // Not `map`: the lists that it makes cross the wall as sparse ones, and arrive with empty room.
    const targets = Array.from(watch.targets, ({ target, place }) => ({
      slot: target.slot,
      transport: place.wire,
      address: addressLabel(place),
      priority: place.priority,
      weight: place.weight,
    }));
    this.#options.outbox.targets(watch.slot, targets);
  }

  #tellFull(watch: Watch, address: string): void {
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

function without(peers: Watch['peers'], index: number): Watch['peers'] {
  return peers.has(index) ? new Map([...peers].filter(([other]) => other !== index)) : peers;
}
