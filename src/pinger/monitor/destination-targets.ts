/** Opens, reroutes and closes the targets of destinations as the locations of a name change. */

import type { DestinationSlot, TargetSlot } from '../../shared/destination.js';
import { LEDGER_CAPACITY } from '../../shared/ledger/layout.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { ResolvedTargets } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { ServerLocation } from '../dns/location.js';
import { addressLabel, targetKey } from '../targets/candidates.js';
import type { NextHop } from '../targets/failover.js';
import { Target, type TargetTools } from '../targets/target.js';
import { TargetRows } from '../targets/target-rows.js';
import type { Targets } from '../targets/targets.js';
import type { Transports } from '../transport/transports.js';
import type { MonitoredDestination, PingedTarget } from './destination.js';
import type { Outbox } from './outbox.js';
import { PingSteps } from './ping-steps.js';
import { type RecorderTools, TargetRecorder } from './recorder.js';
import type { VerdictTracker } from './verdicts.js';

export interface DestinationTargetsOptions {
  readonly writer: LedgerWriter;
  /** The targets of an earlier pinger. */
  readonly previousTargets: readonly ResolvedTargets[];
  readonly tools: TargetTools;
  readonly targets: Targets;
  readonly transports: Transports;
  readonly verdicts: VerdictTracker;
  readonly outbox: Outbox;
  readonly debug: DebugLog;
  /** Wakes the thread, because a ping may be due earlier than planned. */
  readonly wake: () => void;
}

/** Rows of targets by `targetKey`. */
export type RowsByKey = Map<string, TargetSlot>;

export class DestinationTargets {
  readonly #options: DestinationTargetsOptions;
  readonly #rows: TargetRows;
  readonly #recorderTools: RecorderTools;
  /** By destination index: rows that its next targets may continue. */
  readonly #inherited = new Map<number, RowsByKey>();

