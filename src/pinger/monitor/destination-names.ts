/** Resolves the names of destinations, and selects the locations to ping after each DNS answer. */

import type { Faults } from '../../shared/faults.js';
import type { LedgerWriter } from '../../shared/ledger/writer.js';
import type { LogLine } from '../../shared/protocol.js';
import type { DebugLog } from '../debug/debug-log.js';
import type { LocateFailure, LocateSuccess } from '../dns/locate.js';
import type { LocateQuery, ServerLocation } from '../dns/location.js';
import { Refresher, type Resolver, type TtlLimits } from '../dns/refresher.js';
import { dependsOn, ranked, stillPossible, targetKey } from '../targets/candidates.js';
import type { TargetTools } from '../targets/target.js';
import { hash } from '../time/scheduler.js';
import type { MonitoredDestination } from './destination.js';
import type { DestinationTargets } from './destination-targets.js';
import type { Outbox } from './outbox.js';
import type { VerdictTracker } from './verdicts.js';

export interface DestinationNamesOptions {
  readonly writer: LedgerWriter;
  readonly resolver: Resolver;
  readonly ttls: TtlLimits;
  readonly tools: TargetTools;
  readonly faults: Faults;
  readonly targets: DestinationTargets;
  readonly verdicts: VerdictTracker;
  readonly outbox: Outbox;
  readonly debug: DebugLog;
  /** Runs `work` for the destination with this index, if there is one, and contains its errors. */
  readonly work: (
    place: string,
    index: number,
    work: (monitored: MonitoredDestination) => void,
  ) => void;
}

export class DestinationNames {
  readonly #options: DestinationNamesOptions;
  readonly #refresher: Refresher;
  readonly #seed: string;

  constructor(options: DestinationNamesOptions) {
    const { writer, resolver, ttls, tools, faults, work } = options;
    this.#options = options;
    this.#seed = tools.randomHex.hex(8);
    this.#refresher = new Refresher(tools.clock, resolver, ttls, faults, {
      located: (index, result) =>
        work('addresses of a name', index, (monitored) => this.#located(monitored, result)),
      locateFailed: (index, result, isFirst) =>
        work('name', index, (monitored) => this.#failed(monitored, result, isFirst)),
      resolved: (micros) => writer.recordResolutionTime(micros),
    });
  }

  /** Resolves the destination's name, now and whenever an answer expires. */
  add({ slot }: MonitoredDestination, query: LocateQuery): void {
    this.#refresher.add(slot.index, query);
  }

  remove({ slot }: MonitoredDestination): void {
    this.#refresher.remove(slot.index);
  }

  close(): void {
    this.#refresher.close();
  }

  #located(monitored: MonitoredDestination, result: LocateSuccess): void {
    const { lookupError, errors } = result;
    // A pinged location is kept until an answer shows that it is gone.
    const before = monitored.targets.map(({ location }) => location);
    const known = lookupError === undefined ? [] : stillPossible(before, lookupError);
    if (
      lookupError?.missing === 'service' &&
      known.some((location) => dependsOn(location, lookupError.unanswered))
    ) {
      // The next complete answer would replace the fallback that was found.
      const isNew = errors.join() !== monitored.errors.join();
      this.#failed(monitored, { kind: 'failed', ...lookupError, errors }, isNew);
      return;
    }
    const isFirst = monitored.resolvedAtMs === undefined;
    this.#setLocations(monitored, known, result);
    if (lookupError?.missing === 'locations') {
      this.#failed(monitored, { kind: 'failed', ...lookupError, errors }, isFirst);
    }
  }

  /** Pings the best locations, up to `max_targets`. */
  #setLocations(
    monitored: MonitoredDestination,
    known: readonly ServerLocation[],
    result: LocateSuccess,
  ): void {
    const { writer, tools, targets } = this.#options;
    const all = new Map(
      [...known, ...result.locations].map((location) => [targetKey(location), location]),
    );
    const pinged = new Set(monitored.targets.map(({ location }) => targetKey(location)));
    const isPinged = (location: ServerLocation) => pinged.has(targetKey(location));
    const best = ranked([...all.values()], isPinged, this.#chanceOf(monitored)).slice(
      0,
      monitored.destination.settings.maxTargets,
    );
    const cut = all.size - best.length + (result.cut ?? 0);
    this.#noteErrors(monitored, result.errors, cut);
    const isChange = targets.set(monitored, best) && monitored.resolvedAtMs !== undefined;
    monitored.resolvedAtMs = tools.clock.now();
    writer.recordResolution(monitored.slot, tools.clock.epoch(), isChange, cut);
  }

  /** Constant per location while this thread runs, so that the order among equals is stable. */
  #chanceOf({ destination }: MonitoredDestination): (location: ServerLocation) => number {
    return (location) => hash(`${this.#seed} ${destination.name} ${targetKey(location)}`) / 2 ** 32;
  }

  #failed(
    monitored: MonitoredDestination,
    { reason, detail, errors }: LocateFailure,
    isFirst: boolean,
  ): void {
    const { outbox, debug, verdicts } = this.#options;
    const { destination } = monitored;
    monitored.errors = errors;
    const line: LogLine = {
      level: isFirst ? 'warn' : 'debug',
      event: 'dns_lookup_failed',
      message: 'DNS lookup failed',
      fields: {
        destination: destination.name,
        host: monitored.hop.host,
        reason,
        error: detail,
      },
    };
    if (isFirst) outbox.log(line);
    else if (debug.covers(destination)) debug.write(line);
    verdicts.unresolved(monitored, reason, detail);
  }

  /** Logs the errors of a usable answer if they differ from those of the previous answer. */
  #noteErrors(monitored: MonitoredDestination, errors: readonly string[], cut: number): void {
    const all = cut === 0 ? errors : [...errors, `${cut} addresses are not pinged`];
    const isNew = all.join() !== monitored.errors.join();
    monitored.errors = all;
    if (!isNew || all.length === 0) return;
    this.#options.outbox.log({
      level: 'warn',
      event: 'dns_lookup_incomplete',
      message: 'DNS lookup succeeded with errors',
      fields: {
        destination: monitored.destination.name,
        host: monitored.hop.host,
        error: all.join('; '),
      },
    });
  }
}