  constructor(options: DestinationTargetsOptions) {
    const { writer, previousTargets, verdicts, targets, debug } = options;
    this.#options = options;
    this.#rows = new TargetRows(writer, previousTargets);
    this.#recorderTools = {
      verdicts,
      writer,
      debug,
      steps: new PingSteps(),
      done: ({ index }, pause) => targets.done(index, pause),
    };
  }

  /** The rows that an earlier pinger used for the destination. */
  adopt(slot: DestinationSlot): RowsByKey {
    return this.#rows.adopt(slot);
  }

  /** The destination's first targets continue these rows; unused rows are freed. */
  inherit(slot: DestinationSlot, rows: RowsByKey): void {
    if (rows.size > 0) this.#inherited.set(slot.index, rows);
  }

  /** Closes all of the destination's targets, and returns their rows. */
  detach({ slot, targets }: MonitoredDestination): RowsByKey {
    const rows: RowsByKey = new Map(this.#inherited.get(slot.index));
    this.#inherited.delete(slot.index);
    for (const { location, target } of targets) {
      this.#options.targets.remove(target);
      rows.set(targetKey(location), target.slot);
    }
    return rows;
  }

  /** Closes all of the destination's targets, and frees their rows. */
  remove(monitored: MonitoredDestination): void {
    for (const row of this.detach(monitored).values()) this.#rows.release(row);
  }

  /** Frees the rows that an earlier pinger used for a destination that is gone. */
  disown(slot: DestinationSlot): void {
    this.#rows.disown(slot);
  }

  /**
   * Pings all of these locations; with `resolve: first` the first one, and the others if that fails.
   * Returns true when a target was opened or closed.
   */
  set(monitored: MonitoredDestination, locations: readonly ServerLocation[]): boolean {
    const isFirstOnly = monitored.destination.settings.resolve === 'first';
    const pinged = isFirstOnly ? locations.slice(0, 1) : locations;
    const others = isFirstOnly ? locations.slice(1) : [];
    const byKey = new Map(pinged.map((location) => [targetKey(location), location]));
    const staying = this.#closeOthers(monitored, byKey);
    const closed = monitored.targets.length - staying.length;
    let isReranked = false;
    for (const target of staying) {
      this.#reroute(monitored, target, others);
      const key = targetKey(target.location);
      isReranked = relocate(target, byKey.get(key)) || isReranked;
      byKey.delete(key);
    }
    const opened = [...byKey].flatMap(
      ([key, location]) => this.#open(monitored, key, location, others) ?? [],
    );
    monitored.targets = staying.concat(opened);
    this.#freeInherited(monitored.slot);
    const isChange = opened.length > 0 || closed > 0;
    if (isChange || isReranked) {
      this.#announce(monitored);
      this.#options.verdicts.retargeted(monitored);
    }
    this.#options.wake();
    return isChange;
  }

  /** Closes the targets whose location is not among these, and returns the others. */
  #closeOthers(
    monitored: MonitoredDestination,
    byKey: ReadonlyMap<string, ServerLocation>,
  ): PingedTarget[] {
    return monitored.targets.filter(({ location, target }) => {
      if (byKey.has(targetKey(location))) return true;
      this.#options.targets.remove(target);
      this.#rows.release(target.slot);
      monitored.peers = without(monitored.peers, target.slot.index);
      return false;
    });
  }

  #freeInherited({ index }: DestinationSlot): void {
    for (const row of this.#inherited.get(index)?.values() ?? []) this.#rows.release(row);
    this.#inherited.delete(index);
  }

  /** Updates the hops that a target fails over to. */
  #reroute(
    monitored: MonitoredDestination,
    pinged: PingedTarget,
    others: readonly ServerLocation[],
  ): void {
    const keysOf = (locations: readonly ServerLocation[]) => locations.map(targetKey).join();
    if (keysOf(others) === keysOf(pinged.others)) return;
    pinged.others = others;
    pinged.target.reroute(others.map((other) => this.#hopTo(monitored, other)));
  }

  #hopTo(
    { destination, hop }: MonitoredDestination,
    { transport, address, port, family }: ServerLocation,
  ): NextHop {
    return {
      endpoint: { address, port, family, domain: hop.host, destination },
      transportName: transport,
      transport: this.#options.transports.of(transport, destination.settings),
    };
  }

  /** Undefined when the ledger is full. */
  #open(
    monitored: MonitoredDestination,
    key: string,
    location: ServerLocation,
    others: readonly ServerLocation[],
  ): PingedTarget | undefined {
    const { targets, tools } = this.#options;
    const { settings, name } = monitored.destination;
    const inherited = this.#inherited.get(monitored.slot.index);
    const slot = inherited?.get(key) ?? this.#rows.take();
    if (slot === undefined) {
      this.#logFull(monitored, addressLabel(location));
      return undefined;
    }
    inherited?.delete(key);
    const recorder = new TargetRecorder(monitored, slot, this.#recorderTools);
    const target = new Target({
      slot,
      uri: monitored.uri,
      settings,
      hops: [
        this.#hopTo(monitored, location),
        ...others.map((other) => this.#hopTo(monitored, other)),
      ],
      isForOnce: false,
      tools,
      listener: recorder,
    });
    targets.add(target, `${name} ${addressLabel(location)}`, settings.intervalMs);
    return { target, recorder, location, others };
  }

  #announce(monitored: MonitoredDestination): void {
    // Not `map`: V8 serializes its result as a sparse array, which arrives with spare capacity.
    const targets = Array.from(monitored.targets, ({ target, location }) => ({
      slot: target.slot,
      transport: location.transport,
      address: addressLabel(location),
      priority: location.priority,
      weight: location.weight,
    }));
    this.#options.outbox.targets(monitored.slot, targets);
  }

  #logFull({ destination }: MonitoredDestination, address: string): void {
    this.#options.outbox.log({
      level: 'error',
      event: 'target_limit_reached',
      message: 'target limit of the process reached; the address is not pinged',
      fields: { destination: destination.name, address, max: LEDGER_CAPACITY },
    });
  }
}

/** Sets the target's location to that of a newer answer. Returns true if priority or weight changed. */
function relocate(target: PingedTarget, location = target.location): boolean {
  const { priority, weight } = target.location;
  target.location = location;
  return priority !== location.priority || weight !== location.weight;
}

function without(
  peers: MonitoredDestination['peers'],
  index: number,
): MonitoredDestination['peers'] {
  return peers.has(index) ? new Map([...peers].filter(([other]) => other !== index)) : peers;
}
